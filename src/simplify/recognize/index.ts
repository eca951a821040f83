import type { Rule } from '../../rewrite/rule.ts'
import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'
import { activation, mish } from './activations.ts'
import { normalization, scaleIntoNormalization } from './normalization.ts'
import { logOfSoftmax, logSoftmax, softmax, softmaxWithoutMaximum } from './softmax.ts'
import { blocks, focus, orderIntoConv } from './space.ts'

/** Each with the opset that first has what it makes. */
const all: readonly (readonly [since: number, rule: Rule])[] = [
  [18, mish],
  [17, normalization],
  [17, scaleIntoNormalization],
  [13, softmax],
  [13, softmaxWithoutMaximum],
  [13, logOfSoftmax],
  [13, logSoftmax],
  [13, blocks],
  [13, focus],
  [7, orderIntoConv],
]

/**
 * Operators that exporters have written out, recognized and said as one again: those that onnxruntime runs no slower that
 * way, by what `bench/recognize.ts` measures. Left as they are written, because their operator is slower: Softplus, PRelu,
 * ReduceL2, LpNormalization, GroupNormalization, a Softmax along any axis but the last.
 */
export const recognize = ({ opset }: Settings): readonly Step[] => [
  activation({ opset }),
  ...all.filter(([since]) => since <= opset).map(([, rule]) => rule),
]
