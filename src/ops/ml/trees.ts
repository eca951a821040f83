import { piecewiseConstant } from '../elementwise.ts'
import { free, no, operator } from '../operator.ts'
import { classified } from './models.ts'
import { perRow } from './rows.ts'

const trees = {
  gradient: piecewiseConstant,
  coupling: no('its trees know the features by their places'),
  // Trees compare and add.
  cost: free,
  evaluate: no('trees are for the runtime'),
} as const

export const treeEnsemble = operator('ai.onnx.ml.TreeEnsemble', {
  ...trees,
  infer: ({ attributes: { n_targets: targets = '' }, inputs: [x] }) => [perRow(x, targets, x!.dtype)],
})

export const treeEnsembleClassifier = operator('ai.onnx.ml.TreeEnsembleClassifier', {
  ...trees,
  infer: ({ attributes: { classlabels_int64s: integers = [], classlabels_strings: texts = [] }, inputs: [x] }) =>
    classified(x, texts.length > 0, texts.length || integers.length || ''),
})

export const treeEnsembleRegressor = operator('ai.onnx.ml.TreeEnsembleRegressor', {
  ...trees,
  infer: ({ attributes: { n_targets: targets = '' }, inputs: [x] }) => [perRow(x, targets)],
})
