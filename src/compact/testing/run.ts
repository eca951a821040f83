import { numbers } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Feeds, Results } from '../../runtime/backend.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'

export async function run(graph: Graph, feeds: Feeds): Promise<Results> {
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  return await session.run(feeds)
}

/** The greatest difference between two results, relative to the greatest value. */
export function distance(a: Results, b: Results): number {
  let [difference, scale] = [0, 0]
  for (const name of Object.keys(a)) {
    const [x, y] = [numbers(a[name]!), numbers(b[name]!)]
    if (x.length !== y.length) return Number.POSITIVE_INFINITY
    for (let i = 0; i < x.length; i++) {
      difference = Math.max(difference, Math.abs(x[i]! - y[i]!))
      scale = Math.max(scale, Math.abs(x[i]!))
    }
  }
  return difference / (scale || 1)
}
