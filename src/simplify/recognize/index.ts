import type { Rule } from '../../rewrite/rule.ts'
import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'
import { recognizeActivation, recognizeMish } from './activations.ts'
import { recognizeNormalization, scaleIntoNormalization } from './normalization.ts'
import {
  dropMaximumBeforeSoftmax,
  recognizeLogSoftmax,
  recognizeSoftmax,
  recognizeWrittenLogSoftmax,
} from './softmax.ts'
import { orderIntoConv, recognizeBlocks, recognizeFocus } from './space.ts'

/** Each with the opset that first has what it makes. */
const all: readonly (readonly [since: number, rule: Rule])[] = [
  [18, recognizeMish],
  [17, recognizeNormalization],
  [17, scaleIntoNormalization],
  [13, recognizeSoftmax],
  [13, dropMaximumBeforeSoftmax],
  [13, recognizeLogSoftmax],
  [13, recognizeWrittenLogSoftmax],
  [13, recognizeBlocks],
  [13, recognizeFocus],
  [7, orderIntoConv],
]

/**
 * Operators that exporters have written out, recognized and said as one again: those that onnxruntime runs no slower that
 * way, by what `bench/recognize.ts` measures. Left as they are written, because their operator is slower: Softplus, PRelu,
 * ReduceL2, LpNormalization, GroupNormalization, a Softmax along any axis but the last.
 */
export const recognize = ({ opset }: Settings): readonly Step[] => [
  recognizeActivation({ opset }),
  ...all.filter(([since]) => since <= opset).map(([, rule]) => rule),
]
