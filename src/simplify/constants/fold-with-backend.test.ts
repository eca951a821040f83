import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import { float32s } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Backend } from '../../runtime/backend.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { foldWithBackend } from './fold-with-backend.ts'

const settings = { maxGrowth: 1024 }
const operators = (graph: Graph) => graph.nodes.map(node => node.op)
const x = f32('N', 2, 8, 8)
const image = float32s(
  [1, 2, 8, 8],
  Array.from({ length: 128 }, (_, i) => Math.sin(i)),
)
const kernel = float32s(
  [2, 2, 3, 3],
  Array.from({ length: 36 }, (_, i) => Math.cos(i)),
)

/** The same engine, which counts what it is given and refuses some operators. */
function counting(refused: readonly string[] = []) {
  const opened: (readonly string[])[] = []
  const backend: Backend = {
    name: 'counting',
    async open(model, options) {
      const graph = model as Graph
      opened.push(operators(graph))
      const broken = graph.nodes.some(node => refused.includes(node.op))
      return await onnxruntimeNode.open(broken ? Uint8Array.of(1) : graph, options)
    },
  }
  return { backend, opened }
}

test('everything that depends on constants alone becomes initializers in one session', async () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const filtered = op.Conv([op.constant(image, 'image'), op.constant(kernel, 'kernel')], { pads: [1, 1, 1, 1] })
    const pooled = op.GlobalAveragePool([filtered])
    return { y: op.Mul([op.Add([x, filtered]), op.Sigmoid([pooled])]) }
  })
  const { backend, opened } = counting()
  const after = await foldWithBackend(graph, backend, settings)
  expect(operators(after)).toEqual(['Add', 'Mul'])
  expect(opened).toHaveLength(1)
  await expectSameOutputs(after, graph)
  expect(await foldWithBackend(after, backend, settings)).toBe(after)
})

test('what the engine refuses stays, and the rest is folded', async () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const picture = op.constant(image, 'image')
    const blurred = op.AveragePool([picture], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
    const sharp = op.LpPool([picture], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
    const filtered = op.Conv([picture, op.constant(kernel, 'kernel')], { pads: [1, 1, 1, 1] })
    return { y: op.Sum([x, blurred, sharp, filtered]) }
  })
  const { backend } = counting(['LpPool'])
  const after = await foldWithBackend(graph, backend, settings)
  expect(operators(after)).toEqual(['LpPool', 'Sum'])
  await expectSameOutputs(after, graph)
})

test('what would grow too much stays small', async () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const scales = op.constant(float32s([4], [1, 1, 64, 64]))
    const large = op.Resize([op.constant(image, 'image'), null, scales])
    const used = op.Slice([large, op.ints([0, 0]), op.ints([8, 8]), op.ints([2, 3])])
    return { y: op.Add([x, used]), z: op.Mul([large, op.GlobalMaxPool([x])]) }
  })
  const { backend } = counting()
  const after = await foldWithBackend(graph, backend, settings)
  expect(operators(after)).toEqual(['Resize', 'Add', 'GlobalMaxPool', 'Mul'])
  expect(operators(await foldWithBackend(graph, backend, { maxGrowth: Number.POSITIVE_INFINITY }))).toEqual([
    'Add',
    'GlobalMaxPool',
    'Mul',
  ])
})

test('random numbers are drawn at each run, and constants that callers may override are none', async () => {
  const graph = makeGraph({ x }, (op, { x }) => ({
    y: op.Add([x, op.RandomNormalLike([op.constant(image, 'image')])]),
    z: op.Add([x, op.GlobalMaxPool([op.constant(kernel, 'free')])]),
  }))
  const [name] = [...graph.initializers.keys()].filter(one => one.startsWith('free'))
  const type = { dtype: 'float32', shape: kernel.shape } as const
  const overridable: Graph = { ...graph, inputs: [...graph.inputs, { name: name!, type }] }
  const { backend, opened } = counting()
  expect(await foldWithBackend(overridable, backend, settings)).toBe(overridable)
  expect(opened).toEqual([])
})

test('an output that is constant keeps its name', async () => {
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Relu([x]), z: op.Softmax([op.constant(image, 'image')]) }))
  const { backend } = counting()
  const after = await foldWithBackend(graph, backend, settings)
  expect(operators(after)).toEqual(['Relu', 'Constant'])
  expect(after.outputs).toEqual(graph.outputs)
  await expectSameOutputs(after, graph)
})
