import type { Shape } from '../base/shape.ts'
import type { InferredType } from './operator.ts'
import { free, no, operator } from './operator.ts'

// Losses as operators, as some training exports have them at their end.

const ownLosses = no('training adds a loss of its own; take this one off the graph')
const overClasses = no('every class has a part in the loss')
const notFolded = no('losses are not shape arithmetic')

/** [N, C, d1, ...] and labels [N, d1, ...] give a loss for each label, or one for all. */
function lossType(reduction: string, x: InferredType, labels: InferredType): InferredType {
  if (reduction !== 'none') return { dtype: x.dtype, shape: [] }
  const own: Shape | undefined = x.shape && [...x.shape.slice(0, 1), ...x.shape.slice(2)]
  return { dtype: x.dtype, shape: labels.shape ?? own }
}

export const negativeLogLikelihoodLoss = operator('NegativeLogLikelihoodLoss', {
  infer: ({ attributes: { reduction }, inputs: [x, labels] }) => [lossType(reduction, x!, labels!)],
  gradient: ownLosses,
  coupling: overClasses,
  cost: free,
  evaluate: notFolded,
})

export const softmaxCrossEntropyLoss = operator('SoftmaxCrossEntropyLoss', {
  infer: ({ node, attributes: { reduction }, inputs: [x, labels] }) =>
    [lossType(reduction, x!, labels!), { dtype: x!.dtype, shape: x!.shape }].slice(0, node.outputs.length),
  gradient: ownLosses,
  coupling: overClasses,
  cost: free,
  evaluate: notFolded,
})
