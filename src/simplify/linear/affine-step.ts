import type { Found, NodePattern, Pattern, Vocabulary } from '../../rewrite/pattern.ts'

type Step = 'Mul' | 'Div' | 'Add' | 'Sub' | 'Neg'

/**
 * A node that scales or shifts the values of a pattern by constants, as `affineOf` reads it.
 * @param as what the match calls it.
 * @param once only where nothing but the pattern reads it.
 * @param norm batch normalizations too.
 */
export function affineStep<C, const N extends string>(
  { op, constant, either }: Vocabulary,
  x: Pattern<C>,
  as: N,
  { once = false, norm = true } = {},
): Pattern<C & { readonly [key in N]: Found<Step | 'BatchNormalization'> }> {
  const statistics = [constant(), constant(), constant(), constant()] as const
  const steps = [
    op.Mul([x, constant()]),
    op.Div([x, constant()]),
    op.Add([x, constant()]),
    op.Sub([x, constant()]),
    op.Sub([constant(), x]),
    op.Neg([x]),
    ...(norm ? [op.BatchNormalization([x, ...statistics])] : []),
  ] as readonly NodePattern<Step, C>[]
  return either(...steps.map(step => (once ? step.once() : step).as(as))) as never
}
