import { isFloat } from '../../base/dtype.ts'
import type { Dim, Shape } from '../../base/shape.ts'
import { full, numbers, type Tensor } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import type { Constant, Vocabulary } from '../../rewrite/pattern.ts'
import { type Decline, rule, type Tools } from '../../rewrite/rule.ts'
import { combine, type Grid, gridOf, rounded, single } from '../linear/grid.ts'
import { isDeviation, isVarianceOf, meanOf } from './moments.ts'
import { isClosed, numberOf } from './polynomial.ts'

/** What is normalized: (x - mean) / sqrt(variance + epsilon), mean and variance along some axes. */
interface Normalized {
  readonly x: Ref
  readonly axes: readonly number[]
  readonly rank: number
  readonly shape: Shape
  readonly epsilon: number
  readonly dtype: Tensor['dtype']
}

/**
 * A normalization by mean and variance that is written out becomes a LayerNormalization along the last axes, an
 * InstanceNormalization along all axes after the channels, and a LayerNormalization between Transposes along the
 * channels of an image. onnxruntime fuses the first itself; the second takes 0.5 to 0.8 of the time, the third 0.7 to 0.85.
 */
export const recognizeNormalization = rule({
  name: 'recognize-normalization',
  match({ op, any, either, constant }) {
    const sum = op.Add([any('variance'), constant('epsilon')])
    const deviation = op.Sqrt([sum])
    const inverse = either(
      op.Reciprocal([deviation]),
      op.Pow([sum, constant('power')]),
      op.Div([constant('scale'), deviation]),
      op.Mul([op.Reciprocal([deviation]), constant('scale')]),
      op.Mul([op.Pow([sum, constant('power')]), constant('scale')]),
    )
    return either(
      op.Div([any('centered'), deviation]).as('root'),
      op.Mul([any('centered'), inverse]).as('root'),
      // As TensorFlow computes it: x f + (shift - mean f).
      op.Add([op.Mul([any('x'), inverse]), op.Sub([constant('shift'), op.Mul([any('mean'), inverse])])]).as('root'),
    )
  },
  replace(found, tools) {
    const { variance, root, epsilon } = found
    const { op, decline, type } = tools
    const given = found as { readonly [key in 'power' | 'scale' | 'shift']?: Constant }
    if (given.power && numberOf(given.power.ref, tools) !== -0.5) return decline('it takes another power')
    const centered = 'centered' in found ? found.centered : undefined
    const from = 'mean' in found ? found.mean : tools.producer(centered!)?.inputs[1]
    const mean = from === undefined ? undefined : meanOf(from, tools)
    const small = numberOf(epsilon.ref, tools)
    const known = mean && type(mean.x)
    if (!mean || small === undefined || !known?.shape || !isFloat(known.dtype) || mean.axes.length === 0) {
      return decline('it does not divide deviations from a mean')
    }
    const deviates = centered === undefined ? (found as { x?: Ref }).x === mean.x : isDeviation(centered, mean, tools)
    if (!deviates || !isVarianceOf(variance, mean, centered, tools)) {
      return decline('it does not divide deviations from a mean by their root mean square')
    }
    const [end] = root.node.outputs as readonly [Ref]
    if (!isClosed(nodesUpTo(end, mean.x, tools), end, tools)) return decline('something else reads a part of it')
    const { shape, dtype } = known
    const plain = asOperator({ ...mean, rank: shape.length, shape, epsilon: small, dtype }, tools)
    if (typeof plain !== 'string') return plain
    const scaled = given.scale ? op.Mul([plain, given.scale.ref]) : plain
    return given.shift ? op.Add([scaled, given.shift.ref]) : scaled
  },
})

/** The nodes between two values. */
function nodesUpTo(end: Ref, x: Ref, { producer, constant }: Tools): ReadonlySet<Node> {
  const nodes = new Set<Node>()
  const open = [end]
  for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
    const node = ref === x || constant(ref) ? undefined : producer(ref)
    if (!node || nodes.has(node) || nodes.size > 16) continue
    nodes.add(node)
    open.push(...node.inputs)
  }
  return nodes
}

function asOperator({ x, axes, rank, shape, epsilon, dtype }: Normalized, { op, decline }: Tools): Ref | Decline {
  const ones = (sizes: readonly number[]) => op.constant(full(dtype, sizes, 1), 'scale')
  const fixed = (dims: readonly Dim[]): dims is readonly number[] => dims.every(dim => typeof dim === 'number')
  const sizes = axes.map(axis => shape[axis]!)
  const consecutive = axes.every((axis, i) => axis === axes[0]! + i)
  const last = consecutive && axes.at(-1) === rank - 1
  const channels = shape[1]!
  if (last && axes[0] === 2 && rank > 3 && typeof channels === 'number') {
    const zeros = op.constant(full(dtype, [channels], 0), 'shift')
    return op.InstanceNormalization([x, ones([channels]), zeros], { epsilon })
  }
  if (!fixed(sizes)) return decline('the sizes of what it normalizes are not known')
  if (last) return op.LayerNormalization([x, ones(sizes)], { axis: axes[0]! - rank, epsilon })
  if (axes.length !== 1 || axes[0] !== 1 || rank < 3) return decline('no operator normalizes along these axes')
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 2)
  const turned = op.Transpose([x], { perm: [0, ...spatial, 1] })
  const normal = op.LayerNormalization([turned, ones(sizes)], { axis: -1, epsilon })
  return op.Transpose([normal], { perm: [0, rank - 1, ...spatial.map(axis => axis - 1)] })
}

