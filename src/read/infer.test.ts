import { describe, expect, test } from 'vitest'
import type { Dim, TensorType } from '../base/shape.ts'
import { float32s, int64s, reshape, scalar } from '../base/tensor.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import type { InferredType } from '../ops/operator.ts'
import { extend } from './extend.ts'
import { infer } from './infer.ts'

/** What is inferred of the value that a function builds from an input `x`. */
function inferred(shape: readonly Dim[], build: (op: Ops, x: Ref) => Ref): InferredType {
  const input = { name: 'x', type: { dtype: 'float32' as const, shape } }
  let made = ''
  const graph = extend({ ...emptyGraph('test'), inputs: [input] }, (op, draft) => {
    made = build(op, 'x')
    draft.outputs.push({ name: made, type: undefined })
  })
  return infer(graph).get(made) as InferredType
}

/** The size of one axis. */
const from = (op: Ops, x: Ref, axis: number) => op.Gather([op.Shape([x]), op.constant(scalar('int64', axis))])

describe('sizes that are computed', () => {
  test('are followed through the head of a network that PyTorch exports', () => {
    const type = inferred(['N', 64, 7, 7], (op, x) => {
      const batch = op.Unsqueeze([from(op, x, 0), op.ints([0])])
      return op.Reshape([x, op.Concat([batch, op.ints([-1])], { axis: 0 })])
    })
    expect(type.shape).toEqual(['N', 3136])
  })
  test('are followed through arithmetic with symbols', () => {
    const type = inferred(['N', 4, 'H', 'W'], (op, x) => {
      const half = (axis: number) =>
        op.Unsqueeze([
          op.Div([op.Mul([from(op, x, axis), op.constant(scalar('int64', 4))]), op.constant(scalar('int64', 2))]),
          op.ints([0]),
        ])
      return op.Expand([op.constant(float32s([1], [0])), op.Concat([half(2), half(3)], { axis: 0 })])
    })
    expect(type.shape).toEqual(['2*H', '2*W'])
  })
  test('are followed through floats that are rounded, as upsampling writes them', () => {
    const type = inferred([1, 4, 6, 10], (op, x) => {
      const sizes = op.Cast([op.Slice([op.Shape([x]), op.ints([2]), op.ints([4])])], { to: 1 })
      return op.Cast([op.Floor([op.Mul([sizes, op.constant(float32s([2], [1.5, 0.5]))])])], { to: 7 })
    })
    expect(type.value).toEqual([9, 5])
  })
  test('are not rounded before the graph rounds them', () => {
    const half = (round: 'Floor' | 'Ceil') => (op: Ops, x: Ref) => {
      const sizes = op.Cast([op.Slice([op.Shape([x]), op.ints([1]), op.ints([2])])], { to: 1 })
      return op.Cast([op[round]([op.Div([sizes, op.constant(float32s([1], [2]))])])], { to: 7 })
    }
    expect(inferred([1, 'H'], half('Ceil')).value).toEqual([''])
    expect(inferred([1, 7], half('Ceil')).value).toEqual([4])
    expect(inferred([1, 7], half('Floor')).value).toEqual([3])
  })
  test('choose between the target and what is there, as an export of expand does', () => {
    const type = inferred(['N', 1], (op, x) => {
      const target = op.constant(int64s([-1, 5]))
      const ones = op.ConstantOfShape([op.ints([2])], { value: int64s([1]) })
      const keeps = op.Equal([target, op.Mul([ones, op.constant(scalar('int64', -1))])])
      return op.Expand([x, op.Where([keeps, ones, target])])
    })
    expect(type.shape).toEqual(['N', 5])
  })
  test('split by a symbol that divides out', () => {
    const type = inferred(['N', 'T', 12], (op, x) => {
      const head = op.Concat([op.Slice([op.Shape([x]), op.ints([0]), op.ints([2])]), op.ints([3, 4])], { axis: 0 })
      const heads = op.Transpose([op.Reshape([x, head])], { perm: [0, 2, 1, 3] })
      return op.Reshape([op.Transpose([heads], { perm: [0, 2, 1, 3] }), op.ints([0, -1, 12])])
    })
    expect(type.shape).toEqual(['N', 'T', 12])
  })
  test('are of ranges and of what is cut off at the end', () => {
    expect(
      inferred(['N', 8], (op, x) =>
        op.Range([op.constant(scalar('int64', 0)), from(op, x, 1), op.constant(scalar('int64', 2))]),
      ).value,
    ).toEqual([0, 2, 4, 6])
    expect(
      inferred(['N', 8], (op, x) =>
        op.Range([op.constant(scalar('int64', 0)), from(op, x, 0), op.constant(scalar('int64', 1))]),
      ).shape,
    ).toEqual(['N'])
    expect(
      inferred(['N', 'T'], (op, x) => op.Slice([x, op.ints([-1]), op.ints([2 ** 31]), op.ints([1])])).shape,
    ).toEqual(['N', 1])
    expect(
      inferred(['N', 'T'], (op, x) => op.Slice([x, op.ints([1]), op.ints([2 ** 31]), op.ints([1])])).shape,
    ).toEqual(['N', 'T-1'])
    expect(inferred(['N', 'T'], (op, x) => op.Slice([x, op.ints([0]), op.ints([128]), op.ints([1])])).shape).toEqual([
      'N',
      'min(T,128)',
    ])
    // There may be fewer than are asked for, or than are left out.
    expect(inferred(['N', 'T'], (op, x) => op.Slice([x, op.ints([2]), op.ints([-3]), op.ints([1])])).shape).toEqual([
      'N',
      'max(T-5,0)',
    ])
    expect(
      inferred(['N', 'T'], (op, x) => op.Slice([x, op.ints([-128]), op.ints([2 ** 31]), op.ints([1])])).shape,
    ).toEqual(['N', ''])
  })
})

