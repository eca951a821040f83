import { random } from '../../base/random.ts'
import { elementCount, isTensorType } from '../../base/shape.ts'
import { fromNumbers, numbers } from '../../base/tensor.ts'
import { type Graph, requiredInputs } from '../../graph/graph.ts'
import type { Feeds, Results } from '../../runtime/backend.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'

/** Random feeds for a graph's inputs; symbolic dimensions take `bind` or 2. */
export function feedsFor(graph: Graph, seed = 5, bind: Readonly<Record<string, number>> = {}): Feeds {
  const stream = random(seed)
  return Object.fromEntries(
    requiredInputs(graph).map(({ name, type }) => {
      if (!isTensorType(type)) throw new Error(`'${name}' is no tensor`)
      const shape = type.shape!.map(dim => (typeof dim === 'number' ? dim : (bind[dim] ?? 2)))
      const draw = stream.fork(name)
      return [
        name,
        fromNumbers(
          type.dtype,
          shape,
          Array.from({ length: elementCount(shape) }, () => draw.normal()),
        ),
      ]
    }),
  )
}

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
