import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import { random } from '../../base/random.ts'
import type { TensorType } from '../../base/shape.ts'
import { float32s } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import type { Rule } from '../../rewrite/rule.ts'
import { defaultSettings } from '../settings.ts'
import { recognize } from './index.ts'

const all = rewrite('recognize', recognize(defaultSettings) as readonly Rule[])
const draw = random(13)
const normal = (...shape: number[]) =>
  float32s(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.normal()),
  )
const operators = (graph: Graph) => graph.nodes.map(node => node.op).join(' ')

type Build = (op: Ops, x: Ref) => Ref
type Case = readonly [TensorType, Build, string]

async function expectCase([type, build, expected]: Case) {
  const graph = makeGraph({ x: type }, (op, { x }) => ({ y: build(op, x) }))
  const after = all(graph)
  expect(operators(after)).toBe(expected)
  await expectSameOutputs(after, graph)
  expect(all(after)).toBe(after)
}

const rows = f32('N', 3, 8)
const image = f32('N', 4, 6, 5)
const series = f32('N', 4, 6)
const n = (op: Ops, value: number) => op.scalar(value)
const c = (op: Ops, ...shape: number[]) => op.constant(normal(...shape), 'c')

describe('activations', () => {
  const root = Math.SQRT2
  const erf = (op: Ops, x: Ref) => op.Erf([op.Div([x, n(op, root)])])
  const plusOne = (op: Ops, x: Ref) => op.Add([n(op, 1), erf(op, x)])
  const k = Math.sqrt(2 / Math.PI)
  const cubed = (op: Ops, x: Ref) => op.Pow([x, n(op, 3)])
  const inner = (op: Ops, x: Ref) => op.Mul([op.Add([x, op.Mul([cubed(op, x), n(op, 0.044715)])]), n(op, k)])
  const clipped = (op: Ops, x: Ref) => op.Clip([op.Add([x, n(op, 3)]), n(op, 0), n(op, 6)])
  const cases: Record<string, Case> = {
    'gelu, halved last': [rows, (op, x) => op.Mul([op.Mul([x, plusOne(op, x)]), n(op, 0.5)]), 'Gelu'],
    'gelu, halved first': [rows, (op, x) => op.Mul([op.Mul([n(op, 0.5), x]), plusOne(op, x)]), 'Gelu'],
    'gelu, the sum halved': [rows, (op, x) => op.Mul([x, op.Mul([n(op, 0.5), plusOne(op, x)])]), 'Gelu'],
    'gelu, divided by two': [rows, (op, x) => op.Div([op.Mul([plusOne(op, x), x]), n(op, 2)]), 'Gelu'],
    'gelu, the argument multiplied': [
      rows,
      (op, x) => op.Mul([op.Mul([x, op.Add([op.Erf([op.Mul([n(op, 0.70710677), x])]), n(op, 1)])]), n(op, 0.5)]),
      'Gelu',
    ],
    'gelu, multiplied out': [
      rows,
      (op, x) => {
        const half = op.Mul([x, n(op, 0.5)])
        return op.Add([half, op.Mul([half, erf(op, x)])])
      },
      'Gelu',
    ],
    'gelu of a sum': [
      rows,
      (op, x) => {
        const sum = op.Add([x, c(op, 8)])
        return op.Mul([op.Mul([sum, plusOne(op, sum)]), n(op, 0.5)])
      },
      'Add Gelu',
    ],
    'something like gelu with another slope': [
      rows,
      (op, x) => op.Mul([op.Mul([x, op.Add([op.Erf([x]), n(op, 1)])]), n(op, 0.5)]),
      'Erf Add Mul Mul',
    ],
    'a product of two values stays': [
      rows,
      (op, x) => op.Mul([op.Mul([op.Abs([x]), plusOne(op, x)]), n(op, 0.5)]),
      'Abs Div Erf Add Mul Mul',
    ],
    'gelu by tanh': [
      rows,
      (op, x) => op.Mul([op.Mul([n(op, 0.5), x]), op.Add([n(op, 1), op.Tanh([inner(op, x)])])]),
      'Gelu',
    ],
    'gelu by tanh, the cube as products': [
      rows,
      (op, x) => {
        const cube = op.Mul([x, op.Mul([x, op.Mul([n(op, 0.044715), x])])])
        const u = op.Mul([n(op, 0.79788458), op.Add([x, cube])])
        return op.Mul([x, op.Mul([n(op, 0.5), op.Add([n(op, 1), op.Tanh([u])])])])
      },
      'Gelu',
    ],
    'gelu by tanh, factored': [
      rows,
      (op, x) => {
        const square = op.Mul([op.Mul([x, n(op, 0.044715)]), x])
        const u = op.Mul([op.Mul([x, n(op, 0.7978845608)]), op.Add([square, n(op, 1)])])
        return op.Mul([op.Mul([x, n(op, 0.5)]), op.Add([op.Tanh([u]), n(op, 1)])])
      },
      'Gelu',
    ],
    'gelu by a sigmoid': [rows, (op, x) => op.Mul([x, op.Sigmoid([op.Mul([inner(op, x), n(op, 2)])])]), 'Gelu'],
    'quick gelu stays': [rows, (op, x) => op.Mul([x, op.Sigmoid([op.Mul([x, n(op, 1.702)])])]), 'Mul Sigmoid Mul'],
    'hard swish': [image, (op, x) => op.Div([op.Mul([x, clipped(op, x)]), n(op, 6)]), 'HardSwish'],
    'hard swish, divided first': [image, (op, x) => op.Mul([op.Div([clipped(op, x), n(op, 6)]), x]), 'HardSwish'],
    'hard swish, times a sixth': [image, (op, x) => op.Mul([op.Mul([x, n(op, 1 / 6)]), clipped(op, x)]), 'HardSwish'],
    'hard swish that is not divided': [image, (op, x) => op.Relu([op.Mul([x, clipped(op, x)])]), 'HardSwish Mul Relu'],
    'hard swish of a shifted value': [
      image,
      (op, x) => {
        const sum = op.Add([x, n(op, 1)])
        return op.Mul([sum, op.Div([clipped(op, sum), n(op, 6)])])
      },
      'Add HardSwish',
    ],
    'hard swish as a product': [
      image,
      (op, x) => op.Mul([x, op.HardSigmoid([x], { alpha: 1 / 6, beta: 0.5 })]),
      'HardSwish',
    ],
    'a steeper gate': [
      image,
      (op, x) => op.Mul([x, op.HardSigmoid([x], { alpha: 0.2, beta: 0.5 })]),
      'HardSigmoid Mul',
    ],
    'a gate of another value': [
      image,
      (op, x) => op.Mul([op.Abs([x]), op.HardSigmoid([x], { alpha: 1 / 6, beta: 0.5 })]),
      'Abs HardSigmoid Mul',
    ],
    'hard sigmoid': [image, (op, x) => op.Div([clipped(op, x), n(op, 6)]), 'HardSigmoid'],
    'hard sigmoid of slope 0.2': [
      image,
      (op, x) => {
        const sum = op.Add([op.Mul([x, n(op, 0.2)]), n(op, 0.5)])
        return op.Relu([op.Mul([op.Clip([sum, n(op, 0), n(op, 1)]), n(op, 1)])])
      },
      'HardSigmoid Relu',
    ],
    'a Clip with another lower bound': [
      image,
      (op, x) => op.Div([op.Clip([op.Add([x, n(op, 3)]), n(op, 1), n(op, 6)]), n(op, 6)]),
      'Add Clip Div',
    ],
    mish: [rows, (op, x) => op.Mul([op.Tanh([op.Softplus([x])]), x]), 'Mish'],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))

  test('a part that something else reads, or the graph puts out, stays', () => {
    for (const also of [(op: Ops, part: Ref) => op.Relu([part]), (_: Ops, part: Ref) => part]) {
      const graph = makeGraph({ x: rows }, (op, { x }) => {
        const part = plusOne(op, x)
        return { y: op.Mul([op.Mul([x, part]), n(op, 0.5)]), z: also(op, part) }
      })
      expect(all(graph)).toBe(graph)
    }
  })

  test('operators that an opset lacks are not made', () => {
    const older = rewrite('older', recognize({ ...defaultSettings, opset: 17 }) as readonly Rule[])
    const graph = makeGraph({ x: rows }, (op, { x }) => ({
      y: op.Mul([op.Mul([x, plusOne(op, x)]), n(op, 0.5)]),
      z: op.Mul([x, op.Tanh([op.Softplus([x])])]),
    }))
    expect(older(graph)).toBe(graph)
    const swish = makeGraph({ x: rows }, (op, { x }) => ({ y: op.Div([op.Mul([x, clipped(op, x)]), n(op, 6)]) }))
    expect(operators(older(swish))).toBe('HardSwish')
  })
})