describe('symbols', () => {
  const graph: Graph = extend(
    {
      ...emptyGraph('test'),
      inputs: [
        { name: 'x', type: { dtype: 'float32', shape: ['N', 'H', 3] } },
        { name: 'flags', type: { dtype: 'bool', shape: [3] } },
      ],
    },
    (op, draft) => {
      const kept = op.Compress(['x', 'flags'], { axis: 2 })
      draft.outputs.push({ name: op.Relu(['x']), type: undefined })
      draft.outputs.push({ name: kept, type: { dtype: 'float32', shape: ['N', 'H', 'K'] } })
    },
  )
  const shapes = (bind?: Record<string, number>) =>
    graph.outputs.map(({ name }) => (infer(graph, bind ? { bind } : {}).get(name) as TensorType).shape)

  test('get the sizes that are given', () => {
    expect(shapes({ N: 5 })[0]).toEqual([5, 'H', 3])
    expect(shapes({ N: 5, '*': 2 })[0]).toEqual([5, 2, 3])
  })
  test('that only a file states for values in between get none by the rest', () => {
    expect(shapes({ '*': 2 })[1]).toEqual([2, 2, 'K'])
    expect(shapes({ '*': 2, K: 1 })[1]).toEqual([2, 2, 1])
  })
})

test('inputs that do not fit an operator are told with the node', () => {
  const build = () => inferred([2, 3], (op, x) => op.Add([x, op.constant(float32s([4], [1, 2, 3, 4]))]))
  expect(build).toThrow(/Add.*do not broadcast/)
})

