import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatShape, type TensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Ops, Ref } from '../ops/build.ts'

/** A training objective: what a batch must carry, and how the loss follows from the prediction. */
export interface Loss {
  readonly name: string
  /**
   * Type of the expected values for one batch, given the prediction's type.
   * @throws SinterError `not-supported` for a prediction that this loss does not judge.
   */
  target(prediction: TensorType): TensorType
  /** Refuses expected values that have the right type and yet no meaning. @throws SinterError `invalid-data`. */
  check?(target: Tensor, prediction: TensorType): void
  /** Emits the mean loss over the batch, rank 0. */
  build(op: Ops, prediction: Ref, target: Ref): Ref
}

/**
 * Softmax cross entropy of logits [N, C] against class indices int64 [N], averaged over the batch. With label smoothing
 * s the expected distribution is (1 - s) on the class plus s / C everywhere (Szegedy et al. 2016; as PyTorch's).
 */
export function crossEntropy({ labelSmoothing = 0 }: { readonly labelSmoothing?: number } = {}): Loss {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new SinterError('invalid-argument', `labelSmoothing must be at least 0 and below 1, not ${labelSmoothing}.`, {
      labelSmoothing,
    })
  }
  return {
    name: 'crossEntropy',
    target({ dtype, shape }) {
      if (isFloat(dtype) && shape?.length === 2) return { dtype: 'int64', shape: [shape[0]!] }
      throw new SinterError(
        'not-supported',
        `crossEntropy judges logits of shape [N, C], not ${dtype}${formatShape(shape)}: name the output to train on as \`prediction\`.`,
        { dtype, shape },
      )
    },
    check({ data }, { shape }) {
      const classes = Number(shape?.[1])
      const row = (data as BigInt64Array).findIndex(label => label < 0n || label >= classes)
      if (row >= 0) {
        throw new SinterError(
          'invalid-data',
          `Row ${row} of a batch has the label ${data[row]}, but the model knows ${classes} classes, from 0.`,
          { row, label: Number(data[row]), classes },
        )
      }
    },
    build(op, logits, labels) {
      const { dtype } = op.type(logits)
      const logProbabilities = op.LogSoftmax([logits], { axis: -1 })
      const picked = op.GatherElements([logProbabilities, op.Unsqueeze([labels, op.ints([1])])], { axis: 1 })
      const plain = op.Neg([op.ReduceMean([picked], { keepdims: 0 })])
      if (labelSmoothing === 0) return plain
      const uniform = op.Neg([op.ReduceMean([logProbabilities], { keepdims: 0 })])
      return op.Add([
        op.Mul([plain, op.scalar(1 - labelSmoothing, dtype)]),
        op.Mul([uniform, op.scalar(labelSmoothing, dtype)]),
      ])
    },
  }
}

/** Mean of the squared differences over all elements. */
export function meanSquaredError(): Loss {
  return {
    name: 'meanSquaredError',
    target(prediction) {
      if (isFloat(prediction.dtype)) return prediction
      throw new SinterError(
        'not-supported',
        `meanSquaredError judges floating-point values, not ${prediction.dtype}: name the output to train on as \`prediction\`.`,
        { dtype: prediction.dtype },
      )
    },
    build(op, prediction, target) {
      const difference = op.Sub([prediction, target])
      return op.ReduceMean([op.Mul([difference, difference])], { keepdims: 0 })
    },
  }
}
