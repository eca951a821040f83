import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import { random } from '../../base/random.ts'
import type { TensorType } from '../../base/shape.ts'
import { float32s, fromNumbers } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import { fixedPoint, type Pass } from '../../rewrite/pass.ts'
import { recorder } from '../../rewrite/trace.ts'
import { defaultSettings } from '../settings.ts'
import type { Step } from '../step.ts'
import { linear } from './index.ts'

const draw = random(11)
const normal = (...shape: number[]) =>
  float32s(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.normal()),
  )
const positive = (...shape: number[]) => {
  const { data } = normal(...shape)
  return float32s(
    shape,
    data.map(value => 0.5 + Math.abs(value)),
  )
}

const isRule = (step: Step) => typeof step !== 'function'
const steps = linear(defaultSettings)
const all: Pass = fixedPoint([
  rewrite('rules', steps.filter(isRule) as never),
  ...(steps.filter(step => !isRule(step)) as readonly Pass[]),
])

const operators = (graph: Graph) => graph.nodes.map(node => node.op).join(' ')

/** A case: input type, what to build, and the operators that are to be left. */
type Case = readonly [TensorType, (op: Ops, x: Ref) => Ref, string]

async function expectCase([type, build, expected]: Case) {
  const graph = makeGraph({ x: type }, (op, { x }) => ({ y: build(op, x) }))
  const after = all(graph)
  expect(operators(after)).toBe(expected)
  await expectSameOutputs(after, graph, 2e-5)
  expect(all(after)).toBe(after)
}

const image = f32('N', 4, 6, 5)
const rows = f32(3, 4)
const series = f32('N', 7, 4)
const c = (op: Ops, ...shape: number[]) => op.constant(normal(...shape), 'c')
const p = (op: Ops, ...shape: number[]) => op.constant(positive(...shape), 'p')
const conv = (op: Ops, x: Ref, attributes = {}) => op.Conv([x, c(op, 6, 4, 3, 3), c(op, 6)], attributes)
const product = (op: Ops, x: Ref) => op.MatMul([x, c(op, 4, 5)])