interface NormOptions {
  readonly square?: 'Pow' | 'Mul'
  readonly divide?: 'Div' | 'Reciprocal' | 'Pow'
  readonly pool?: boolean
}

function norm(
  op: Ops,
  x: Ref,
  axes: readonly number[],
  { square = 'Pow', divide = 'Div', pool }: NormOptions = {},
): Ref {
  const mean = (of: Ref) => (pool ? op.GlobalAveragePool([of]) : op.ReduceMean([of, op.ints(axes)]))
  const centered = op.Sub([x, mean(x)])
  const squares = square === 'Pow' ? op.Pow([centered, n(op, 2)]) : op.Mul([centered, centered])
  const variance = op.Add([mean(squares), n(op, 1e-3)])
  if (divide === 'Pow') return op.Mul([centered, op.Pow([variance, n(op, -0.5)])])
  const deviation = op.Sqrt([variance])
  return divide === 'Div' ? op.Div([centered, deviation]) : op.Mul([op.Reciprocal([deviation]), centered])
}

describe('normalizations', () => {
  const affine = (op: Ops, x: Ref, ...shape: number[]) => op.Add([op.Mul([x, c(op, ...shape)]), c(op, ...shape)])
  const cases: Record<string, Case> = {
    'along the last axis': [rows, (op, x) => affine(op, norm(op, x, [-1]), 8), 'LayerNormalization'],
    'with the square as a product': [
      rows,
      (op, x) => affine(op, norm(op, x, [2], { square: 'Mul' }), 1, 1, 8),
      'LayerNormalization',
    ],
    'by a reciprocal': [
      rows,
      (op, x) => op.Mul([norm(op, x, [-1], { divide: 'Reciprocal' }), c(op, 8)]),
      'LayerNormalization',
    ],
    'by the power minus a half': [rows, (op, x) => norm(op, x, [-1], { divide: 'Pow' }), 'LayerNormalization'],
    'along the last two axes': [rows, (op, x) => affine(op, norm(op, x, [-2, -1]), 3, 8), 'LayerNormalization'],
    'along the last two axes, scaled along one': [
      rows,
      (op, x) => op.Mul([norm(op, x, [1, 2]), c(op, 3, 1)]),
      'LayerNormalization Mul',
    ],
    'scaled and shifted more than once': [
      rows,
      (op, x) => op.Sub([op.Div([affine(op, norm(op, x, [-1]), 8), n(op, 2)]), c(op, 8)]),
      'LayerNormalization',
    ],
    'along the channels of an image': [
      image,
      (op, x) => affine(op, norm(op, x, [1]), 4, 1, 1),
      'Transpose LayerNormalization Transpose',
    ],
    'along the space of an image': [
      image,
      (op, x) => affine(op, norm(op, x, [2, 3]), 1, 4, 1, 1),
      'InstanceNormalization',
    ],
    'by pooling': [
      image,
      (op, x) => affine(op, norm(op, x, [], { pool: true, square: 'Mul' }), 4, 1, 1),
      'InstanceNormalization',
    ],
    'a scale along the rows stays outside': [
      image,
      (op, x) => op.Mul([norm(op, x, [2, 3]), c(op, 5)]),
      'InstanceNormalization Mul',
    ],
    'along the middle axis': [series, (op, x) => norm(op, x, [1]), 'Transpose LayerNormalization Transpose'],
    'as TensorFlow computes it': [
      rows,
      (op, x) => {
        const mean = op.ReduceMean([x, op.ints([-1])])
        const centered = op.Sub([x, mean])
        const variance = op.ReduceMean([op.Mul([centered, centered]), op.ints([-1])])
        const inverse = op.Mul([op.Reciprocal([op.Sqrt([op.Add([variance, n(op, 1e-3)])])]), c(op, 8)])
        return op.Add([op.Mul([x, inverse]), op.Sub([c(op, 8), op.Mul([mean, inverse])])])
      },
      'LayerNormalization',
    ],
    'as JAX computes it, by the mean of squares and along a middle axis': [
      series,
      (op, x) => {
        const mean = op.ReduceMean([x, op.ints([1])], { keepdims: 0 })
        const squares = op.ReduceMean([op.Mul([x, x]), op.ints([1])], { keepdims: 0 })
        const variance = op.Relu([op.Sub([squares, op.Mul([mean, mean])])])
        const back = (value: Ref) => op.Unsqueeze([value, op.ints([1])])
        const inverse = op.Div([c(op, 1, 4, 1), op.Sqrt([op.Add([back(variance), n(op, 1e-3)])])])
        return op.Add([op.Mul([op.Sub([x, back(mean)]), inverse]), c(op, 1, 4, 1)])
      },
      'Transpose LayerNormalization Transpose',
    ],
    'by the mean of squares of another value stays': [
      rows,
      (op, x) => {
        const mean = op.ReduceMean([x, op.ints([2])])
        const other = op.Abs([op.Add([x, n(op, 1)])])
        const variance = op.Sub([op.ReduceMean([op.Mul([other, other]), op.ints([2])]), op.Mul([mean, mean])])
        return op.Div([op.Sub([x, mean]), op.Sqrt([op.Add([op.Abs([variance]), n(op, 1e-3)])])])
      },
      'ReduceMean Add Abs Mul ReduceMean Mul Sub Sub Abs Add Sqrt Div',
    ],
    'along the batch stays': [f32(3, 4), (op, x) => norm(op, x, [0]), 'ReduceMean Sub Pow ReduceMean Add Sqrt Div'],
    'along an axis of unknown size stays': [
      f32('N', 'L'),
      (op, x) => norm(op, x, [1]),
      'ReduceMean Sub Pow ReduceMean Add Sqrt Div',
    ],
    'deviations from one mean by another stay': [
      rows,
      (op, x) => {
        const centered = op.Sub([x, op.ReduceMean([x, op.ints([1])])])
        const variance = op.ReduceMean([op.Mul([centered, centered]), op.ints([2])])
        return op.Div([centered, op.Sqrt([op.Add([variance, n(op, 1e-3)])])])
      },
      'ReduceMean Sub Mul ReduceMean Add Sqrt Div',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))

  test('a mean that something else reads stays', () => {
    const graph = makeGraph({ x: rows }, (op, { x }) => {
      const mean = op.ReduceMean([x, op.ints([-1])])
      const centered = op.Sub([x, mean])
      const variance = op.ReduceMean([op.Mul([centered, centered]), op.ints([-1])])
      return { y: op.Div([centered, op.Sqrt([op.Add([variance, n(op, 1e-3)])])]), z: op.Relu([mean]) }
    })
    expect(all(graph)).toBe(graph)
  })
})