/** A normalization that has a scale and a shift of its own, perhaps with a Transpose after it. */
function scaledNormalization({ op, any, constant, maybe, either }: Vocabulary) {
  const layer = op
    .LayerNormalization([any('x'), constant('scale'), maybe(constant('shift'))])
    .once()
    .as('norm')
  return either(
    layer,
    op
      .InstanceNormalization([any('x'), constant('scale'), constant('shift')])
      .once()
      .as('norm'),
    op.Transpose([layer]).once().as('transpose'),
  )
}

/** Constants that scale and shift what is normalized become the normalization's own. */
export const scaleIntoNormalization = rule({
  name: 'scale-into-normalization',
  match(vocabulary) {
    const { op, constant, either } = vocabulary
    const norm = scaledNormalization(vocabulary)
    return either(
      op.Mul([norm, constant('c')]).as('root'),
      op.Div([norm, constant('c')]).as('root'),
      op.Add([norm, constant('c')]).as('root'),
      op.Sub([norm, constant('c')]).as('root'),
    )
  },
  replace(found, tools) {
    const { x, scale, shift, norm, root, c } = found
    const { op, decline, type, uses } = tools
    if (root.type === 'Sub' || root.type === 'Div') {
      if (root.node.inputs[1] !== c.ref) return decline('the constant stands in front')
    }
    if (norm.node.outputs.length > 1) return decline('it puts out its statistics too')
    const rank = type(x)?.shape?.length
    if (rank === undefined) return decline('the rank is not known')
    const perm = 'transpose' in found ? (found.transpose.attributes.perm ?? reversed(rank)) : undefined
    const values = onScale(c, norm, scale, rank, perm)
    if (!values) return decline('the constant does not lie along what is normalized')
    if (uses(scale.ref) > 1 && scale.data.length > 4096) return decline('the scale serves another node too')
    // Scale and shift may each be one number for several places: both are broadcast to what is normalized.
    const own = shift ? gridOf(shift) : gridOf(full(scale.dtype, scale.shape, 0))
    const multiplies = root.type === 'Mul' || root.type === 'Div'
    const apply = { Mul: times, Div: (a: number, b: number) => a / b, Add: plus, Sub: (a: number, b: number) => a - b }
    const s = multiplies ? rounded(scale.dtype, combine(gridOf(scale), values, apply[root.type])) : scale
    const t = multiplies && !shift ? null : rounded(scale.dtype, combine(own, values, apply[root.type]))
    if (s === undefined || t === undefined) return decline('it is not finite')
    const scaled = multiplies ? op.constant(s, c.ref) : scale.ref
    const shifted = t && op.constant(t, multiplies ? shift!.ref : c.ref)
    const result = op.many(norm.type, 1, [x, scaled, shifted], norm.stated)[0]!
    return perm ? op.Transpose([result], { perm }) : result
  },
})

const times = (a: number, b: number) => a * b
const plus = (a: number, b: number) => a + b
const reversed = (rank: number) => Array.from({ length: rank }, (_, i) => rank - 1 - i)

/** A constant's numbers where the normalization's scale has its own; undefined if they differ along other axes. */
function onScale(
  c: Constant,
  norm: { readonly type: string; readonly attributes: object },
  scale: Tensor,
  rank: number,
  perm: readonly number[] | undefined,
): Grid | undefined {
  const count = scale.data.length
  if (c.shape.length > rank) return undefined
  if (c.data.length === 1) return single(numbers(c)[0]!)
  if (c.data.length !== count) return undefined
  const padded = [...new Array<number>(rank - c.shape.length).fill(1), ...c.shape]
  // Where each axis lay before the Transpose.
  const before = perm ? perm.map((_, axis) => padded[perm.indexOf(axis)]!) : padded
  const axis = (norm.attributes as { axis?: number }).axis ?? 1
  const own = norm.type === 'InstanceNormalization' ? [1] : reversed(rank).reverse().slice(countedAxis(axis, rank))
  const sizes = own.map(at => before[at]!)
  if (`${sizes}` !== `${scale.shape}` || (perm && own.length > 1)) return undefined
  return { shape: scale.shape, values: numbers(c) }
}