describe('scales and shifts after a linear node', () => {
  const cases: Record<string, Case> = {
    'Mul and Add of each channel after Conv': [
      image,
      (op, x) => op.Add([op.Mul([conv(op, x), c(op, 6, 1, 1)]), c(op, 1, 6, 1, 1)]),
      'Conv',
    ],
    'Add makes a bias where there is none': [
      image,
      (op, x) => op.Add([op.Conv([x, c(op, 6, 4, 1, 1)]), c(op, 1, 6, 1, 1)]),
      'Conv',
    ],
    'Div, Sub and Neg after a padded Conv': [
      image,
      (op, x) => op.Neg([op.Sub([op.Div([conv(op, x, { pads: [1, 1, 1, 1] }), p(op, 6, 1, 1)]), c(op, 1)])]),
      'Conv',
    ],
    'a constant less what Conv makes': [image, (op, x) => op.Sub([op.scalar(2), conv(op, x)]), 'Conv'],
    'after a grouped Conv': [
      image,
      (op, x) => op.Mul([op.Conv([x, c(op, 6, 2, 3, 3)], { group: 2 }), c(op, 6, 1, 1)]),
      'Conv',
    ],
    'after a grouped ConvTranspose': [
      image,
      (op, x) => op.Mul([op.ConvTranspose([x, c(op, 4, 3, 2, 2)], { group: 2 }), c(op, 6, 1, 1)]),
      'ConvTranspose',
    ],
    'after Gemm of transposed weights with beta': [
      rows,
      (op, x) => op.Mul([op.Gemm([x, c(op, 5, 4), c(op, 5)], { transB: 1, alpha: 2, beta: 3 }), c(op, 1, 5)]),
      'Gemm',
    ],
    'Mul of each column after MatMul': [series, (op, x) => op.Mul([product(op, x), c(op, 5)]), 'MatMul'],
    'Mul after MatMul and its Add': [
      series,
      (op, x) => op.Mul([op.Add([product(op, x), c(op, 5)]), op.scalar(0.25)]),
      'MatMul Add',
    ],
    'Add of one number after MatMul and its Add': [
      series,
      (op, x) => op.Add([op.Add([product(op, x), c(op, 1, 1, 5)]), op.scalar(1)]),
      'MatMul Add',
    ],
    'a scale that differs from place to place stays': [
      image,
      (op, x) => op.Mul([conv(op, x), c(op, 4, 1)]),
      'Conv Mul',
    ],
    'a constant that adds a dimension stays': [
      image,
      (op, x) => op.Mul([conv(op, x), c(op, 1, 1, 6, 1, 1)]),
      'Conv Mul',
    ],
    'the batch is no channel': [f32(6, 4, 6, 5), (op, x) => op.Mul([conv(op, x), c(op, 6, 1, 1, 1)]), 'Conv Mul'],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))

  test('a result that is not finite, and weights that serve two nodes, stay as they are', () => {
    const zero = makeGraph({ x: image }, (op, { x }) => ({ y: op.Div([conv(op, x), op.scalar(0)]) }))
    expect(all(zero)).toBe(zero)
    const twice = makeGraph({ x: image, z: image }, (op, { x, z }) => {
      const w = c(op, 6, 4, 3, 3)
      return { a: op.Mul([op.Conv([x, w]), op.scalar(2)]), b: op.Conv([z, w], { pads: [1, 1, 1, 1] }) }
    })
    expect(all(twice)).toBe(twice)
  })

  test('weights that serve two nodes still take a bias', async () => {
    const graph = makeGraph({ x: image, z: image }, (op, { x, z }) => {
      const w = c(op, 6, 4, 3, 3)
      return { a: op.Add([op.Conv([x, w]), op.scalar(2)]), b: op.Conv([z, w], { pads: [1, 1, 1, 1] }) }
    })
    const after = all(graph)
    expect(operators(after)).toBe('Conv Conv')
    await expectSameOutputs(after, graph)
  })

  test('16-bit weights keep their type', () => {
    const half = (...shape: number[]) => fromNumbers('float16', shape, normal(...shape).data)
    const graph = makeGraph({ x: { dtype: 'float16', shape: ['N', 4, 6, 5] } }, (op, { x }) => ({
      y: op.Mul([op.Conv([x, op.constant(half(6, 4, 3, 3))]), op.constant(half(6, 1, 1))]),
    }))
    const after = all(graph)
    expect(operators(after)).toBe('Conv')
    expect([...after.initializers.values()].map(({ dtype }) => dtype)).toEqual(['float16'])
  })

  test('whole numbers are left to others', () => {
    const graph = makeGraph({ x: { dtype: 'int32', shape: [2, 2] } }, (op, { x }) => {
      const two = op.constant(fromNumbers('int32', [], [2]))
      return { y: op.Mul([op.Mul([x, two]), two]) }
    })
    expect(all(graph)).toBe(graph)
  })
})

