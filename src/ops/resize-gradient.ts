import { SinterError } from '../base/errors.ts'
import { elementCount } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { describe } from '../graph/graph.ts'
import { axisOf } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { scalarLike } from './elementwise.ts'
import { type Interpolation, interpolation } from './interpolation.ts'
import type { Backward } from './operator.ts'

/** Resampling is linear and goes axis by axis, so the gradient is a product with each axis's weights, transposed. */
export function resizeGradient(call: Backward<'Resize'>): Ref {
  const {
    op,
    x: [x],
    dy: [dy],
    choose,
  } = call
  const rank = op.shape(x!).length
  const axes = resampledAxes(call)
  const product = () => axes.reduce((gradient, along) => contracted(op, gradient, along, rank), dy!)
  const tiles = tilesOf(axes, rank)
  if (!tiles || op.type(x!).dtype !== 'float32') return choose('dX', { product })
  const summed = () => {
    const means = op.AveragePool([dy], { kernel_shape: tiles, strides: tiles })
    return op.Mul([means, scalarLike(op, dy!, elementCount(tiles))])
  }
  return choose('dX', { summed, product })
}

interface Resampled extends Interpolation {
  readonly axis: number
}

/** The axes on which elements move or mix. */
function resampledAxes({ node, op, attributes, x: [x], y: [y], constant }: Backward<'Resize'>): readonly Resampled[] {
  const cropped = attributes.coordinate_transformation_mode === 'tf_crop_and_resize'
  if (attributes.antialias === 1 || cropped) {
    const why = cropped ? 'it crops' : 'it smooths against aliasing'
    throw new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}.`, { node: node.name, why })
  }
  const [from, to] = [op.shape(x!), op.shape(y!)]
  const order = axesInOrder(attributes.axes, from.length)
  const [scales, sizes] = [numbersOf(constant(2)), numbersOf(constant(3))]
  const ratios = order.map((axis, i) => (sizes?.[i] ?? to[axis]!) / from[axis]!)
  const policy = attributes.keep_aspect_ratio_policy
  const common = policy === 'not_larger' ? Math.min : policy === 'not_smaller' ? Math.max : undefined
  return order.flatMap((axis, i): Resampled[] => {
    const factor = scales?.[i] ?? (common ? common(...ratios) : ratios[i]!)
    if (from[axis] === to[axis] && factor === 1) return []
    return [{ axis, ...interpolation(attributes, from[axis]!, to[axis]!, factor) }]
  })
}

/** The axes that scales and sizes are for. */
export function axesInOrder(axes: readonly number[] | undefined, rank: number): readonly number[] {
  return axes?.map(axis => axisOf(axis, rank)) ?? Array.from({ length: rank }, (_, axis) => axis)
}

/** A constant's numbers; an empty one stands for none. */
function numbersOf(t: Tensor | undefined): ArrayLike<number> | undefined {
  return t && t.data.length > 0 ? numbers(t) : undefined
}

/** How often each element of each spatial axis is repeated, where that is all that happens. */
function tilesOf(axes: readonly Resampled[], rank: number): readonly number[] | undefined {
  const tiles = new Array<number>(rank - 2).fill(1)
  for (const { axis, input, output, taps } of axes) {
    const tile = output / input
    const repeats = taps.every((own, i) => own.length === 1 && own[0]!.from === Math.floor(i / tile))
    if (axis < 2 || !Number.isInteger(tile) || !repeats) return undefined
    tiles[axis - 2] = tile
  }
  return tiles
}

/** The gradient of one axis's resampling: a product with its weights [output, input]. */
function contracted(op: Ops, gradient: Ref, { axis, input, output, taps }: Resampled, rank: number): Ref {
  const weights = new Float64Array(output * input)
  taps.forEach((own, i) => {
    for (const { from, weight } of own) weights[i * input + from]! += weight
  })
  const matrix = op.constant(fromNumbers(op.type(gradient).dtype, [output, input], weights), 'interpolation')
  if (axis === rank - 1) return op.MatMul([gradient, matrix])
  const perm = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i))
  return op.Transpose([op.MatMul([op.Transpose([gradient], { perm }), matrix])], { perm })
}
