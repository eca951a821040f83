import { sameDim } from '../../base/shape.ts'
import { neverNegative, rounding } from '../../ops/kinds.ts'
import type { OpName } from '../../ops/spec.ts'
import { rule } from '../../rewrite/rule.ts'

const among = (names: ReadonlySet<string>) => [...names] as OpName[]

/** Operators that leave what the other made as it is: what rounds has nothing to round in whole numbers. */
const idle: readonly (readonly [outer: OpName, inner: OpName])[] = [
  ...(['Ceil', 'Floor', 'Round'] as const).flatMap(outer => among(rounding).map(inner => [outer, inner] as const)),
  ['Sign', 'Sign'],
  ...(['Abs', 'Relu'] as const).flatMap(outer => among(neverNegative).map(inner => [outer, inner] as const)),
]

/** An operation on what it leaves as it is: rounding twice, the absolute value of what is never negative. */
export const dropRepeated = rule({
  name: 'drop-repeated',
  match: ({ op, rest, either }) =>
    either(...idle.map(([outer, inner]) => op[outer]([op[inner]([rest('inputs')]).as('inner')]))),
  replace: ({ inner }) => inner.node.outputs[0]!,
})

/**
 * Operations that undo themselves: `Not(Not(x))`, `Neg(Neg(x))`. `Reciprocal` is none of them: twice rounded, it is not
 * what it was.
 */
export const dropUndone = rule({
  name: 'drop-undone',
  match: ({ op, any, either }) =>
    either(...(['Not', 'Neg', 'BitwiseNot'] as const).map(name => op[name]([op[name]([any('x')])]))),
  replace: ({ x }) => x,
})

/** One value in all places: the larger of x and x, x and x. */
export const dropEqualOperands = rule({
  name: 'drop-equal-operands',
  match: ({ op, any, rest, either }) =>
    either(
      ...(['And', 'Or', 'Max', 'Min', 'Mean', 'BitwiseAnd', 'BitwiseOr'] as const).map(name =>
        op[name]([any('x'), rest('others')]),
      ),
      // The condition's shape must not be the larger one.
      op.Where([any('others'), any('x'), any('x')]),
    ),
  replace({ x, others }, { type, decline }) {
    const list = typeof others === 'string' ? [] : others
    if (list.some(name => name !== x)) return decline('its operands differ')
    if (typeof others !== 'string') return x
    const [condition, shape] = [type(others)?.shape, type(x)?.shape]
    const fits =
      condition &&
      shape &&
      condition.length <= shape.length &&
      condition.every((dim, axis) => dim === 1 || sameDim(dim, shape[axis + shape.length - condition.length]!))
    return fits ? x : decline(`the condition '${others}' may broadcast '${x}' to a larger shape`)
  },
})