describe('softmax', () => {
  const maximum = (op: Ops, x: Ref, axis: number) => op.ReduceMax([x, op.ints([axis])])
  const sum = (op: Ops, x: Ref, axis: number) => op.ReduceSum([x, op.ints([axis])])
  const over = (op: Ops, powers: Ref, axis: number) => op.Div([powers, sum(op, powers, axis)])
  const cases: Record<string, Case> = {
    'without the maximum': [rows, (op, x) => over(op, op.Exp([x]), -1), 'Softmax'],
    'with the maximum': [rows, (op, x) => over(op, op.Exp([op.Sub([x, maximum(op, x, 2)])]), 2), 'Softmax'],
    'along another axis it stays': [rows, (op, x) => over(op, op.Exp([x]), 1), 'Exp ReduceSum Div'],
    'the logarithm of one': [rows, (op, x) => op.Log([op.Softmax([x], { axis: 1 })]), 'LogSoftmax'],
    'less the logarithm of the sum': [rows, (op, x) => op.Sub([x, op.Log([sum(op, op.Exp([x]), -1)])]), 'LogSoftmax'],
    'less the logarithm of the sum and the maximum': [
      rows,
      (op, x) => {
        const less = op.Sub([x, maximum(op, x, -1)])
        return op.Sub([less, op.Log([sum(op, op.Exp([less]), -1)])])
      },
      'LogSoftmax',
    ],
    'less ReduceLogSumExp': [rows, (op, x) => op.Sub([x, op.ReduceLogSumExp([x, op.ints([-1])])]), 'LogSoftmax'],
    'the powers of another value stay': [
      rows,
      (op, x) => op.Sub([op.Abs([x]), op.Log([sum(op, op.Exp([x]), -1)])]),
      'Abs Exp ReduceSum Log Sub',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))

  test('powers that something else reads stay', () => {
    const graph = makeGraph({ x: rows }, (op, { x }) => {
      const powers = op.Exp([x])
      return { y: over(op, powers, -1), z: op.Relu([powers]) }
    })
    expect(all(graph)).toBe(graph)
  })
})

