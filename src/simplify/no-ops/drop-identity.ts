import { rule } from '../../rewrite/rule.ts'

/** `Identity(x)` is x. */
export const dropIdentity = rule({
  name: 'drop-identity',
  match: ({ op, any }) => op.Identity([any('x')]),
  replace: ({ x }) => x,
})
