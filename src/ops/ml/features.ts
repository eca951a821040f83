import { addDims, type Dim, productOf } from '../../base/shape.ts'
import { float32s, fromNumbers, numbers } from '../../base/tensor.ts'
import { dataTypeOf } from '../../onnx/dtypes.ts'
import { elementwiseLinks } from '../broadcast.ts'
import { sources, take } from '../elements.ts'
import { piecewiseConstant } from '../elementwise.ts'
import { free, no, operator } from '../operator.ts'
import { featuresByPlace, leftToTheRuntime, linksBeforeFeatures, perRow } from './rows.ts'

// Operators that work on the columns of a table.

export const arrayFeatureExtractor = operator('ai.onnx.ml.ArrayFeatureExtractor', {
  infer: ({ inputs: [x, y] }) => {
    const count = y!.shape ? productOf(y!.shape) : ''
    return [{ dtype: x!.dtype, shape: x!.shape && (x!.shape.length === 1 ? [1, count] : x!.shape.with(-1, count)) }]
  },
  gradient: no('left out: Gather, which does the same, has one'),
  coupling: linksBeforeFeatures,
  cost: free,
  evaluate: (_, [x, y]) => {
    const columns = Array.from(numbers(y!))
    const lead = x!.shape.length === 1 ? [1] : x!.shape.slice(0, -1)
    const shape = [...lead, columns.length]
    const from = [...lead, x!.shape.at(-1)!]
    if (columns.some(column => column < 0 || column >= from.at(-1)!)) throw new Error('a column that is not there')
    return [
      take(
        x!,
        shape,
        sources(shape, from, position => position.with(-1, columns[position.at(-1)!]!)),
      ),
    ]
  },
})

export const binarizer = operator('ai.onnx.ml.Binarizer', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: piecewiseConstant,
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ attributes: { threshold } }, [x]) => [
    fromNumbers(
      x!.dtype,
      x!.shape,
      Array.from(numbers(x!), value => (value > threshold ? 1 : 0)),
    ),
  ],
})

export const featureVectorizer = operator('ai.onnx.ml.FeatureVectorizer', {
  infer: ({ attributes: { inputdimensions: widths }, inputs }) => {
    const own = inputs.map(type => type?.shape?.at(-1) ?? '')
    return [perRow(inputs[0], (widths ?? own).reduce<Dim>(addDims, 0))]
  },
  gradient: no('left out: Concat, which does the same, has one'),
  coupling: featuresByPlace,
  cost: free,
  evaluate: leftToTheRuntime,
})

export const imputer = operator('ai.onnx.ml.Imputer', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: no('what it puts in the place of missing numbers depends on nothing; training with them is left out'),
  coupling: featuresByPlace,
  cost: free,
  evaluate: leftToTheRuntime,
})

export const normalizer = operator('ai.onnx.ml.Normalizer', {
  infer: ({ inputs: [x] }) => [{ dtype: 'float32', shape: x!.shape }],
  gradient: no('left out: Div by ReduceL2, ReduceL1 or ReduceMax, which do the same, has one'),
  // A row's elements are divided by what all of them come to.
  coupling: linksBeforeFeatures,
  cost: free,
  evaluate: leftToTheRuntime,
})

/** (x - offset) * scale, one of each for all columns or for each of them. */
export const scaler = operator('ai.onnx.ml.Scaler', {
  infer: ({ inputs: [x] }) => [{ dtype: 'float32', shape: x!.shape }],
  gradient: ({ op, attributes: { scale = [1] }, x: [x], dy: [dy] }) => {
    const factors = op.constant(float32s([scale.length], scale), 'scale')
    return [op.Cast([op.Mul([dy, factors])], { to: dataTypeOf(op.type(x!).dtype) })]
  },
  coupling: elementwiseLinks,
  prune: ({ attributes: { offset, scale }, inputs: [x], kept }) => {
    const stay = kept('in', 0, x!.shape!.length - 1)
    const those = (list: readonly number[] | undefined) =>
      list && list.length > 1 && stay ? stay.map(i => list[i]!) : list
    return { attributes: { offset: those(offset), scale: those(scale) } }
  },
  cost: free,
  evaluate: ({ attributes: { offset = [0], scale = [1] } }, [x]) => {
    const of = (list: readonly number[], i: number) => list[list.length === 1 ? 0 : i % list.length]!
    const scaled = Array.from(numbers(x!), (value, i) => Math.fround(value - of(offset, i)) * of(scale, i))
    return [float32s(x!.shape, scaled)]
  },
})