describe('moves between channels and space', () => {
  const moved = (op: Ops, x: Ref, middle: readonly number[], perm: readonly number[], last: readonly number[]) =>
    op.Reshape([op.Transpose([op.Reshape([x, op.ints(middle)])], { perm: [...perm] }), op.ints(last)])
  const deep = f32(2, 8, 3, 5)
  const wide = f32(2, 3, 4, 6)
  const slices = (op: Ops, x: Ref, order: readonly (readonly [number, number])[], both = false) =>
    op.Concat(
      order.map(([row, column]) => {
        const end = 2 ** 62
        if (both) return op.Slice([x, op.ints([row, column]), op.ints([end, end]), op.ints([2, 3]), op.ints([2, 2])])
        const rowsOf = op.Slice([x, op.ints([row]), op.ints([end]), op.ints([2]), op.ints([2])])
        return op.Slice([rowsOf, op.ints([column]), op.ints([end]), op.ints([3]), op.ints([2])])
      }),
      { axis: 1 },
    )
  const grid = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const
  const yolo = [grid[0], grid[2], grid[1], grid[3]] as const
  const cases: Record<string, Case> = {
    'depth to space': [
      deep,
      (op, x) => moved(op, x, [2, 2, 2, 2, 3, 5], [0, 3, 4, 1, 5, 2], [2, 2, 6, 10]),
      'DepthToSpace',
    ],
    'depth to space, channels first': [
      deep,
      (op, x) => moved(op, x, [2, 2, 2, 2, 3, 5], [0, 1, 4, 2, 5, 3], [2, 2, 6, 10]),
      'DepthToSpace',
    ],
    'space to depth': [
      wide,
      (op, x) => moved(op, x, [2, 3, 2, 2, 3, 2], [0, 3, 5, 1, 2, 4], [2, 12, 2, 3]),
      'SpaceToDepth',
    ],
    'another order stays': [
      wide,
      (op, x) => moved(op, x, [2, 3, 2, 2, 3, 2], [0, 1, 3, 5, 2, 4], [2, 12, 2, 3]),
      'Reshape Transpose Reshape',
    ],
    'another shape in the end stays': [
      deep,
      (op, x) => moved(op, x, [2, 2, 2, 2, 3, 5], [0, 3, 4, 1, 5, 2], [2, 2, 10, 6]),
      'Reshape Transpose Reshape',
    ],
    'channels shuffled': [deep, (op, x) => moved(op, x, [2, 2, 4, 3, 5], [0, 2, 1, 3, 4], [2, 8, 3, 5]), 'Gather'],
    'channels shuffled, space in one': [
      deep,
      (op, x) => moved(op, x, [2, 4, 2, 15], [0, 2, 1, 3], [2, 8, 3, 5]),
      'Gather',
    ],
    'channels not shuffled back': [
      deep,
      (op, x) => moved(op, x, [2, 2, 4, 3, 5], [0, 2, 1, 3, 4], [2, 4, 6, 5]),
      'Reshape Transpose Reshape',
    ],
    focus: [wide, (op, x) => slices(op, x, grid), 'SpaceToDepth'],
    'focus with both axes in one slice': [wide, (op, x) => slices(op, x, grid, true), 'SpaceToDepth'],
    'focus in another order': [wide, (op, x) => slices(op, x, yolo), 'SpaceToDepth Gather'],
    'focus in another order before a convolution': [
      wide,
      (op, x) => op.Conv([slices(op, x, yolo), c(op, 5, 12, 3, 3), c(op, 5)], { pads: [1, 1, 1, 1] }),
      'SpaceToDepth Conv',
    ],
    'one slice taken twice stays': [
      wide,
      (op, x) => slices(op, x, [grid[0], grid[1], grid[1], grid[3]], true),
      'Slice Slice Slice Slice Concat',
    ],
    'a shuffle before a grouped convolution stays': [
      deep,
      (op, x) =>
        op.Conv([moved(op, x, [2, 2, 4, 3, 5], [0, 2, 1, 3, 4], [2, 8, 3, 5]), c(op, 4, 4, 1, 1)], { group: 2 }),
      'Gather Conv',
    ],
    'a shuffle before a convolution': [
      deep,
      (op, x) => op.Conv([moved(op, x, [2, 2, 4, 3, 5], [0, 2, 1, 3, 4], [2, 8, 3, 5]), c(op, 4, 8, 3, 1)]),
      'Conv',
    ],
    'some channels before a convolution stay': [
      deep,
      (op, x) => op.Conv([op.Gather([x, op.ints([1, 2])], { axis: 1 }), c(op, 4, 2, 1, 1)]),
      'Gather Conv',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})

describe('constants that are one number for several places', () => {
  const cases: Record<string, Case> = {
    'a shift of one number': [
      f32(2, 3),
      (op, x) => op.Mul([op.LayerNormalization([x, c(op, 3), c(op, 1)], { axis: -1 }), c(op, 3)]),
      'LayerNormalization',
    ],
    'a shift for the last axis of two': [
      f32('N', 2, 3),
      (op, x) => op.Add([op.LayerNormalization([x, c(op, 2, 3), c(op, 3)], { axis: 1 }), c(op, 2, 3)]),
      'LayerNormalization',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})

describe('operators that the engine has no kernels for', () => {
  const d = 'float64'
  const f64 = (...shape: number[]): TensorType => ({ dtype: d, shape })
  const k = (op: Ops, value: number) => op.scalar(value, d)
  const clipped = (op: Ops, x: Ref) => op.Clip([op.Add([x, k(op, 3)]), k(op, 0), k(op, 6)])
  const mean = (op: Ops, x: Ref) => op.ReduceMean([x, op.ints([2, 3])], { keepdims: 1 })
  const cases: Record<string, Case> = {
    'hard swish': [f64(2, 3), (op, x) => op.Div([op.Mul([x, clipped(op, x)]), k(op, 6)]), 'Add Clip Mul Div'],
    'hard sigmoid': [f64(2, 3), (op, x) => op.Div([clipped(op, x), k(op, 6)]), 'Add Clip Div'],
    'instance normalization': [
      f64(2, 3, 4, 4),
      (op, x) => {
        const centered = op.Sub([x, mean(op, x)])
        return op.Div([centered, op.Sqrt([op.Add([mean(op, op.Mul([centered, centered])), k(op, 1e-5)])])])
      },
      'ReduceMean Sub Mul ReduceMean Add Sqrt Div',
    ],
    'space to depth': [
      { dtype: 'int32', shape: [1, 2, 4, 4] },
      (op, x) => {
        const parted = op.Transpose([op.Reshape([x, op.ints([1, 2, 2, 2, 2, 2])])], { perm: [0, 3, 5, 1, 2, 4] })
        return op.Reshape([parted, op.ints([1, 8, 2, 2])])
      },
      'Reshape Transpose Reshape',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})
