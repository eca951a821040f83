import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import type { TensorType } from '../../base/shape.ts'
import { float32s, fromNumbers, type Tensor } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import type { Rule } from '../../rewrite/rule.ts'
import { noOps } from './index.ts'

const drop = rewrite('no-ops', noOps() as readonly Rule[])
const x = f32('N', 4, 6, 6)
const ones = (...shape: number[]) => filled(1, ...shape)
const filled = (value: number, ...shape: number[]) =>
  float32s(shape, Array(shape.reduce((a, b) => a * b, 1)).fill(value))

type Build = (op: Ops, x: Ref) => Ref

/** The node under test between two that stay, so that no name of the graph is in its way. */
function graphOf(build: Build, type: TensorType = x): Graph {
  const isFloat = type.dtype === 'float32'
  return makeGraph({ x: f32(...type.shape!) }, (op, { x }) => {
    const cast = (ref: Ref, to: number) => op.Cast([ref], { to })
    const from = isFloat ? op.Sin([x]) : type.dtype === 'bool' ? op.Greater([x, op.scalar(0)]) : cast(x, 7)
    const made = build(op, from)
    return { y: isFloat ? op.Tanh([made]) : cast(op.Not([op.Not([cast(made, 9)])]), 1) }
  })
}

const constant = (op: Ops, value: Tensor) => op.constant(value, 'c')
const grid = fromNumbers(
  'int64',
  [2, 3, 2],
  [0, 1].flatMap(i => [0, 1, 2].flatMap(j => [i, j])),
)

const nothing: Readonly<Record<string, Build>> = {
  Identity: (op, x) => op.Identity([x]),
  'Cast to its own type': (op, x) => op.Cast([x], { to: 1 }),
  CastLike: (op, x) => op.CastLike([x, op.scalar(1)]),
  'Reshape to the same shape': (op, x) => op.Reshape([x, op.ints([0, 4, -1, 6])]),
  'Flatten of a matrix': (op, x) => op.Sin([op.Flatten([op.Flatten([x])])]),
  'Squeeze of no axes': (op, x) => op.Squeeze([x, op.ints([])]),
  'Unsqueeze of no axes': (op, x) => op.Unsqueeze([x, op.ints([])]),
  'Expand to what it is': (op, x) => op.Expand([x, op.ints([1, 4, 6, 6])]),
  'Tile by 1': (op, x) => op.Tile([x, op.ints([1, 1, 1, 1])]),
  'Slice of everything': (op, x) => op.Slice([x, op.ints([0]), op.ints([6]), op.ints([2])]),
  'Pad of nothing': (op, x) => op.Pad([x, op.ints(Array(8).fill(0))]),
  'Transpose that keeps the order': (op, x) => op.Transpose([x], { perm: [0, 1, 2, 3] }),
  'Concat of one': (op, x) => op.Concat([x], { axis: 1 }),
  'Sum of one': (op, x) => op.Sum([x]),
  'Max of one': (op, x) => op.Max([x]),
  'Split in one': (op, x) => op.Split([x, op.ints([4])], { axis: 1 }),
  Dropout: (op, x) => op.Dropout([x, op.scalar(0.5)]),
  'MaxPool of single elements': (op, x) => op.MaxPool([x], { kernel_shape: [1, 1] }),
  'AveragePool of single elements': (op, x) => op.AveragePool([x], { kernel_shape: [1, 1], strides: [1, 1] }),
  'Resize by 1': (op, x) => op.Resize([x, null, constant(op, ones(4))]),
  'Resize to the same size': (op, x) => op.Resize([x, null, null, op.ints([2, 4, 6, 6])], { mode: 'linear' }),
  'Clip without bounds': (op, x) => op.Clip([x]),
  'LeakyRelu of slope 1': (op, x) => op.LeakyRelu([x], { alpha: 1 }),
  'PRelu of slope 1': (op, x) => op.PRelu([x, constant(op, ones(4, 1, 1))]),
  'Gather of all in order': (op, x) => op.Gather([x, op.ints([0, 1, 2, 3])], { axis: 1 }),
  'Einsum that permutes nothing': (op, x) => op.Einsum([x], { equation: 'nchw -> nchw' }),
  'ReduceMean over axes of size 1': (op, x) =>
    op.Sin([op.ReduceMean([op.ReduceMean([x, op.ints([2])]), op.ints([2])], { keepdims: 1 })]),
  'DepthToSpace by 1': (op, x) => op.DepthToSpace([x], { blocksize: 1 }),
  'BatchNormalization that changes nothing': (op, x) =>
    op.BatchNormalization([x, ...[ones(4), filled(0.5, 4), filled(0.5, 4), ones(4)].map(t => constant(op, t))], {
      epsilon: 0,
    }),
  'Add of 0': (op, x) => op.Add([constant(op, filled(0, 4, 1, 1)), x]),
  'Sub of 0': (op, x) => op.Sub([x, op.scalar(0)]),
  'Mul by 1': (op, x) => op.Mul([constant(op, ones(1, 4, 1, 6)), x]),
  'Div by 1': (op, x) => op.Div([x, constant(op, ones(1))]),
  'Pow of 1': (op, x) => op.Pow([x, op.scalar(1)]),
  'Max with less than all': (op, x) => op.Max([x, op.scalar(Number.NEGATIVE_INFINITY)]),
  'Where that always takes one': (op, x) =>
    op.Where([constant(op, fromNumbers('bool', [1, 1], [0])), constant(op, ones(4, 1, 1)), x]),
  'Where of one': (op, x) => op.Where([op.Greater([op.ReduceMax([x, op.ints([1])]), op.scalar(0)]), x, x]),
  'Relu of what is not negative': (op, x) => op.Relu([op.Sigmoid([x])]),
  'Abs of Abs': (op, x) => op.Abs([op.Abs([x])]),
  'Floor of Round': (op, x) => op.Floor([op.Round([x])]),
  'Neg of Neg': (op, x) => op.Neg([op.Neg([x])]),
  'Max of one twice': (op, x) => op.Max([x, x]),
}

