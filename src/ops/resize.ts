import { SinterError } from '../base/errors.ts'
import { type Dim, divideDims, multiplyDims, type Shape, sameDim } from '../base/shape.ts'
import { float32s, fromNumbers, int64s, numbers } from '../base/tensor.ts'
import { contentsOf } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { scalarLike } from './elementwise.ts'
import { type Interpolation, interpolation } from './interpolation.ts'
import {
  type Backward,
  type Call,
  free,
  type InferredType,
  type Link,
  no,
  operator,
  type TypedCall,
} from './operator.ts'

const notFolded = no('resampling is not shape arithmetic')

export const resize = operator('Resize', {
  infer: call => [resizedType(call, scalesInput(call), 3)],
  gradient: call => [resizeGradient(call)],
  coupling: linksOfKeptAxes,
  prune: ({ constant, kept, attributes: { axes } }) => {
    const sizes = constant(3)
    if (!sizes) return {}
    const after = Array.from(numbers(sizes), (size, i) => kept('out', 0, axes?.[i] ?? i)?.length ?? size)
    return { inputs: { 3: int64s(after) } }
  },
  cost: free,
  evaluate: notFolded,
  upgrades: [
    {
      // Opset 10 had one way to find coordinates, without a name.
      to: 11,
      apply: ({ attributes: { mode } }, op, [x, scales]) => [op.Resize([x, null, scales], { mode, ...upsampling })],
    },
  ],
})

const upsampling = { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' } as const

// The newest opsets have no Upsample, so the typed table has none either; its attributes are among Resize's.
export const upsample = operator('Upsample' as 'Resize', {
  infer: call => [resizedType(call, 1)],
  gradient: no('it is read as the Resize that took its place'),
  coupling: linksOfKeptAxes,
  cost: free,
  evaluate: notFolded,
  upgrades: [
    {
      to: 10,
      apply({ attributes }, op, [x, scales]) {
        const { mode, scales: stated } = attributes as { readonly mode: string; readonly scales?: readonly number[] }
        const factors = scales ?? op.constant(float32s([stated!.length], stated!), 'scales')
        return [op.Resize([x, null, factors], { mode: mode === 'bilinear' ? 'linear' : mode, ...upsampling })]
      },
    },
  ],
})

function scalesInput({ opset }: Call): number {
  return opset < 11 ? 1 : 2
}

function resizedType(call: Call<'Resize'>, scales: number, sizes?: number): InferredType {
  const [x] = call.inputs
  const { dtype } = x!
  const shape = x!.shape
  if (!shape) return { dtype, shape: undefined }
  const axes = call.attributes.axes
    ? call.attributes.axes.map(axis => (axis + shape.length) % shape.length)
    : shape.map((_, axis) => axis)
  const result: Dim[] = [...shape]
  const { scales: stated } = call.attributes as { readonly scales?: readonly number[] }
  const factors = call.constant(scales)
  const factor = factors && factors.data.length > 0 ? Array.from(numbers(factors)) : stated
  const target = sizes === undefined ? undefined : contentsOf(call, sizes)
  axes.forEach((axis, i) => {
    if (factor) result[axis] = scaled(shape[axis]!, factor[i]!)
    else result[axis] = target?.[i] ?? ''
  })
  const policy = call.attributes.keep_aspect_ratio_policy
  if (!factor && target && policy && policy !== 'stretch') keepAspect(result, shape, axes, policy)
  return { dtype, shape: result }
}

/** floor(size * factor), computed in float32 as onnxruntime does. */
function scaled(size: Dim, factor: number): Dim {
  if (typeof size === 'number') return Math.floor(Math.fround(Math.fround(factor) * size))
  if (Number.isInteger(factor)) return multiplyDims(size, factor)
  return Number.isInteger(1 / factor) ? divideDims(size, 1 / factor) : ''
}

/** One factor for all the axes: the smallest or the largest that the sizes ask for. */
function keepAspect(result: Dim[], shape: Shape, axes: readonly number[], policy: string): void {
  const factors = axes.map(axis => Number(result[axis]) / Number(shape[axis]))
  const factor = policy === 'not_larger' ? Math.min(...factors) : Math.max(...factors)
  for (const axis of axes) result[axis] = Number.isNaN(factor) ? '' : Math.round(factor * Number(shape[axis]))
}

/** Axes that keep their size go through. */
function linksOfKeptAxes({ inputs: [x], outputs: [y] }: TypedCall): readonly Link[] {
  return (x?.shape ?? []).flatMap((dim, axis): Link[] =>
    sameDim(dim, y?.shape?.[axis] ?? '') ? [{ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' }] : [],
  )
}

/** Resampling is linear and goes axis by axis, so the gradient is the product with each axis's weights, transposed. */
function resizeGradient(call: Backward<'Resize'>): Ref {
  const {
    op,
    attributes,
    x: [x],
    y: [y],
    dy: [dy],
    constant,
    choose,
    node,
  } = call
  const [from, to] = [op.shape(x!), op.shape(y!)]
  const why =
    attributes.antialias === 1
      ? 'with antialiasing'
      : attributes.coordinate_transformation_mode === 'tf_crop_and_resize'
        ? 'with cropping'
        : undefined
  if (why) {
    throw new SinterError('not-differentiable', `Resize '${node.name}' ${why} has no gradient in Sinter.`, {
      node: node.name,
    })
  }
  const stated = constant(2)
  const factors = stated && stated.data.length > 0 ? numbers(stated) : undefined
  const order = attributes.axes
    ? attributes.axes.map(axis => (axis + from.length) % from.length)
    : from.map((_, axis) => axis)
  const axes = from.flatMap((size, axis): Resampled[] => {
    const at = order.indexOf(axis)
    const factor = at < 0 ? 1 : (factors?.[at] ?? to[axis]! / size)
    if (size === to[axis] && factor === 1) return []
    return [{ axis, ...interpolation(attributes, size, to[axis]!, factor) }]
  })
  const product = () => axes.reduce((gradient, along) => contracted(op, gradient, along, from.length), dy!)
  const tiles = axes.map(tileOf)
  const pooling = op.type(x!).dtype === 'float32' && axes.every(({ axis }, i) => axis >= 2 && tiles[i] !== undefined)
  if (!pooling) return choose('dX', { product })
  const window = from.slice(2).map((_, i) => tiles[axes.findIndex(({ axis }) => axis === i + 2)] ?? 1)
  const summed = () => {
    const means = op.AveragePool([dy], { kernel_shape: window, strides: window })
    return op.Mul([
      means,
      scalarLike(
        op,
        dy!,
        window.reduce((count, size) => count * size, 1),
      ),
    ])
  }
  return choose('dX', { summed, product })
}

interface Resampled extends Interpolation {
  readonly axis: number
}

/** How often each element is repeated, where that is all that happens along an axis. */
function tileOf({ input, output, taps }: Interpolation): number | undefined {
  const tile = output / input
  const repeats = taps.every((own, i) => own.length === 1 && own[0]!.from === Math.floor(i / tile))
  return Number.isInteger(tile) && repeats ? tile : undefined
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
