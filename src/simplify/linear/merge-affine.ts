import { elementCount, type Shape } from '../../base/shape.ts'
import { full, type Tensor, tensorBytes } from '../../base/tensor.ts'
import { broadcast } from '../../ops/broadcast.ts'
import type { Ref } from '../../ops/build.ts'
import type { Pattern, Vocabulary } from '../../rewrite/pattern.ts'
import { type Replacement, rule, type Tools } from '../../rewrite/rule.ts'
import type { Settings } from '../settings.ts'
import { type Affine, affineOf, compose } from './affine.ts'
import { type Grid, isAll, rounded } from './grid.ts'

/** A node that scales or shifts the values of a pattern by constants. */
export function affineNode<C>(vocabulary: Vocabulary, x: Pattern<C>, once: boolean) {
  const { op, constant, either } = vocabulary
  const statistics = [constant(), constant(), constant(), constant()] as const
  const all = [
    op.Mul([x, constant()]),
    op.Div([x, constant()]),
    op.Add([x, constant()]),
    op.Sub([x, constant()]),
    op.Sub([constant(), x]),
    op.Neg([x]),
    op.BatchNormalization([x, ...statistics]),
  ]
  return either(...all.map(pattern => (once ? pattern.once() : pattern).as('root')))
}

/**
 * A row of scalings and shifts by constants becomes the shortest that computes the same: nothing, one Mul, Add or Sub, a
 * Mul and an Add, or one BatchNormalization where one is among them. Computed in float64 and rounded once.
 */
export const mergeAffine = ({ maxGrowth }: Pick<Settings, 'maxGrowth'>) =>
  rule({
    name: 'merge-scales',
    match(vocabulary) {
      const { op, any, constant, either } = vocabulary
      const statistics = [constant(), constant(), constant(), constant()] as const
      const inner = either(
        op.Mul([any(), constant()]).once(),
        op.Div([any(), constant()]).once(),
        op.Add([any(), constant()]).once(),
        op.Sub([any(), constant()]).once(),
        op.Sub([constant(), any()]).once(),
        op.Neg([any()]).once(),
        op.BatchNormalization([any(), ...statistics]).once(),
      )
      return affineNode(vocabulary, inner, false)
    },
    replace({ root }, tools) {
      const chain = chainUpFrom(root.node, tools)
      if (chain.length < 2) return tools.decline('its constants are not of a float type')
      const whole = chain.slice(1).reduce<Pick<Affine, 'scale' | 'shift'>>(compose, chain[0]!)
      return shortest(whole, chain, tools, maxGrowth)
    },
  })

/** The steps from a node upwards for as long as nothing else reads what is between them, the last one first. */
function chainUpFrom(node: Affine['node'], tools: Tools): readonly Affine[] {
  const chain: Affine[] = []
  let next: Affine['node'] | undefined = node
  while (next) {
    const step = affineOf(next, tools)
    if (!step) break
    chain.push(step)
    if (tools.uses(step.x) !== 1) break
    next = tools.producer(step.x)
  }
  return chain
}

function shortest(
  { scale, shift }: Pick<Affine, 'scale' | 'shift'>,
  chain: readonly Affine[],
  { op, type, constant, decline }: Tools,
  maxGrowth: number,
): Replacement {
  const { x } = chain.at(-1)!
  const dtype = chain.find(step => step.dtype)?.dtype ?? type(x)?.dtype
  if (!dtype) return decline('the element type is not known')
  const shapes = chain.flatMap(step => [step.scale.shape, step.shift.shape])
  const [multiplies, adds] = [!isAll(scale, 1), !isAll(shift, 0)]
  const norm = chain.find(({ node }) => node.op === 'BatchNormalization')
  if (norm && (multiplies || adds)) {
    const channels = norm.scale.shape[0]!
    const rank = norm.scale.shape.length + 1
    const perChannel = ({ shape, values }: Grid) =>
      values.length === 1 || (values.length === channels && shape.at(1 - rank) === channels)
    if (shapes.every(shape => shape.length < rank || shape[0] === 1) && perChannel(scale) && perChannel(shift)) {
      const spread = ({ values }: Grid): Grid => ({
        shape: [channels],
        values: values.length === 1 ? new Float64Array(channels).fill(values[0]!) : values,
      })
      const [s, t] = [rounded(dtype, spread(scale)), rounded(dtype, spread(shift))]
      if (!s || !t) return decline(`the merged constants are not finite in ${dtype}`)
      const [zeros, ones] = [full(dtype, [channels], 0), full(dtype, [channels], 1)]
      const statistics = [s, t, zeros, ones].map(value => op.constant(value, 'norm'))
      return op.BatchNormalization([x, ...statistics], { epsilon: 0 })
    }
  }
  const negates = adds && isAll(scale, -1)
  const nodes = negates ? 1 : Number(multiplies) + Number(adds)
  if (nodes >= chain.length) return decline('it is as short as it can be')
  const kept = [...(multiplies ? [scale.shape] : []), ...(adds ? [shift.shape] : [])]
  if (!broadcastAlike(type(x)?.shape, kept, shapes)) return decline('its constants broadcast the value')

  const [s, t] = [rounded(dtype, scale), rounded(dtype, shift)]
  if (!s || !t) return decline(`the merged constants are not finite in ${dtype}`)
  const before = chain.flatMap(step => step.node.inputs.map(constant)).filter(value => value !== undefined)
  const bytes = (values: readonly Tensor[]) => values.reduce((sum, value) => sum + tensorBytes(value), 0)
  const after = [...(multiplies && !negates ? [s] : []), ...(adds ? [t] : [])]
  if (bytes(after) > bytes(before) + maxGrowth) return decline('the merged constants would be much larger')

  if (negates) return op.Sub([op.constant(t, 'shift'), x])
  let result: Ref = x
  if (multiplies) result = op.Mul([result, op.constant(s, 'scale')])
  if (adds) result = op.Add([result, op.constant(t, 'shift')])
  return result
}

/** Whether a value comes out in the same shape from constants of the shapes `kept` as from those of all shapes. */
function broadcastAlike(x: Shape | undefined, kept: readonly (readonly number[])[], all: readonly Shape[]): boolean {
  const [after, before] = [broadcast(kept)!, broadcast(all)!]
  if (after.length === before.length && elementCount(after as number[]) === elementCount(before as number[]))
    return true
  if (!x || x.length < before.length) return false
  return before.every((dim, i) => {
    const own = x[x.length - before.length + i]
    return dim === 1 || dim === own || dim === after[after.length - before.length + i]
  })
}
