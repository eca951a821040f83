import type { Ref } from '../../ops/build.ts'
import type { Constant, Pattern, Vocabulary } from '../../rewrite/pattern.ts'
import { type Replacement, rule, type Tools } from '../../rewrite/rule.ts'
import { type Affine, affineOf } from './affine.ts'
import { affineStep } from './affine-step.ts'
import { cancels } from './cancels.ts'
import { isAll, largest } from './grid.ts'
import {
  biasOf,
  biasTensor,
  type LinearNode,
  outputChannels,
  outputLanes,
  perOutput,
  rebuilt,
  scaled,
} from './linear-node.ts'

interface Found {
  readonly x: Ref
  readonly w: Constant
  /** null, or not there for a MatMul alone. */
  readonly b?: Constant | null
  readonly linear: LinearNode
}

/** A convolution or matrix product with constant weights that nothing else reads; `b` is its bias, for a MatMul an Add's. */
export function linearWithBias({ op, any, constant, maybe, either }: Vocabulary): Pattern<Found> {
  const inputs = [any('x'), constant('w'), maybe(constant('b'))] as const
  return either(
    op.Conv(inputs).once().as('linear'),
    op.ConvTranspose(inputs).once().as('linear'),
    op.Gemm(inputs).once().as('linear'),
    op
      .Add([
        op
          .MatMul([any('x'), constant('w')])
          .once()
          .as('linear'),
        constant('b'),
      ])
      .once(),
    op
      .MatMul([any('x'), constant('w')])
      .once()
      .as('linear'),
  ) as Pattern<Found>
}

/**
 * Mul, Div, Add, Sub and Neg with a constant for each output channel move into the weights and the bias before them:
 * `f (w x + b) + t` is `(f w) x + (f b + t)`. Computed in float64 and rounded once to the weights' type.
 */
export const foldScaleAfter = rule({
  name: 'fold-scale-after',
  match: vocabulary => affineStep(vocabulary, linearWithBias(vocabulary), 'step', { norm: false }),
  replace({ step, ...found }, tools) {
    const affine = affineOf(step.node, tools)
    if (!affine) return tools.decline('its constant is not of a float type')
    return folded(found, affine, tools)
  },
})

/** The linear node with a step after it in its weights and bias. */
export function folded({ x, w, b = null, linear }: Found, { node, scale, shift }: Affine, tools: Tools): Replacement {
  const { op, decline, type, uses } = tools
  const convolution = linear.type === 'Conv' || linear.type === 'ConvTranspose'
  const rank = convolution || linear.type === 'Gemm' ? w.shape.length : type(x)?.shape?.length
  if (rank === undefined) return decline('the rank of its input is not known')
  if (linear.type === 'MatMul' && (w.shape.length < 2 || w.shape.length > rank)) {
    return decline('its weights have a rank of their own')
  }
  const channels = outputChannels(linear, w)
  const [factor, addend] = [perOutput(scale, linear, w, rank), perOutput(shift, linear, w, rank)]
  if (!factor || !addend) return decline('the constant is not one number for each channel')
  if (linear.type === 'MatMul' && !b && !isAll(shift, 0) && node.op !== 'BatchNormalization') {
    return decline('a MatMul has no bias')
  }
  const bias = biasOf(linear, b, channels, rank)
  if (!bias) return decline(`the addend '${b!.ref}' is not one number for each channel`)

  const added = bias.map((value, c) => value + addend[c]! / factor[c]!)
  const [most, left] = [bias, added].map(values => largest({ shape: [channels], values })) as [number, number]
  if (node.op !== 'BatchNormalization' && cancels(most, left, w.dtype)) {
    return decline('it may round its values on purpose')
  }

  const unchanged = isAll(scale, 1)
  if (!unchanged && uses(w.ref) > 1) {
    return decline(`the weights '${w.ref}' serve another node too and would be stored twice`)
  }
  const weights = unchanged ? w : scaled(w, factor, outputLanes(linear, w.shape))
  const sums = biasTensor(
    w,
    bias.map((value, c) => factor[c]! * value + addend[c]!),
  )
  if (!weights || !sums) return decline(`the folded weights are not finite in ${w.dtype}`)
  const needed = b !== null || !isAll(shift, 0)
  const hint = b?.ref ?? 'bias'
  return rebuilt(
    op,
    linear,
    x,
    unchanged ? w.ref : op.constant(weights, w.ref),
    needed ? op.constant(sums, hint) : null,
  )
}
