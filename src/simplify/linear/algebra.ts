import { isFloat } from '../../base/dtype.ts'
import { elementCount, isFixed } from '../../base/shape.ts'
import { numbers, type Tensor } from '../../base/tensor.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { floatNumber } from '../float-number.ts'
import { isNeverNegative } from './never-negative.ts'

/** Adding what is negated is subtracting it, and the other way round; the negative of a difference is the opposite one. */
export const absorbNegation = rule({
  name: 'absorb-negation',
  match: ({ op, any, either }) =>
    either(
      op.Add([any('a'), op.Neg([any('b')]).once()]).as('root'),
      op.Sub([any('a'), op.Neg([any('b')]).once()]).as('root'),
      op.Neg([op.Sub([any('b'), any('a')]).once()]).as('root'),
    ),
  replace: ({ a, b, root }, { op }) => (root.type === 'Sub' ? op.Add([a, b]) : op.Sub([a, b])),
})

/** Multiplying by a reciprocal is dividing, and the other way round. */
export const absorbReciprocal = rule({
  name: 'absorb-reciprocal',
  match: ({ op, any, either }) =>
    either(
      op.Mul([any('a'), op.Reciprocal([any('b')]).once()]).as('root'),
      op.Div([any('a'), op.Reciprocal([any('b')]).once()]).as('root'),
      op.Reciprocal([op.Div([any('b'), any('a')]).once()]).as('root'),
    ),
  replace: ({ a, b, root }, { op }) => (root.type === 'Div' ? op.Mul([a, b]) : op.Div([a, b])),
})

const only = (value: number) => (t: Tensor) => floatNumber(t) === value

/** One divided by a value is its reciprocal. */
export const divideToReciprocal = rule({
  name: 'divide-to-reciprocal',
  match: ({ op, any, constant }) => op.Div([constant('one', only(1)), any('x')]),
  replace: ({ one, x }, tools) =>
    spreads(one, x, tools) ? tools.decline('the constant may add dimensions') : tools.op.Reciprocal([x]),
})

/** Powers that have operators of their own. Squares stay: engines multiply for them already. */
export const plainPower = rule({
  name: 'plain-power',
  match: ({ op, any, constant }) => op.Pow([any('x'), constant('exponent', t => t.data.length === 1)]),
  replace({ x, exponent }, tools) {
    const { op, type, decline } = tools
    const dtype = type(x)?.dtype
    if (!dtype || !isFloat(dtype)) return decline('its elements are not known to be floats')
    if (spreads(exponent, x, tools)) return decline('the exponent may add dimensions')
    const power = numbers(exponent)[0]
    if (power === 1) return x
    // The square root of negative infinity is none; its power of one half is infinite.
    if (power === 0.5) return isNeverNegative(x, tools) ? op.Sqrt([x]) : decline('it may be of a negative number')
    if (power === -1) return op.Reciprocal([x])
    return decline('it has no operator of its own')
  },
})

/** Whether a constant may have more dimensions than the value it meets. */
function spreads(constant: Tensor, x: Ref, { type }: Pick<Tools, 'type'>): boolean {
  const rank = constant.shape.length
  return rank > 0 && rank > (type(x)?.shape?.length ?? 0)
}

/** A sum divided by the number of its terms is a mean, and a mean times their number a sum. */
export const sumToMean = rule({
  name: 'sum-to-mean',
  match: ({ op, any, constant, maybe, either }) => {
    const inputs = [any('x'), maybe(constant('axes'))] as const
    const reduction = either(op.ReduceSum(inputs).once().as('reduction'), op.ReduceMean(inputs).once().as('reduction'))
    const number = constant('number', t => floatNumber(t) !== undefined)
    return either(op.Mul([reduction, number]).as('root'), op.Div([reduction, number]).as('root'))
  },
  replace({ x, axes, reduction, number, root }, tools) {
    const { op, type, decline } = tools
    const shape = type(x)?.shape
    if (!shape) return decline('the rank is not known')
    if (spreads(number, reduction.node.outputs[0]!, tools)) return decline('the constant may add dimensions')
    const named = axes ? Array.from(numbers(axes), axis => countedAxis(axis, shape.length)) : []
    if (named.length === 0 && reduction.attributes.noop_with_empty_axes) return decline('it sums nothing')
    const sizes = named.length > 0 ? named.map(axis => shape[axis]!) : shape
    if (!isFixed(sizes)) return decline('the number of terms is not known')
    const factor = root.type === 'Mul' ? numbers(number)[0]! : 1 / numbers(number)[0]!
    const expected = reduction.type === 'ReduceSum' ? 1 / elementCount(sizes) : elementCount(sizes)
    if (Math.abs(factor / expected - 1) > 1e-6) return decline('the constant is not the number of terms')
    const attributes = reduction.stated
    return reduction.type === 'ReduceSum'
      ? op.ReduceMean([x, axes?.ref], attributes)
      : op.ReduceSum([x, axes?.ref], attributes)
  },
})