describe('scales and shifts before a linear node', () => {
  const cases: Record<string, Case> = {
    'Mul and Add of each channel before an unpadded Conv': [
      image,
      (op, x) => conv(op, op.Add([op.Mul([x, c(op, 4, 1, 1)]), c(op, 4, 1, 1)])),
      'Conv',
    ],
    'normalization of the input before a strided Conv without bias': [
      image,
      (op, x) =>
        op.Conv([op.Div([op.Sub([x, c(op, 1, 4, 1, 1)]), p(op, 1, 4, 1, 1)]), c(op, 6, 4, 2, 2)], { strides: [2, 2] }),
      'Conv',
    ],
    'only the scale before a padded Conv': [
      image,
      (op, x) => conv(op, op.Mul([x, c(op, 4, 1, 1)]), { pads: [1, 1, 1, 1] }),
      'Conv',
    ],
    'a shift before a padded Conv stays': [
      image,
      (op, x) => conv(op, op.Add([x, c(op, 4, 1, 1)]), { pads: [1, 1, 1, 1] }),
      'Add Conv',
    ],
    'before a padded Conv the scale moves past the shift': [
      image,
      (op, x) => conv(op, op.Add([op.Mul([x, p(op, 4, 1, 1)]), c(op, 4, 1, 1)]), { pads: [1, 1, 1, 1] }),
      'Add Conv',
    ],
    'before a grouped Conv': [
      image,
      (op, x) => op.Conv([op.Add([op.Mul([x, c(op, 4, 1, 1)]), c(op, 4, 1, 1)]), c(op, 6, 2, 3, 3)], { group: 2 }),
      'Conv',
    ],
    'before a depthwise Conv': [
      image,
      (op, x) => op.Conv([op.Sub([op.scalar(1), op.Mul([x, c(op, 4, 1, 1)])]), c(op, 8, 1, 3, 3)], { group: 4 }),
      'Conv',
    ],
    'the scale before a ConvTranspose': [
      image,
      (op, x) => op.ConvTranspose([op.Mul([x, c(op, 4, 1, 1)]), c(op, 4, 3, 2, 2)], { group: 2, strides: [2, 2] }),
      'ConvTranspose',
    ],
    'a shift before a ConvTranspose stays': [
      image,
      (op, x) => op.ConvTranspose([op.Add([x, c(op, 4, 1, 1)]), c(op, 4, 3, 2, 2)], { strides: [2, 2] }),
      'Add ConvTranspose',
    ],
    'before Gemm with alpha and beta': [
      rows,
      (op, x) =>
        op.Gemm([op.Add([op.Mul([x, c(op, 4)]), c(op, 1, 4)]), c(op, 5, 4), c(op, 5)], {
          transB: 1,
          alpha: 0.5,
          beta: 2,
        }),
      'Gemm',
    ],
    'before MatMul and its Add': [
      series,
      (op, x) => op.Add([product(op, op.Add([op.Mul([x, c(op, 4)]), c(op, 4)])), c(op, 5)]),
      'MatMul Add',
    ],
    'the scale before a MatMul': [series, (op, x) => product(op, op.Div([x, p(op, 1, 4)])), 'MatMul'],
    'a batch normalization before a Conv': [
      image,
      (op, x) => conv(op, op.BatchNormalization([x, c(op, 4), c(op, 4), c(op, 4), p(op, 4)])),
      'Conv',
    ],
    'the scale that ends a root mean square normalization stays, which engines know as a whole': [
      series,
      (op, x) => {
        const mean = op.ReduceMean([op.Pow([x, op.scalar(2)]), op.ints([-1])])
        return product(op, op.Mul([op.Div([x, op.Sqrt([op.Add([mean, op.scalar(1e-5)])])]), c(op, 4)]))
      },
      'Pow ReduceMean Add Sqrt Div Mul MatMul',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})

describe('a number that scales what weights made', () => {
  const heads = (op: Ops, x: Ref, perm: readonly number[] = [0, 2, 1, 3]) =>
    op.Transpose([op.Reshape([x, op.ints([0, 7, 2, 3])])], { perm })
  const query = (op: Ops, x: Ref) => op.Add([op.MatMul([x, c(op, 4, 6)]), c(op, 6)])
  const cases: Record<string, Case> = {
    'past heads into the weights and the bias of the queries': [
      series,
      (op, x) => op.Mul([heads(op, query(op, x)), op.scalar(0.25)]),
      'MatMul Add Reshape Transpose',
    ],
    'past a product of queries and keys': [
      series,
      (op, x) => {
        const keys = heads(op, op.Add([op.MatMul([op.Abs([x]), c(op, 4, 6)]), c(op, 6)]), [0, 2, 3, 1])
        return op.Div([op.MatMul([heads(op, query(op, x)), keys]), op.scalar(2)])
      },
      'MatMul Add Reshape Transpose Abs MatMul Add Reshape Transpose MatMul',
    ],
    'nothing above has weights': [
      f32('N', 7, 6),
      (op, x) => op.Mul([heads(op, x), op.scalar(0.25)]),
      'Reshape Transpose Mul',
    ],
    'not past a function': [
      series,
      (op, x) => op.Mul([heads(op, op.Tanh([query(op, x)])), op.scalar(0.25)]),
      'MatMul Add Tanh Reshape Transpose Mul',
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [type, build, expected]) => {
    const graph = makeGraph({ x: type }, (op, { x }) => ({ y: build(op, x) }))
    const after = all(graph)
    expect(operators(after).split(' ').sort()).toEqual(expected.split(' ').sort())
    await expectSameOutputs(after, graph)
    expect(all(after)).toBe(after)
  })
})

describe('rows of scales and shifts', () => {
  const cases: Record<string, Case> = {
    'Mul and Div': [image, (op, x) => op.Div([op.Mul([x, c(op, 4, 1, 1)]), op.scalar(3)]), 'Mul'],
    'Add, Sub and Add': [image, (op, x) => op.Add([op.Sub([op.Add([x, c(op, 5)]), c(op, 1)]), op.scalar(1)]), 'Add'],
    'scale, shift, scale': [
      image,
      (op, x) => op.Mul([op.Add([op.Mul([x, c(op, 4, 1, 1)]), c(op, 1)]), c(op, 1)]),
      'Mul Add',
    ],
    'shift, scale, shift': [
      image,
      (op, x) => op.Add([op.Mul([op.Sub([x, c(op, 1)]), op.scalar(2)]), c(op, 1)]),
      'Mul Add',
    ],
    'shift and scale are as short as can be': [image, (op, x) => op.Mul([op.Add([x, c(op, 1)]), c(op, 1)]), 'Add Mul'],
    'what cancels goes': [image, (op, x) => op.Relu([op.Mul([op.Div([x, op.scalar(4)]), op.scalar(4)])]), 'Relu'],
    'two negations': [image, (op, x) => op.Relu([op.Neg([op.Neg([x])])]), 'Relu'],
    'a negation and a shift': [image, (op, x) => op.Add([op.Neg([x]), c(op, 1)]), 'Sub'],
    'a difference from a difference': [image, (op, x) => op.Sub([op.scalar(1), op.Sub([op.scalar(3), x])]), 'Add'],
    'constants that broadcast the value stay': [
      f32(3, 1),
      (op, x) => op.Add([op.Add([x, op.constant(float32s([2], [1, 2]))]), op.constant(float32s([2], [-1, -2]))]),
      'Add Add',
    ],
    'constants whose product would be large stay': [
      f32(1, 1),
      (op, x) => op.Mul([op.Mul([x, c(op, 300, 1)]), c(op, 300)]),
      'Mul Mul',
    ],
    'two batch normalizations': [
      image,
      (op, x) => {
        const norm = (from: Ref) => op.BatchNormalization([from, c(op, 4), c(op, 4), c(op, 4), p(op, 4)])
        return norm(op.Mul([norm(x), c(op, 4, 1, 1)]))
      },
      'BatchNormalization',
    ],
    'a batch normalization and a shift along the rows stay': [
      image,
      (op, x) => op.Add([op.BatchNormalization([x, c(op, 4), c(op, 4), c(op, 4), p(op, 4)]), c(op, 5)]),
      'BatchNormalization Add',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))

  test('a value between that something else reads stays', () => {
    const graph = makeGraph({ x: image }, (op, { x }) => {
      const scaled = op.Mul([x, op.scalar(2)])
      return { y: op.Mul([scaled, op.scalar(3)]), z: op.Relu([scaled]) }
    })
    expect(all(graph)).toBe(graph)
  })
})

describe('bounds', () => {
  const clip = (op: Ops, x: Ref, low?: number, high?: number) =>
    op.Clip([x, low === undefined ? null : op.scalar(low), high === undefined ? null : op.scalar(high)])
  const cases: Record<string, Case> = {
    'Relu twice': [rows, (op, x) => op.Relu([op.Relu([x])]), 'Relu'],
    'Relu and Clip': [rows, (op, x) => clip(op, op.Relu([x]), -1, 0.5), 'Clip'],
    'Clip and Relu': [rows, (op, x) => op.Relu([clip(op, x, -1, 0.5)]), 'Clip'],
    'a Clip below the bounds of the next': [rows, (op, x) => clip(op, clip(op, x, -1, -0.5), 0.25, 0.75), 'Clip'],
    'Max and Min': [rows, (op, x) => op.Min([op.Max([x, op.scalar(0)]), op.scalar(0.5)]), 'Clip'],
    'the constant in front': [rows, (op, x) => op.Max([op.scalar(0), op.Min([op.scalar(0.5), x])]), 'Clip'],
    'a lower bound of zero alone': [rows, (op, x) => clip(op, x, 0), 'Relu'],
    'Max with zero': [rows, (op, x) => op.Max([x, op.scalar(0)]), 'Relu'],
    'no bounds at all': [
      rows,
      (op, x) => op.Abs([clip(op, clip(op, x, Number.NEGATIVE_INFINITY), undefined, Number.POSITIVE_INFINITY)]),
      'Abs',
    ],
    'Max with a constant that adds a dimension': [
      rows,
      (op, x) => op.Max([x, op.constant(float32s([1, 1, 1], [0]))]),
      'Max',
    ],
    'Max with two numbers': [rows, (op, x) => op.Max([x, c(op, 4)]), 'Max'],
    'three in a row': [rows, (op, x) => clip(op, op.Relu([clip(op, x, -1, 3)]), 0.1, 0.6), 'Clip'],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})

describe('plain algebra', () => {
  const squared = (op: Ops, x: Ref) => op.Mul([x, x])
  const cases: Record<string, Case> = {
    'adding a negative': [rows, (op, x) => op.Add([op.Relu([x]), op.Neg([op.Abs([x])])]), 'Relu Abs Sub'],
    'adding to a negative': [rows, (op, x) => op.Add([op.Neg([op.Abs([x])]), op.Relu([x])]), 'Abs Relu Sub'],
    'subtracting a negative': [rows, (op, x) => op.Sub([op.Relu([x]), op.Neg([op.Abs([x])])]), 'Relu Abs Add'],
    'the negative of a difference': [rows, (op, x) => op.Neg([op.Sub([op.Relu([x]), op.Abs([x])])]), 'Relu Abs Sub'],
    'times a reciprocal': [rows, (op, x) => op.Mul([op.Reciprocal([op.Exp([x])]), x]), 'Exp Div'],
    'over a reciprocal': [rows, (op, x) => op.Div([x, op.Reciprocal([op.Exp([x])])]), 'Exp Mul'],
    'one divided by a value': [rows, (op, x) => op.Mul([x, op.Div([op.scalar(1), op.Exp([x])])]), 'Exp Div'],
    'the power one half': [rows, (op, x) => op.Pow([op.Exp([x]), op.scalar(0.5)]), 'Exp Sqrt'],
    'the power one half of a variance': [
      rows,
      (op, x) => op.Pow([op.Add([op.ReduceMean([squared(op, x), op.ints([1])]), op.scalar(1e-5)]), op.scalar(0.5)]),
      'Mul ReduceMean Add Sqrt',
    ],
    'the power minus one': [rows, (op, x) => op.Pow([op.Exp([x]), op.scalar(-1)]), 'Exp Reciprocal'],
    'the power one': [rows, (op, x) => op.Exp([op.Pow([x, op.scalar(1)])]), 'Exp'],
    'squares stay': [rows, (op, x) => op.Pow([x, op.scalar(2)]), 'Pow'],
    'a sum over the number of its terms': [
      rows,
      (op, x) => op.Div([op.ReduceSum([squared(op, x), op.ints([1])]), op.scalar(4)]),
      'Mul ReduceMean',
    ],
    'a sum times one over the number of its terms': [
      rows,
      (op, x) => op.Mul([op.ReduceSum([x, op.ints([0, -1])], { keepdims: 0 }), op.scalar(1 / 12)]),
      'ReduceMean',
    ],
    'a mean times the number of its terms': [rows, (op, x) => op.Mul([op.ReduceMean([x]), op.scalar(12)]), 'ReduceSum'],
    'a sum over another number': [
      rows,
      (op, x) => op.Div([op.ReduceSum([x, op.ints([1])]), op.scalar(5)]),
      'ReduceSum Div',
    ],
    'a sum of unknown length': [
      f32(3, 'N'),
      (op, x) => op.Div([op.ReduceSum([x, op.ints([1])]), op.scalar(2)]),
      'ReduceSum Div',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})

describe('products of matrices', () => {
  const cases: Record<string, Case> = {
    'MatMul and Add': [rows, (op, x) => op.Add([product(op, x), c(op, 5)]), 'Gemm'],
    'MatMul and Add of a row': [rows, (op, x) => op.Add([c(op, 1, 5), product(op, x)]), 'Gemm'],
    'MatMul and Add of a matrix': [
      rows,
      (op, x) => op.Add([product(op, x), op.MatMul([x, c(op, 4, 5)])]),
      'MatMul Gemm',
    ],
    'MatMul and Add of more rows than it has': [
      f32(1, 4),
      (op, x) => op.Add([product(op, x), c(op, 3, 5)]),
      'MatMul Add',
    ],
    'MatMul and Add of a third dimension': [rows, (op, x) => op.Add([product(op, x), c(op, 1, 1, 5)]), 'MatMul Add'],
    'MatMul of a batch': [series, (op, x) => op.Add([product(op, x), c(op, 5)]), 'MatMul Add'],
    'MatMul, batch normalization': [
      rows,
      (op, x) => op.BatchNormalization([product(op, x), c(op, 5), c(op, 5), c(op, 5), p(op, 5)]),
      'Gemm',
    ],
    'Gemm and Add of a matrix': [
      rows,
      (op, x) => op.Add([op.Gemm([x, c(op, 4, 5)], { alpha: 2 }), c(op, 3, 5)]),
      'Gemm',
    ],
    'a transposed operand': [rows, (op, x) => op.MatMul([op.Transpose([x]), c(op, 3, 5)]), 'Gemm'],
    'a transposed second operand': [rows, (op, x) => op.MatMul([x, op.Transpose([x], { perm: [1, 0] })]), 'Gemm'],
    both: [
      rows,
      (op, x) => op.MatMul([op.Transpose([op.Relu([x])]), op.Transpose([op.Reshape([x, op.ints([4, 3])])])]),
      'Relu Reshape Gemm',
    ],
    'a transposed operand of a Gemm that transposes': [
      rows,
      (op, x) => op.Gemm([op.Transpose([x]), c(op, 4, 5)], { transA: 1 }),
      'Gemm',
    ],
    'a batch is not transposed': [
      f32(2, 3, 4),
      (op, x) => op.MatMul([op.Transpose([x], { perm: [0, 2, 1] }), c(op, 3, 5)]),
      'Transpose MatMul',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})

describe('padding', () => {
  const pad = (op: Ops, x: Ref, sizes: readonly number[], value?: number, axes?: readonly number[]) =>
    op.Pad([x, op.ints(sizes), value === undefined ? null : op.scalar(value), axes && op.ints(axes)])
  const around = [0, 0, 1, 2, 0, 0, 1, 0]
  const pool = { kernel_shape: [3, 3] }
  const cases: Record<string, Case> = {
    'zeros before Conv': [image, (op, x) => conv(op, pad(op, x, around)), 'Conv'],
    'zeros before a padded Conv': [image, (op, x) => conv(op, pad(op, x, around, 0), { pads: [1, 0, 0, 1] }), 'Conv'],
    'zeros along named axes': [image, (op, x) => conv(op, pad(op, x, [1, 2], 0, [-1])), 'Conv'],
    'zeros before Conv without padding by name': [
      image,
      (op, x) => conv(op, pad(op, x, around), { auto_pad: 'VALID' }),
      'Conv',
    ],
    'other numbers stay': [image, (op, x) => conv(op, pad(op, x, around, 1)), 'Pad Conv'],
    'padded channels stay': [f32('N', 3, 6, 5), (op, x) => conv(op, pad(op, x, [0, 1, 0, 0, 0, 0, 0, 0])), 'Pad Conv'],
    'cut edges stay': [image, (op, x) => conv(op, pad(op, x, [0, 0, -1, 0, 0, 0, 0, 0])), 'Pad Conv'],
    'padding that the Conv works out itself stays': [
      image,
      (op, x) => conv(op, pad(op, x, around), { auto_pad: 'SAME_UPPER' }),
      'Pad Conv',
    ],
    'reflections stay': [image, (op, x) => conv(op, op.Pad([x, op.ints(around)], { mode: 'reflect' })), 'Pad Conv'],
    'the lowest number before MaxPool': [
      image,
      (op, x) => op.MaxPool([pad(op, x, around, Number.NEGATIVE_INFINITY)], pool),
      'MaxPool',
    ],
    'zeros after Relu before MaxPool': [
      image,
      (op, x) => op.MaxPool([pad(op, op.Relu([x]), around)], pool),
      'Relu MaxPool',
    ],
    'zeros before MaxPool stay': [image, (op, x) => op.MaxPool([pad(op, x, around)], pool), 'Pad MaxPool'],
    'zeros before AveragePool': [image, (op, x) => op.AveragePool([pad(op, x, around)], pool), 'AveragePool'],
    'zeros before a padded AveragePool that counts its padding': [
      image,
      (op, x) => op.AveragePool([pad(op, x, around)], { ...pool, pads: [0, 0, 1, 1], count_include_pad: 1 }),
      'AveragePool',
    ],
    'zeros before a padded AveragePool that does not count it stay': [
      image,
      (op, x) => op.AveragePool([pad(op, x, around)], { ...pool, pads: [0, 0, 1, 1] }),
      'Pad AveragePool',
    ],
  }
  test.each(Object.entries(cases))('%s', (_, one) => expectCase(one))
})

test('padding as wide as the window of a pool stays', () => {
  const graph = makeGraph({ x: image }, (op, { x }) => {
    const padded = op.Pad([x, op.ints([0, 0, 3, 0, 0, 0, 0, 0]), op.scalar(Number.NEGATIVE_INFINITY)])
    return { y: op.MaxPool([padded], { kernel_shape: [3, 3] }) }
  })
  expect(all(graph)).toBe(graph)
})

describe('products of one value', () => {
  const three = (type: TensorType, each: (op: Ops, x: Ref, columns: number) => Ref, columns = [5, 2, 3]) =>
    makeGraph({ x: type }, (op, { x }) =>
      Object.fromEntries(columns.map((size, i) => [`y${i}`, op.Relu([each(op, x, size)])])),
    )
  const cases: Record<string, readonly [Graph, string]> = {
    'three become one': [three(series, (op, x, size) => op.MatMul([x, c(op, 4, size)])), 'MatMul Split Relu Relu Relu'],
    'three with biases': [
      three(series, (op, x, size) => op.Add([op.MatMul([x, c(op, 4, size)]), c(op, size)])),
      'MatMul Add Split Relu Relu Relu',
    ],
    'two with biases': [
      three(series, (op, x, size) => op.Add([c(op, size), op.MatMul([x, c(op, 4, size)])]), [3, 4]),
      'MatMul Add Split Relu Relu',
    ],
    'two without are as many afterwards': [
      three(series, (op, x, size) => op.MatMul([x, c(op, 4, size)]), [3, 4]),
      'MatMul Relu MatMul Relu',
    ],
    'three Gemms of transposed weights': [
      three(rows, (op, x, size) => op.Gemm([x, c(op, size, 4), c(op, size)], { transB: 1 })),
      'Gemm Split Relu Relu Relu',
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [graph, expected]) => {
    const after = all(graph)
    expect(operators(after)).toBe(expected)
    await expectSameOutputs(after, graph)
    expect(all(after)).toBe(after)
  })

  test('weights that something else reads stay', () => {
    const graph = makeGraph({ x: series, z: series }, (op, { x, z }) => {
      const shared = c(op, 4, 5)
      return {
        y0: op.MatMul([x, shared]),
        y1: op.MatMul([x, c(op, 4, 2)]),
        y2: op.MatMul([x, c(op, 4, 3)]),
        y3: op.MatMul([z, shared]),
      }
    })
    expect(all(graph)).toBe(graph)
  })
})

test('reasons are told', () => {
  const graph = makeGraph({ x: image }, (op, { x }) => ({ y: op.Mul([conv(op, x), c(op, 4, 1)]) }))
  const { trace, statistics } = recorder()
  all(graph, trace)
  const told = statistics().rules.find(({ rule }) => rule === 'fold-scale-after')
  expect(Object.keys(told!.declines)).toEqual(['the constant is not one number for each channel'])
})
