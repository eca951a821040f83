import { elementCount, type Shape, sameDim } from '../../base/shape.ts'
import { full, type Tensor, tensorBytes } from '../../base/tensor.ts'
import { broadcast } from '../../ops/broadcast.ts'
import type { Ref } from '../../ops/build.ts'
import { type Replacement, rule, type Tools } from '../../rewrite/rule.ts'
import type { Settings } from '../settings.ts'
import { type Affine, affineOf, compose } from './affine.ts'
import { affineStep } from './affine-step.ts'
import { cancels } from './cancels.ts'
import { combine, type Grid, isAll, largest, rounded } from './grid.ts'

/**
 * A row of scalings and shifts by constants becomes the shortest that computes the same: nothing, one Mul, Add or Sub, a
 * Mul and an Add, or one BatchNormalization where one is among them. Computed in float64 and rounded once.
 */
export const mergeAffine = ({ maxGrowth }: Pick<Settings, 'maxGrowth'>) =>
  rule({
    name: 'merge-affine',
    match: vocabulary =>
      affineStep(vocabulary, affineStep(vocabulary, vocabulary.any(), 'inner', { once: true }), 'root'),
    replace({ root }, tools) {
      const chain = chainUpFrom(root.node, tools)
      if (chain.length < 2) return tools.decline('its constants are not of a float type')
      const whole = chain.slice(1).reduce<Pick<Affine, 'scale' | 'shift'>>(compose, chain[0]!)
      if (roundsOnPurpose(chain, whole)) return tools.decline('it may round its values on purpose')
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

/** Whether much is added and taken away again on the way, by what the shifts come to before any scaling. */
function roundsOnPurpose(chain: readonly Affine[], whole: Pick<Affine, 'scale' | 'shift'>): boolean {
  const dtype = chain.find(step => step.dtype)?.dtype
  if (!dtype || chain.every(step => isAll(step.shift, 0))) return false
  const unscaled = ({ scale, shift }: Pick<Affine, 'scale' | 'shift'>) =>
    largest(combine(shift, scale, (t, f) => t / f))
  let most = 0
  let through: Pick<Affine, 'scale' | 'shift'> | undefined
  for (const step of chain.toReversed()) {
    through = through ? compose(step, through) : step
    most = Math.max(most, unscaled(through))
  }
  return cancels(most, unscaled(whole), dtype)
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
  const channels = norm?.scale.shape[0] ?? 0
  const rank = (norm?.scale.shape.length ?? 0) + 1
  if (
    norm &&
    (multiplies || adds) &&
    hasChannels(type(x)?.shape, channels, rank, chain.slice(chain.indexOf(norm) + 1))
  ) {
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

/** Whether a value has the channels that a batch normalization wants before the steps that lead up to it, not by them. */
function hasChannels(x: Shape | undefined, channels: number, rank: number, before: readonly Affine[]): boolean {
  if (x?.length !== rank) return false
  const alike = ({ values }: Grid) => values.length === 1
  return sameDim(x[1]!, channels) || before.every(({ scale, shift }) => alike(scale) && alike(shift))
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
