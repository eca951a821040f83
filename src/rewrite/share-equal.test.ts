import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../test/support/same-outputs.ts'
import { float32s } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { shareEqual } from './share-equal.ts'

const x = f32('N', 2)
const operators = (graph: Graph) => graph.nodes.map(node => node.op)
/** Too many for the builder to share them by itself. */
const weights = (first: number) => float32s([2, 10], [first, ...Array(19).fill(1)])

test('equal nodes on equal inputs become one, and so on down from there', async () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const branch = () => op.Relu([op.Gemm([op.Sub([x, op.scalar(2)]), op.constant(weights(1), 'w')])])
    return { y: op.Mul([branch(), branch()]) }
  })
  expect(graph.initializers.size).toBe(3)
  const after = shareEqual(graph)
  expect(operators(after)).toEqual(['Sub', 'Gemm', 'Relu', 'Mul'])
  expect([...after.initializers.keys()]).toHaveLength(2)
  await expectSameOutputs(after, graph, 0)
  expect(shareEqual(after)).toBe(after)
})

test('nodes differ by attributes, by inputs, by the contents of constants and by which outputs they make', () => {
  const graph = makeGraph({ x, z: x }, (op, { x, z }) => ({
    a: op.Softmax([x]),
    b: op.Softmax([x], { axis: 0 }),
    c: op.Softmax([z]),
    d: op.Gemm([x, op.constant(weights(1))]),
    e: op.Gemm([x, op.constant(weights(2))]),
    f: op.Gemm([x, op.constant(weights(1))], { alpha: 2 }),
    g: op.many('TopK', 2, [x, op.ints([1])])[0]!,
    h: op.many('TopK', 1, [x, op.ints([1])])[0]!,
  }))
  expect(shareEqual(graph)).toBe(graph)
})

test('equal constants of nodes that differ stay apart, so that training does not tie them', () => {
  const graph = makeGraph({ x, z: x }, (op, { x, z }) => {
    const zeros = () => op.constant(float32s([20], Array(20).fill(0)), 'bias')
    const wide = (value: string) => op.Concat(Array(10).fill(value), { axis: 1 })
    return { a: op.Add([wide(x), zeros()]), b: op.Add([wide(z), zeros()]) }
  })
  expect(graph.initializers.size).toBe(2)
  expect(shareEqual(graph)).toBe(graph)
})

test('an output of the graph keeps its name, and readers go over to the first of its twins', () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const [a, b] = [op.Exp([x]), op.Exp([x])]
    return { a, b, c: op.Neg([b]), d: op.Neg([a]) }
  })
  const after = shareEqual(graph)
  expect(after.outputs).toEqual(graph.outputs)
  expect(after.nodes.map(node => `${node.op}(${node.inputs})`)).toEqual(['Exp(x)', 'Exp(x)', 'Neg(a)', 'Neg(a)'])
})

test('random numbers are drawn anew, and unknown operators are not trusted', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({
    y: op.Add([op.RandomNormalLike([x]), op.RandomNormalLike([x])]),
  }))
  const unknown: Graph = {
    ...graph,
    nodes: graph.nodes.map(node => (node.op === 'Add' ? node : { ...node, op: 'Roll', domain: 'my.dice' })),
  }
  expect(shareEqual(graph)).toBe(graph)
  expect(shareEqual(unknown)).toBe(unknown)
})

test('constants that callers may override are not equal to others', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({
    y: op.Mul([op.Gemm([x, op.constant(weights(1), 'v')]), op.Gemm([x, op.constant(weights(1), 'w')])]),
  }))
  expect(operators(shareEqual(graph))).toEqual(['Gemm', 'Mul'])
  const [, name] = [...graph.initializers.keys()]
  const overridable: Graph = { ...graph, inputs: [...graph.inputs, { name: name!, type: f32(2, 10) }] }
  expect(shareEqual(overridable)).toBe(overridable)
})
