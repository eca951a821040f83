import { rule } from '../../rewrite/rule.ts'
import { affineOf } from './affine.ts'
import { folded, linearWithBias } from './fold-scale-after.ts'

/**
 * A batch normalization that follows a convolution or a matrix product moves into its weights and bias:
 * with f = scale / sqrt(variance + epsilon), `f * (w x + b - mean) + shift` is `(f w) x + (f (b - mean) + shift)`.
 * Computed in float64 and rounded once to the weights' type.
 */
export const foldBatchNorm = rule({
  name: 'fold-batch-norm',
  match(vocabulary) {
    const { op, constant } = vocabulary
    const statistics = [constant(), constant(), constant(), constant()] as const
    return op.BatchNormalization([linearWithBias(vocabulary), ...statistics]).as('norm')
  },
  replace({ norm, ...found }, tools) {
    if (norm.attributes.training_mode) return tools.decline('it normalizes by the statistics of the batch')
    const affine = affineOf(norm.node, tools)
    if (!affine) return tools.decline('the rank of its input is not known')
    return folded(found, affine, tools)
  },
})
