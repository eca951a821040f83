import { expect, test } from 'vitest'
import { makeGraph } from '../../test/support/make-graph.ts'
import type { DType } from '../base/dtype.ts'
import { isTensorType, type Shape } from '../base/shape.ts'
import { node } from '../graph/edit.ts'
import { broadcasting, movesFirst, neverNegative, pointwise, reducing, reducingOneToItself, rounding } from './kinds.ts'
import type { OpName } from './spec.ts'

/** Element types of the first operands, for operators that take no float32. */
const operands: Readonly<Record<string, readonly DType[]>> = {
  ...Object.fromEntries(['And', 'Or', 'Xor', 'Not'].map(name => [name, ['bool', 'bool']])),
  ...Object.fromEntries(
    ['BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitwiseNot'].map(name => [name, ['int32', 'int32']]),
  ),
  BitShift: ['uint32', 'uint32'],
  DequantizeLinear: ['uint8'],
  Where: ['bool', 'float32', 'float32'],
}
const attributes: Readonly<Record<string, object>> = { Cast: { to: 10 }, BitShift: { direction: 'LEFT' } }
const scaled = ['QuantizeLinear', 'DequantizeLinear']

/** The shape that comes of operands of these shapes. */
function shapeOf(name: string, ...shapes: readonly Shape[]): Shape | undefined {
  const dtypes = operands[name] ?? []
  const inputs = Object.fromEntries(
    shapes.map((shape, i) => [`x${i}`, { dtype: dtypes[i] ?? ('float32' as const), shape }]),
  )
  const graph = makeGraph(inputs, (op, values) => ({
    y: op.many(
      name as OpName,
      1,
      [...Object.values(values), ...(scaled.includes(name) ? [op.scalar(0.1)] : [])],
      attributes[name],
    )[0]!,
  }))
  const { type } = graph.outputs[0]!
  return isTensorType(type) ? type.shape : undefined
}

test.each([...pointwise])('%s keeps the shape of its first input', name => {
  expect(shapeOf(name, [2, 3])).toEqual([2, 3])
})

test.each([...broadcasting])('%s broadcasts', name => {
  const shapes = name === 'Where' ? [[3], [2, 3], [1]] : [[2, 3], [3]]
  expect(shapeOf(name, ...shapes)).toEqual([2, 3])
})

test.each([...reducing])('%s leaves one of each axis', name => {
  expect(shapeOf(name, [2, 3])).toEqual([1, 1])
})

test('no operator is of two kinds that exclude each other', () => {
  const all = [...pointwise, ...broadcasting, ...reducing]
  expect(new Set(all).size).toBe(all.length)
  expect([...reducingOneToItself].filter(name => !reducing.has(name))).toEqual([])
  expect([...rounding].filter(name => !pointwise.has(name))).toEqual([])
  expect([...neverNegative].filter(name => name !== 'Softmax' && !pointwise.has(name))).toEqual([])
})

test('what only moves its first input is known from its record', () => {
  const moves = (op: string) => movesFirst(node({ op, inputs: ['x'], outputs: ['y'] }))
  const movers = ['Expand', 'Identity', 'Reshape', 'Slice', 'Split', 'Squeeze', 'Tile', 'Transpose', 'Unsqueeze']
  expect(movers.filter(op => !moves(op))).toEqual([])
  expect(['Concat', 'Pad', 'ScatterND', 'Relu', 'Unknown'].filter(moves)).toEqual([])
})
