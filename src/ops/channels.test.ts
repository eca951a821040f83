import { expect, test } from 'vitest'
import { attribute } from '../graph/attributes.ts'
import { node } from '../graph/edit.ts'
import { emptyGraph } from '../graph/graph.ts'
import { callOf, inferNode } from './call.ts'
import { productCost } from './channels.ts'
import { operatorOf } from './index.ts'
import type { InferredType } from './operator.ts'
import { scopeOver } from './testing/sample.ts'

function macsOf(op: string, shapes: readonly (readonly (number | string)[])[], attributes = {}): number {
  const inputs = shapes.map((shape, i) => ({ name: `x${i}`, type: { dtype: 'float32', shape } }) as const)
  const one = node({ op, inputs: inputs.map(({ name }) => name), outputs: ['y'], attributes })
  const scope = scopeOver({ ...emptyGraph('cost'), inputs })
  const outputs = inferNode(one, scope) as readonly InferredType[]
  return operatorOf(one)!.cost({ ...callOf(one, scope), outputs }).macs
}

test('a convolution multiplies each output element with a kernel of its group', () => {
  const strides = attribute.ints([2, 2])
  const pads = attribute.ints([3, 3, 3, 3])
  // The stem of ResNet-18 at 224 x 224.
  expect(
    macsOf(
      'Conv',
      [
        [1, 3, 224, 224],
        [64, 3, 7, 7],
      ],
      { strides, pads },
    ),
  ).toBe(112 * 112 * 64 * 3 * 49)
  expect(macsOf('Conv', [[1, 32, 10, 10], [32, 1, 3, 3], [32]], { group: attribute.int(32) })).toBe(8 * 8 * 32 * 9)
  expect(
    macsOf(
      'ConvTranspose',
      [
        [1, 8, 5, 5],
        [8, 4, 2, 2],
      ],
      { strides },
    ),
  ).toBe(5 * 5 * 8 * 4 * 4)
})

test('a matrix product multiplies rows with columns', () => {
  expect(
    macsOf(
      'Gemm',
      [
        [5, 3],
        [4, 5],
      ],
      { transA: attribute.int(1), transB: attribute.int(1) },
    ),
  ).toBe(3 * 5 * 4)
  expect(
    macsOf('MatMul', [
      [2, 7, 3, 5],
      [5, 4],
    ]),
  ).toBe(2 * 7 * 3 * 5 * 4)
})

test('elementwise operators, pooling and normalization count nothing', () => {
  expect(macsOf('Relu', [[2, 3]])).toBe(0)
  expect(macsOf('GlobalAveragePool', [[2, 3, 4, 4]])).toBe(0)
  expect(macsOf('BatchNormalization', [[2, 3, 4, 4], [3], [3], [3], [3]])).toBe(0)
})

test('what is not fixed is not a number', () => {
  expect(
    macsOf('MatMul', [
      ['N', 5],
      [5, 4],
    ]),
  ).toBeNaN()
  expect(productCost(undefined).macs).toBeNaN()
})
