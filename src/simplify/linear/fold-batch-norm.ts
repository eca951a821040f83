import { elementCount } from '../../base/shape.ts'
import { fromNumbers, numbers } from '../../base/tensor.ts'
import type { Constant, Found } from '../../rewrite/pattern.ts'
import { rule } from '../../rewrite/rule.ts'

type Linear = Found<'Conv'> | Found<'ConvTranspose'> | Found<'Gemm'>

/**
 * A batch normalization that follows a convolution or a matrix product moves into its weights and bias:
 * with f = scale / sqrt(variance + epsilon), `f * (w x + b - mean) + shift` is `(f w) x + (f (b - mean) + shift)`.
 * Computed in float64 and rounded once to the weights' type.
 */
export const foldBatchNorm = rule({
  name: 'fold-batch-norm',
  match({ op, any, constant, maybe, either }) {
    const inputs = [any('x'), constant('w'), maybe(constant('b'))] as const
    const linear = either(
      op.Conv(inputs).once().as('linear'),
      op.ConvTranspose(inputs).once().as('linear'),
      op.Gemm(inputs).once().as('linear'),
    )
    const statistics = [constant('scale'), constant('shift'), constant('mean'), constant('variance')] as const
    return op.BatchNormalization([linear, ...statistics]).as('norm')
  },
  replace({ x, w, b, scale, shift, mean, variance, linear, norm }, { op, decline, uses }) {
    const { epsilon, training_mode } = norm.attributes
    if (training_mode) return decline('it normalizes by the statistics of the batch')
    if (uses(w.ref) > 1) return decline(`the weights '${w.ref}' serve another node too and would be stored twice`)
    const channels = scale.shape[0]!
    const bias = biasOf(linear, b, channels)
    if (!bias) return decline(`the addend '${b!.ref}' is not one number for each channel`)

    const [s, t, m, v] = [scale, shift, mean, variance].map(numbers) as [Numbers, Numbers, Numbers, Numbers]
    const factor = Float64Array.from({ length: channels }, (_, c) => s[c]! / Math.sqrt(v[c]! + epsilon))
    const shifts = factor.map((f, c) => f * (bias[c]! - m[c]!) + t[c]!)
    const weights = fromNumbers(w.dtype, w.shape, scaled(numbers(w), factor, outputChannels(linear, w.shape)))
    const addend = fromNumbers(w.dtype, [channels], shifts)
    if (!allFinite(numbers(weights)) || !allFinite(numbers(addend))) {
      return decline(`the folded weights are not finite in ${w.dtype}`)
    }

    const folded = [x, op.constant(weights, w.ref), op.constant(addend, b?.ref ?? 'bias')]
    const attributes = linear.type === 'Gemm' ? { ...linear.stated, beta: 1 } : linear.stated
    return op.many(linear.type, 1, folded, attributes)
  },
})

type Numbers = ArrayLike<number>

/** What is added to each output channel; undefined if it differs within a channel. */
function biasOf(linear: Linear, b: Constant | null, channels: number): Numbers | undefined {
  if (!b) return new Float64Array(channels)
  const values = numbers(b)
  const perChannel = elementCount(b.shape) === channels && (b.shape.at(-1) === channels || channels === 1)
  if (!perChannel && values.length !== 1) return undefined
  const beta = linear.type === 'Gemm' ? linear.attributes.beta : 1
  return Float64Array.from({ length: channels }, (_, c) => beta * values[perChannel ? c : 0]!)
}

function scaled(values: Numbers, factor: Numbers, channelOf: (index: number) => number): Float64Array {
  const result = new Float64Array(values.length)
  for (let i = 0; i < result.length; i++) result[i] = values[i]! * factor[channelOf(i)]!
  return result
}

function allFinite(values: Numbers): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false
  return true
}

/** The output channel that each weight, by its place in the array, contributes to. */
function outputChannels(linear: Linear, shape: readonly number[]): (index: number) => number {
  const row = elementCount(shape.slice(1))
  if (linear.type === 'Conv') return i => Math.floor(i / row)
  if (linear.type === 'Gemm') return linear.attributes.transB ? i => Math.floor(i / row) : i => i % row
  // [inputs, outputs of one group, ...kernel]; each group of inputs has outputs of its own.
  const [inputs, outputs] = shape as [number, number]
  const kernel = elementCount(shape.slice(2))
  const inputsOfGroup = inputs / linear.attributes.group
  return i => Math.floor(i / (row * inputsOfGroup)) * outputs + (Math.floor(i / kernel) % outputs)
}