const fixed = new Set(['Resize to the same size'])

describe('does nothing:', () => {
  test.each(Object.entries(nothing))('%s', async (name, build) => {
    const graph = graphOf(build, fixed.has(name) ? f32(2, 4, 6, 6) : x)
    const after = drop(graph)
    expect(after.nodes.length).toBeLessThan(graph.nodes.length)
    await expectSameOutputs(after, graph)
  })

  test('ScatterND of everything gives the updates', async () => {
    const graph = makeGraph({ x: f32(2, 3, 5), y: f32(2, 3, 5) }, (op, { x, y }) => ({
      z: op.Neg([op.ScatterND([x, constant(op, grid), y])]),
    }))
    expect(drop(graph).nodes.map(node => `${node.op}(${node.inputs})`)).toEqual(['Neg(y)'])
  })

  test.each<[string, Build]>([
    ['And with true', (op, x) => op.And([x, constant(op, fromNumbers('bool', [], [1]))])],
    ['Or with false', (op, x) => op.Or([x, constant(op, fromNumbers('bool', [], [0]))])],
    ['Xor with false', (op, x) => op.Xor([x, constant(op, fromNumbers('bool', [], [0]))])],
    ['Not of Not', (op, x) => op.Not([op.Not([x])])],
  ])('%s', async (_, build) => {
    const graph = graphOf(build, { dtype: 'bool', shape: ['N', 3] })
    // The two Nots around it go as well.
    expect(drop(graph).nodes.map(node => node.op)).not.toContain('Not')
    expect(drop(graph).nodes.length).toBeLessThan(graph.nodes.length - 2)
    await expectSameOutputs(drop(graph), graph)
  })
})

const something: Readonly<Record<string, Build>> = {
  'Add of 0 that broadcasts': (op, x) => op.Add([op.ReduceMax([x, op.ints([2])]), constant(op, filled(0, 4, 6, 1))]),
  'Mul by 1 of higher rank': (op, x) => op.Mul([x, constant(op, ones(1, 1, 1, 1, 1))]),
  'Mul by 1 where N may be 1': (op, x) => op.Mul([x, constant(op, ones(2, 1, 1, 1))]),
  'Mul by 0, for infinity': (op, x) => op.Mul([x, op.scalar(0)]),
  'Sub from 0': (op, x) => op.Sub([op.scalar(0), x]),
  'Slice backwards': (op, x) => op.Slice([x, op.ints([-1]), op.ints([-7]), op.ints([3]), op.ints([-1])]),
  'Pad that shifts': (op, x) => op.Pad([x, op.ints([0, 0, 0, 1, 0, 0, 0, -1])]),
  'Transpose of equal sizes': (op, x) => op.Transpose([x], { perm: [0, 1, 3, 2] }),
  'Gather in another order': (op, x) => op.Gather([x, op.ints([1, 0, 2, 3])], { axis: 1 }),
  'Reshape of the same sizes elsewhere': (op, x) => op.Reshape([x, op.ints([-1, 6, 4, 6])]),
  'MaxPool that skips': (op, x) => op.MaxPool([x], { kernel_shape: [1, 1], strides: [2, 2] }),
  'Einsum that takes a diagonal': (op, x) => op.Einsum([x], { equation: 'ncii->nci' }),
  'Reciprocal twice, which rounds': (op, x) => op.Reciprocal([op.Reciprocal([x])]),
  'LpPool of single elements, which is Abs': (op, x) => op.LpPool([x], { kernel_shape: [1, 1] }),
  'ReduceL1 over an axis of size 1, which is Abs': (op, x) =>
    op.ReduceL1([op.ReduceMax([x, op.ints([1])]), op.ints([1])]),
  'Where of a larger condition': (op, x) => {
    const row = op.ReduceMax([x, op.ints([3])])
    return op.Where([op.Greater([x, op.scalar(0)]), row, row])
  },
  'Dropout in training': (op, x) => op.Dropout([x, op.scalar(0), constant(op, fromNumbers('bool', [], [1]))]),
}

describe('does something:', () => {
  test.each(Object.entries(something))('%s', (_, build) => {
    const graph = graphOf(build)
    expect(drop(graph)).toBe(graph)
  })

  test('a mask of Dropout that is read keeps it', () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const [kept, mask] = op.many('Dropout', 2, [x])
      return { y: op.Where([mask!, kept!, op.scalar(0)]) }
    })
    expect(drop(graph)).toBe(graph)
  })
})