describe('contents of few numbers', () => {
  test('are followed through any rank, as an export of padding turns its pads around', () => {
    // PyTorch gives pads from the last axis to the first, in pairs: reversed, transposed and flattened to ONNX's order.
    const type = inferred(['N', 3, 'H', 'W'], (op, x) => {
      const amount = op.Unsqueeze([from(op, x, 2), op.ints([0])])
      const pairs = op.Reshape([op.Concat([amount, op.ints([1, 2, 3, 0, 0, 0, 0])], { axis: 0 }), op.ints([-1, 2])])
      const reversed = op.Slice([pairs, op.ints([-1]), op.ints([-(2 ** 31)]), op.ints([0]), op.ints([-1])])
      const pads = op.Reshape([op.Transpose([reversed], { perm: [1, 0] }), op.ints([-1])])
      return op.Expand([op.constant(float32s([1], [0])), op.Slice([pads, op.ints([3]), op.ints([8])])])
    })
    expect(type.shape).toEqual(['H', 0, 0, 3, 1])
  })
  test('are scattered, gathered and reduced with symbols among them', () => {
    const type = inferred(['N', 'T', 12], (op, x) => {
      const rows = op.constant(reshape(int64s([0, 2]), [2, 1]))
      const sizes = op.ScatterND([op.Shape([x]), rows, op.ints([7, 5])])
      const elements = op.GatherElements([sizes, op.ints([1, 2])], { axis: 0 })
      const product = op.ReduceProd([elements], { keepdims: 1 })
      const sum = op.ReduceSum([sizes, op.ints([0])], { keepdims: 1 })
      const remainder = op.Mod([op.Mul([product, op.ints([2])]), op.ints([10])])
      return op.Expand([op.constant(float32s([1], [0])), op.Concat([product, sum, remainder], { axis: 0 })])
    })
    expect(type.shape).toEqual(['5*T', 'T+12', 0])
  })
  test('are of what is padded to a multiple, and cut into windows of it', () => {
    const type = inferred(['N', 'T', 6], (op, x) => {
      const four = op.constant(scalar('int64', 4))
      const missing = op.Mod([op.Sub([four, op.Mod([from(op, x, 1), four])]), four])
      const pads = op.Concat([op.ints([0, 0, 0, 0]), op.Unsqueeze([missing, op.ints([0])]), op.ints([0])], { axis: 0 })
      const padded = op.Pad([x, pads])
      const count = op.Unsqueeze([op.Div([from(op, padded, 1), four]), op.ints([0])])
      return op.Reshape([padded, op.Concat([op.ints([0]), count, op.ints([4, 6])], { axis: 0 })])
    })
    expect(type.shape).toEqual(['N', expect.stringContaining('floor('), 4, 6])
    const windows = (T: number) => new Function('T', 'floor', `return ${type.shape![1]}`)(T, Math.floor) as number
    expect([1, 4, 5, 8, 11].map(windows)).toEqual([1, 1, 2, 2, 3])
  })
  test('come from the places of what is not zero, where that is known', () => {
    const type = inferred([4], op => {
      const ones = op.ConstantOfShape([op.ints([3])], { value: int64s([1]) })
      return op.Squeeze([op.Transpose([op.NonZero([ones])]), op.ints([1])])
    })
    expect(type.value).toEqual([0, 1, 2])
  })
  test('say where they are known though other parts are not', () => {
    const type = inferred(['N', 4], (op, x) => {
      const count = op.Slice([op.Shape([op.NonZero([x])]), op.ints([1]), op.ints([2])])
      return op.Reshape([x, op.Concat([op.ints([2, -1]), count], { axis: 0 })])
    })
    expect(type.shape).toEqual([2, '', ''])
  })
})

test('sizes that a file states for values in between do not outweigh what follows from the inputs', () => {
  const graph = extend(
    { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: ['N', 4] } }] },
    (op, draft) => {
      draft.outputs.push({ name: op.Relu(['x']), type: { dtype: 'float32', shape: [1, 4] } })
    },
  )
  expect((infer(graph).get(graph.outputs[0]!.name) as TensorType).shape).toEqual(['N', 4])
})

test('sizes that cannot be are refused', () => {
  expect(() => inferred([2, 4], (op, x) => op.Pad([x, op.ints([0, -3, 0, -3])]))).toThrow('the shape [2,-2]')
  const uneven = (op: Ops, x: Ref) => op.Slice([x, op.ints([0, 0]), op.ints([1, 1]), op.ints([0, 1]), op.ints([1])])
  expect(() => inferred([2, 4], uneven)).toThrow('1 bounds or steps for 2 axes')
})
