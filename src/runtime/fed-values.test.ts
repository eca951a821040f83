import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import type { DType } from '../base/dtype.ts'
import { fromNumbers, int64s, scalar, type Tensor, tensor } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { hazardousInputs } from './fed-values.ts'
import { onnxruntimeNode } from './onnxruntime-node.ts'

const of = (dtype: DType, ...shape: number[]) => ({ dtype, shape })

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<unknown> {
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  return session.run(feeds)
}

test('integers that have no quotient are refused before the engine ends over them', async () => {
  const graph = makeGraph({ a: of('int32', 2), b: of('int32', 2) }, (op, { a, b }) => ({
    y: op.Div([op.Mul([a, b]), op.Reshape([b, op.ints([2])])]),
    z: op.Mod([a, b]),
  }))
  expect(hazardousInputs(graph)).toEqual(['a', 'b'])
  const feed = (a: number[], b: number[]) => ({ a: fromNumbers('int32', [2], a), b: fromNumbers('int32', [2], b) })
  await expect(run(graph, feed([-(2 ** 31), 3], [-1, 1]))).rejects.toThrow('-2147483648 divided by -1 is no int32')
  await expect(run(graph, feed([-(2 ** 31), 3], [1, 1]))).resolves.toBeDefined()
  await expect(run(graph, feed([7, 3], [-1, -1]))).resolves.toBeDefined()
  const large = makeGraph({ a: of('int64', 1), b: of('int64', 1) }, (op, { a, b }) => ({ y: op.Div([a, b]) }))
  const least = tensor('int64', [1], BigInt64Array.of(-(2n ** 63n)))
  await expect(run(large, { a: least, b: int64s([-1]) })).rejects.toThrow('divided by -1')
})

test('frames and parts of no length are refused before the engine divides by them', async () => {
  const frames = makeGraph({ x: f32(1, 16, 1), step: of('int64'), length: of('int64') }, (op, { x, step, length }) => ({
    y: op.STFT([x, step, null, length]),
  }))
  const feeds = { x: fromNumbers('float32', [1, 16, 1], Array(16).fill(1)), step: scalar('int64', 4) }
  await expect(run(frames, { ...feeds, length: scalar('int64', 0) })).rejects.toThrow('frames have a length')
  await expect(run(frames, { ...feeds, length: scalar('int64', 8) })).resolves.toBeDefined()
  const parts = makeGraph({ x: f32(4), size: of('int64') }, (op, { x, size }) => ({
    y: op.SequenceLength([op.SplitToSequence([x, size])]),
  }))
  const x = fromNumbers('float32', [4], [1, 2, 3, 4])
  await expect(run(parts, { x, size: scalar('int64', 0) })).rejects.toThrow('parts have a size above 0')
  await expect(run(parts, { x, size: scalar('int64', 2) })).resolves.toBeDefined()
})

test('most graphs have no input that is looked at: sizes divide by constants', () => {
  const graph = makeGraph({ x: f32('N', 'T'), k: of('int64', 2) }, (op, { x, k }) => ({
    y: op.Div([op.Shape([x]), op.ints([2, 2])]),
    z: op.Div([k, op.ints([2, 3])]),
    f: op.Div([x, x]),
  }))
  expect(hazardousInputs(graph)).toEqual([])
})
