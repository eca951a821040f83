import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import type { DType } from '../base/dtype.ts'
import { float32s, full, int64s, scalar, zeros } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { type FindFeedsOptions, findFeeds } from './find-feeds.ts'
import { randomFeeds } from './random-feeds.ts'

async function shapesFor(graph: Graph, options: FindFeedsOptions = {}) {
  await using session = await onnxruntimeNode.open(graph)
  const trials = await findFeeds(session, graph, options)
  return trials.map(({ feeds }) => Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])))
}

describe('random feeds', () => {
  test('depend on the seed, the name and nothing else', () => {
    const graph = { inputs: [{ name: 'x', type: f32('N', 3) }] }
    expect(randomFeeds(graph, { seed: 3 })).toEqual(randomFeeds(graph, { seed: 3 }))
    expect(randomFeeds(graph, { seed: 3 })).not.toEqual(randomFeeds(graph, { seed: 4 }))
    expect(randomFeeds(graph, { sizes: { N: 5 } }).x!.shape).toEqual([5, 3])
    expect(randomFeeds(graph, { shapes: { x: [2, 3] } }).x!.shape).toEqual([2, 3])
  })

  test('are of the inputs types: whole numbers of 0 and 1, truth values, texts', () => {
    const input = (name: string, dtype: DType) => ({ name, type: { dtype, shape: [50] } })
    const { a, b, c } = randomFeeds({ inputs: [input('a', 'int64'), input('b', 'bool'), input('c', 'string')] })
    expect(new Set(a!.data as BigInt64Array)).toEqual(new Set([0n, 1n]))
    expect(new Set(b!.data as Uint8Array)).toEqual(new Set([0, 1]))
    expect((c!.data as readonly string[]).every(text => text.length > 0)).toBe(true)
  })

  test('follow sums of symbols', () => {
    const graph = { inputs: [{ name: 'mask', type: f32('past + now') }] }
    expect(randomFeeds(graph, { sizes: { past: 3, now: 4 } }).mask!.shape).toEqual([7])
  })

  test('are refused for ranks that nobody knows, and for no tensors', () => {
    const unranked = { inputs: [{ name: 'x', type: { dtype: 'float32', shape: undefined } as const }] }
    expect(() => randomFeeds(unranked)).toThrow(/no random values for 'x'/)
  })
})

describe('feeds that a graph runs on', () => {
  test('have other sizes the second time, where sizes are open', async () => {
    const graph = makeGraph({ x: f32('N', 3, 'H', 'W') }, (op, { x }) => ({ y: op.Relu([x]) }))
    expect(await shapesFor(graph)).toEqual([{ x: [1, 3, 64, 64] }, { x: [3, 3, 96, 96] }])
  })

  test('keep a size that is built in', async () => {
    const graph = makeGraph({ x: f32('N', 3, 'H', 'W') }, (op, { x }) => ({
      y: op.MatMul([
        op.Reshape([x, op.constant(int64s([1, 3 * 224 * 224]), 's')]),
        op.constant(zeros('float32', [3 * 224 * 224, 2]), 'w'),
      ]),
    }))
    expect(await shapesFor(graph)).toEqual([{ x: [1, 3, 224, 224] }, { x: [1, 3, 224, 224] }])
  })

  test('take a smaller vocabulary for other sizes where that of the first ran by luck', async () => {
    const graph = makeGraph({ ids: { dtype: 'int64', shape: ['N', 'T'] } }, (op, { ids }) => ({
      y: op.Gather([op.constant(zeros('float32', [97, 2]), 'table'), ids]),
    }))
    const shapes = await Promise.all([0, 1, 2, 3, 4].map(seed => shapesFor(graph, { seed })))
    expect(new Set(shapes.map(one => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify([{ ids: [1, 8] }, { ids: [3, 11] }])]),
    )
  })

  test('stay within an embedding', async () => {
    const graph = makeGraph({ ids: { dtype: 'int64', shape: ['N', 'T'] } }, (op, { ids }) => ({
      y: op.Gather([op.constant(float32s([5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), 'table'), ids]),
    }))
    await using session = await onnxruntimeNode.open(graph)
    const [trial] = await findFeeds(session, graph)
    expect((trial!.feeds.ids!.data as BigInt64Array).every(id => id < 5n)).toBe(true)
  })

  test('are numbers that the graph asks for', async () => {
    const graph = makeGraph({ rate: { dtype: 'int64', shape: [] } }, (op, { rate }) => ({
      y: op.Equal([rate, op.constant(scalar('int64', 16000), 'wide')]),
      z: op.Equal([rate, op.constant(scalar('int64', 8000), 'narrow')]),
    }))
    await using session = await onnxruntimeNode.open(graph)
    const trials = await findFeeds(session, graph)
    expect(trials.map(({ feeds }) => (feeds.rate!.data as BigInt64Array)[0])).toEqual([16000n, 8000n])
  })

  test('are positive where normal ones give no numbers', async () => {
    const graph = makeGraph({ x: f32(3) }, (op, { x }) => ({ y: op.Sqrt([op.ReduceMin([x])]) }))
    await using session = await onnxruntimeNode.open(graph)
    const trials = await findFeeds(session, graph)
    expect((trials[0]!.feeds.x!.data as Float32Array).every(value => value >= 0)).toBe(true)
  })

  test('keep to the sizes and shapes that are given', async () => {
    const graph = makeGraph({ x: f32('N', 'C'), y: f32('N', 2) }, (op, { x, y }) => ({
      z: op.Relu([x]),
      w: op.Relu([y]),
    }))
    expect(await shapesFor(graph, { sizes: { N: 7 }, shapes: { x: [7, 9] }, count: 1 })).toEqual([
      { x: [7, 9], y: [7, 2] },
    ])
  })

  test('are refused with the complaint of the engine where nothing runs', async () => {
    const graph = makeGraph({ x: f32('N') }, (op, { x }) => ({
      y: op.Add([op.Reshape([x, op.constant(int64s([7919]), 's')]), op.constant(full('float32', [7919], 1), 'b')]),
    }))
    await expect(shapesFor(graph)).rejects.toMatchObject({
      code: 'not-supported',
      message: expect.stringMatching(/tried/),
    })
  })
})
