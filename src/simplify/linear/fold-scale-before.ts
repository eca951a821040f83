import { sameDim } from '../../base/shape.ts'
import { reshape } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import type { Constant } from '../../rewrite/pattern.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { affineOf } from './affine.ts'
import { affineStep } from './affine-step.ts'
import { along, isAll } from './grid.ts'
import {
  biasOf,
  biasTensor,
  inputChannels,
  inputLanes,
  type LinearNode,
  outputChannels,
  rebuilt,
  scaled,
  throughWeights,
} from './linear-node.ts'

/**
 * Scalings and shifts by a constant for each input channel move into the weights and the bias after them:
 * `w (f x + t) + b` is `(f w) x + (b + w t)`. Where zeros are padded around what is shifted, only scalings can.
 */
export const foldScaleBefore = rule({
  name: 'fold-scale-before',
  match(vocabulary) {
    const { op, any, constant, maybe, either } = vocabulary
    const before = affineStep(vocabulary, any(), 'step', { once: true })
    const inputs = [before, constant('w'), maybe(constant('b'))] as const
    return either(
      op.Conv(inputs).as('linear'),
      op.ConvTranspose(inputs).as('linear'),
      op.Gemm(inputs).as('linear'),
      op.Add([
        op
          .MatMul([before, constant('w')])
          .once()
          .as('linear'),
        constant('b'),
      ]),
      op.MatMul([before, constant('w')]).as('linear'),
    )
  },
  replace(found, tools) {
    const { step, w } = found
    const linear: LinearNode = found.linear
    const b = 'b' in found ? found.b : null
    const { op, decline, uses, type } = tools
    const affine = affineOf(step.node, tools)
    if (!affine) return decline('its constant is not of a float type')
    const { scale, shift, x } = affine
    if (endsNormalization(step.node, tools)) return decline('it ends a normalization that engines know as a whole')
    const convolution = linear.type === 'Conv' || linear.type === 'ConvTranspose'
    if (!convolution && w.shape.length !== 2) return decline('its weights are not a matrix')
    if (linear.type === 'Gemm' && linear.attributes.transA) return decline('its input is transposed')
    const own = type(x)?.shape
    const rank = own?.length
    if (!own || rank === undefined) return decline('the rank of its input is not known')
    const axis = convolution ? 1 - w.shape.length : -1
    const channels = inputChannels(linear, w)
    const [factor, addend] = [along(scale, axis, rank, channels), along(shift, axis, rank, channels)]
    if (!factor || !addend) return decline('the constant is not one number for each channel')
    // A value of one channel becomes one of several where it meets a constant for each.
    const alone = scale.values.length === 1 && shift.values.length === 1
    if (!alone && step.node.op !== 'BatchNormalization' && !sameDim(own.at(axis) ?? '', channels)) {
      return decline('its input may get its channels from the constant')
    }
    const shifts = !isAll(shift, 0)
    if (shifts && convolution && !seesEveryPlaceAlike(linear, w.shape)) {
      return scaleAlone(step.node, linear, w, b, channels, tools) ?? decline('its padding is not shifted')
    }
    if (shifts && linear.type === 'MatMul' && !b) return decline('a MatMul has no bias')
    const scales = !isAll(scale, 1)
    if (scales && uses(w.ref) > 1) {
      return decline(`the weights '${w.ref}' serve another node too and would be stored twice`)
    }
    const outputs = outputChannels(linear, w)
    const bias = biasOf(linear, b, outputs, rank)
    if (!bias) return decline(`the addend '${b!.ref}' is not one number for each channel`)

    const weights = scales ? scaled(w, factor, inputLanes(linear, w.shape)) : w
    const through = shifts ? throughWeights(linear, w, addend) : new Float64Array(outputs)
    const sums = biasTensor(
      w,
      bias.map((value, c) => value + through[c]!),
    )
    if (!weights || !sums) return decline(`the folded weights are not finite in ${w.dtype}`)
    const ref = scales ? op.constant(weights, w.ref) : w.ref
    return rebuilt(op, linear, x, ref, b || shifts ? op.constant(sums, b?.ref ?? 'bias') : null)
  },
})

/** A scale past the shift between it and padded weights: `w (f x + t)` is `(f w) (x + t / f)`. undefined if there is none. */
function scaleAlone(
  shiftNode: Node,
  linear: LinearNode,
  w: Constant,
  b: Constant | null,
  channels: number,
  tools: Tools,
): Ref | undefined {
  const { op, type, uses, producer } = tools
  const shift = affineOf(shiftNode, tools)
  const before = shift && uses(shift.x) === 1 ? producer(shift.x) : undefined
  const scale = before && affineOf(before, tools)
  const rank = scale && type(scale.x)?.shape?.length
  if (!shift || !scale || rank === undefined || !isAll(scale.shift, 0) || !isAll(shift.scale, 1)) return undefined
  const axis = 1 - w.shape.length
  const [factor, addend] = [along(scale.scale, axis, rank, channels), along(shift.shift, axis, rank, channels)]
  if (!factor || !addend || uses(w.ref) > 1) return undefined
  const weights = scaled(w, factor, inputLanes(linear, w.shape))
  const moved = biasTensor(
    w,
    addend.map((value, c) => value / factor[c]!),
  )
  if (!weights || !moved) return undefined
  const shape = [channels, ...new Array<number>(w.shape.length - 2).fill(1)]
  const shifted = op.Add([scale.x, op.constant(reshape(moved, shape), 'shift')])
  return rebuilt(op, linear, shifted, op.constant(weights, w.ref), b?.ref ?? null)
}

/** Whether every output is a sum over all weights, none of them falling on padding. */
function seesEveryPlaceAlike(linear: LinearNode, shape: readonly number[]): boolean {
  if (linear.type === 'ConvTranspose') {
    const { strides, pads, output_padding, output_shape, auto_pad } = linear.attributes
    const plain = shape.slice(2).every(size => size === 1) && (strides ?? []).every(stride => stride === 1)
    return (
      plain && auto_pad === 'NOTSET' && !output_shape && ![...(pads ?? []), ...(output_padding ?? [])].some(Boolean)
    )
  }
  if (linear.type !== 'Conv') return true
  const { pads, auto_pad } = linear.attributes
  if (auto_pad === 'VALID') return true
  return auto_pad === 'NOTSET' && !(pads ?? []).some(size => size !== 0)
}

/** The last step of a root mean square normalization, x / sqrt(mean(x^2) + c) * scale, which onnxruntime fuses. */
function endsNormalization({ op, inputs }: Node, { producer }: Tools): boolean {
  if (op !== 'Mul') return false
  return inputs.some(input => {
    const divided = producer(input)
    if (divided?.op === 'Div') return producer(divided.inputs[1]!)?.op === 'Sqrt'
    return divided?.op === 'Mul' && divided.inputs.some(factor => producer(factor)?.op === 'Reciprocal')
  })
}
