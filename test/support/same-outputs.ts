import { expect } from 'vitest'
import { type Random, random } from '../../src/base/random.ts'
import { elementCount, isTensorType } from '../../src/base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../../src/base/tensor.ts'
import { check } from '../../src/graph/check.ts'
import { type Graph, requiredInputs } from '../../src/graph/graph.ts'
import type { Feeds, Results } from '../../src/runtime/backend.ts'
import { onnxruntimeNode } from '../../src/runtime/onnxruntime-node.ts'

/**
 * Random numbers for every input of a graph, normal ones if `next` gives no others; symbolic dimensions are 2, or what
 * `sizes` says of one or of all. All inputs get such numbers, whatever their type: tests know what theirs are for.
 */
export function randomFeeds(
  graph: Graph,
  seed: number,
  sizes: Readonly<Record<string, number>> | number = {},
  next = (draw: Random) => draw.normal(),
): Feeds {
  const sizeOf = (symbol: string) => (typeof sizes === 'number' ? sizes : (sizes[symbol] ?? 2))
  const feeds: Record<string, Tensor> = {}
  for (const { name, type } of requiredInputs(graph)) {
    if (!isTensorType(type) || !type.shape) throw new Error(`${name} needs a shape`)
    const shape = type.shape.map(dim => (typeof dim === 'number' ? dim : sizeOf(dim)))
    const draw = random(seed).fork(name)
    feeds[name] = fromNumbers(
      type.dtype,
      shape,
      Float64Array.from({ length: elementCount(shape) }, () => next(draw)),
    )
  }
  return feeds
}

/** Runs a graph as it is written, without the engine's own rewriting. */
export async function run(graph: Graph, feeds: Feeds): Promise<Results> {
  await using session = await onnxruntimeNode.open(graph, { graphOptimization: 'disabled', threads: 1 })
  return await session.run(feeds)
}

/** Expects a sound graph that gives the outputs of another, to a relative precision. */
export async function expectSameOutputs(after: Graph, before: Graph, precision = 1e-5): Promise<void> {
  expect(check(after)).toEqual([])
  const feeds = randomFeeds(before, 1)
  const [expected, actual] = [await run(before, feeds), await run(after, feeds)]
  expect(Object.keys(actual)).toEqual(Object.keys(expected))
  for (const [name, value] of Object.entries(expected)) {
    expect(actual[name]!.shape).toEqual(value.shape)
    const [x, y] = [numbers(actual[name]!), numbers(value)]
    const scale = Math.max(...Array.from(y, Math.abs), 1e-3)
    for (let i = 0; i < y.length; i++) expect(Math.abs(x[i]! - y[i]!) / scale).toBeLessThanOrEqual(precision)
  }
}
