import { SinterError } from '../../base/errors.ts'
import type { Dim } from '../../base/shape.ts'
import { fromNumbers } from '../../base/tensor.ts'
import { describe } from '../../graph/graph.ts'
import { dataTypeOf } from '../../onnx/dtypes.ts'
import { type InferredType, type Link, no, operator, type TypedCall } from '../operator.ts'
import { leftToTheRuntime, perRow, rowsOf } from './rows.ts'

// Linear models and support vector machines. Their parameters are attributes, which training does not reach.

/** The rows of a matrix; a vector's features are known by their places. */
const rowsGoThrough = ({ inputs: [x], outputs }: TypedCall): readonly Link[] =>
  x?.shape?.length === 2 ? outputs.map((_, i): Link => ({ from: ['in', 0, 0], to: ['out', i, 0], map: 'same' })) : []

interface Labels {
  readonly classlabels_ints?: readonly number[] | undefined
  readonly classlabels_strings?: readonly string[] | undefined
}

/** The types of a classifier's labels [N] and scores [N, columns]. */
export function classified(x: InferredType | undefined, texts: boolean, columns: Dim): readonly InferredType[] {
  return [{ dtype: texts ? 'string' : 'int64', shape: [rowsOf(x)] }, perRow(x, columns)]
}

function labelCount({ classlabels_ints: integers = [], classlabels_strings: texts = [] }: Labels): number {
  return texts.length || integers.length
}

const usesTexts = ({ classlabels_strings: texts }: Labels) => Boolean(texts?.length)

export const linearClassifier = operator('ai.onnx.ml.LinearClassifier', {
  infer: ({ attributes, inputs: [x] }) =>
    classified(x, usesTexts(attributes), labelCount(attributes) || attributes.intercepts?.length || ''),
  gradient: no('its labels change in steps, and its parameters are attributes'),
  coupling: rowsGoThrough,
  cost: ({ attributes: { coefficients }, inputs: [x] }) => ({
    macs: Number(rowsOf(x) || Number.NaN) * coefficients.length,
  }),
  evaluate: leftToTheRuntime,
})

/** post(x * coefficients^T + intercepts), coefficients [targets, features]. */
export const linearRegressor = operator('ai.onnx.ml.LinearRegressor', {
  infer: ({ attributes: { targets }, inputs: [x] }) => [perRow(x, targets)],
  gradient: ({ node, op, attributes: { coefficients = [], targets, post_transform: after }, x: [x], dy: [dy] }) => {
    if (after !== 'NONE') {
      const why = `that of its ${after} is left out`
      throw new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}.`, {
        node: node.name,
        why,
      })
    }
    const matrix = fromNumbers('float32', [targets, coefficients.length / targets], coefficients)
    const gradient = op.MatMul([dy, op.constant(matrix, 'coefficients')])
    const shaped = op.shape(x!).length === 1 ? op.Reshape([gradient, op.ints(op.shape(x!))]) : gradient
    return [op.Cast([shaped], { to: dataTypeOf(op.type(x!).dtype) })]
  },
  coupling: rowsGoThrough,
  cost: ({ attributes: { coefficients = [] }, inputs: [x] }) => ({
    macs: Number(rowsOf(x) || Number.NaN) * coefficients.length,
  }),
  evaluate: leftToTheRuntime,
})

const supportVectors = no('its support vectors are attributes, which training does not reach')

/** Products of each row with each support vector; without any, with the coefficients. */
function kernelProducts(
  x: InferredType | undefined,
  {
    support_vectors: vectors = [],
    coefficients = [],
  }: { support_vectors?: readonly number[] | undefined; coefficients?: readonly number[] | undefined },
) {
  return { macs: Number(rowsOf(x) || Number.NaN) * (vectors.length + coefficients.length) }
}

export const svmClassifier = operator('ai.onnx.ml.SVMClassifier', {
  infer: ({ attributes, inputs: [x] }) => {
    const { prob_a: probabilities = [], vectors_per_class: vectors = [] } = attributes
    const classes = labelCount(attributes)
    // Without probabilities there is a score for each pair of classes, and two for one pair.
    const pairs = vectors.length > 0 && probabilities.length === 0 && classes > 2
    return classified(x, usesTexts(attributes), classes ? (pairs ? (classes * (classes - 1)) / 2 : classes) : '')
  },
  gradient: supportVectors,
  coupling: rowsGoThrough,
  cost: ({ attributes, inputs: [x] }) => kernelProducts(x, attributes),
  evaluate: leftToTheRuntime,
})

export const svmRegressor = operator('ai.onnx.ml.SVMRegressor', {
  infer: ({ inputs: [x] }) => [perRow(x, 1)],
  gradient: supportVectors,
  coupling: rowsGoThrough,
  cost: ({ attributes, inputs: [x] }) => kernelProducts(x, attributes),
  evaluate: leftToTheRuntime,
})
