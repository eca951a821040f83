import * as activation from './activation.ts'
import * as arithmetic from './arithmetic.ts'
import * as attention from './attention.ts'
import * as batchNormalization from './batch-normalization.ts'
import * as blocked from './blocked.ts'
import * as cast from './cast.ts'
import * as comparison from './comparison.ts'
import * as concat from './concat.ts'
import * as controlFlow from './control-flow.ts'
import * as conv from './conv.ts'
import * as cumulative from './cumulative.ts'
import * as dropout from './dropout.ts'
import * as einsum from './einsum.ts'
import * as expand from './expand.ts'
import * as experimental from './experimental.ts'
import * as gather from './gather.ts'
import * as generate from './generate.ts'
import * as image from './image.ts'
import * as linear from './linear.ts'
import * as localNormalization from './local-normalization.ts'
import * as loss from './loss.ts'
import * as math from './math.ts'
import { ofOnnxruntime } from './microsoft/index.ts'
import { machineLearning } from './ml/index.ts'
import * as nchwc from './nchwc.ts'
import * as normalization from './normalization.ts'
import type { Operator } from './operator.ts'
import * as pad from './pad.ts'
import * as pool from './pool.ts'
import * as quantize from './quantize.ts'
import * as random from './random.ts'
import * as recurrent from './recurrent.ts'
import * as reduce from './reduce.ts'
import * as reshape from './reshape.ts'
import * as resize from './resize.ts'
import * as scan from './scan.ts'
import * as scatter from './scatter.ts'
import * as select from './select.ts'
import * as sequence from './sequence.ts'
import * as signal from './signal.ts'
import * as slice from './slice.ts'
import * as softmax from './softmax.ts'
import { keyOf } from './spec.ts'
import * as text from './text.ts'
import * as transpose from './transpose.ts'
import * as vision from './vision.ts'

export type { Ops, Ref } from './build.ts'
export { no, type Operator, operator } from './operator.ts'

/** The families, one file each; every export of theirs that is a record is a row of the table. */
const families: readonly object[] = [
  activation,
  arithmetic,
  attention,
  cast,
  comparison,
  concat,
  cumulative,
  dropout,
  expand,
  experimental,
  gather,
  generate,
  image,
  linear,
  localNormalization,
  loss,
  softmax,
  pool,
  conv,
  batchNormalization,
  blocked,
  nchwc,
  math,
  normalization,
  pad,
  reduce,
  reshape,
  resize,
  scan,
  scatter,
  slice,
  controlFlow,
  einsum,
  random,
  select,
  sequence,
  quantize,
  recurrent,
  signal,
  text,
  transpose,
  vision,
  ...machineLearning,
  ...ofOnnxruntime,
]

/** Every operator with a record, by its key. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  families.flatMap(family =>
    (Object.values(family) as unknown[]).filter(isOperator).map(row => [row.type as string, row] as const),
  ),
)

function isOperator(value: unknown): value is Operator {
  return typeof value === 'object' && value !== null && 'infer' in value && 'gradient' in value
}

export function operatorOf(node: { readonly op: string; readonly domain: string }): Operator | undefined {
  return operators.get(keyOf(node))
}
