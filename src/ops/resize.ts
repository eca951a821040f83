import { type Dim, divideDims, multiplyDims, type Shape, sameDim } from '../base/shape.ts'
import { float32s, int64s, numbers, type Tensor } from '../base/tensor.ts'
import type { Node } from '../graph/graph.ts'
import { contentsOf } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { type Call, free, type InferredType, type Link, no, operator, type TypedCall } from './operator.ts'
import { axesInOrder, resizeGradient } from './resize-gradient.ts'
import type { AttributesOf } from './spec.generated.ts'
import { refuse } from './spec.ts'

type Attributes = AttributesOf['Resize']

const notFolded = no('resampling is not shape arithmetic')

export const resize = operator('Resize', {
  infer: call => [call.opset < 11 ? resizedType(call, 1) : resizedType(call, 2, 3)],
  gradient: call => [resizeGradient(call)],
  coupling: linksOfKeptAxes,
  prune: ({ constant, kept, attributes, inputs: [x] }) => {
    const sizes = constant(3)
    if (!sizes || !x?.shape) return {}
    const axes = axesInOrder(attributes.axes, x.shape.length)
    const after = Array.from(numbers(sizes), (size, i) => kept('out', 0, axes[i]!)?.length ?? size)
    return { inputs: { 3: int64s(after) } }
  },
  cost: free,
  evaluate: notFolded,
  upgrades: [
    {
      to: 11,
      apply: ({ attributes: { mode }, constant }, op, [x, scales]) => [
        resizedSimply(op, x!, scales!, mode, constant(1)),
      ],
    },
    { to: 13, apply: ({ node, attributes }, op, x) => [op.Resize(x, withoutHalfPixelForNearest(node, attributes))] },
  ],
})

/**
 * `tf_half_pixel_for_nn` was (i + 1/2) / scale, half_pixel's coordinate plus 1/2, and is gone since opset 13. Rounding
 * accounts for the half.
 */
function withoutHalfPixelForNearest(node: Node, attributes: Attributes): Partial<Attributes> {
  if (attributes.coordinate_transformation_mode !== 'tf_half_pixel_for_nn') return attributes
  const rounding: Readonly<Record<string, string>> = { floor: 'round_prefer_ceil', round_prefer_floor: 'ceil' }
  const nearest_mode = rounding[attributes.nearest_mode]
  if (attributes.mode !== 'nearest' || !nearest_mode) {
    refuse(
      node,
      `coordinates tf_half_pixel_for_nn with mode ${attributes.mode} and ${attributes.nearest_mode} are gone.`,
    )
  }
  return { ...attributes, coordinate_transformation_mode: 'half_pixel', nearest_mode }
}

/**
 * Opset 10 had one way to find coordinates, without a name: onnxruntime takes the nearest element below where an axis
 * grows, and above where it shrinks. Where axes do both, one Resize follows the other.
 */
function resizedSimply(op: Ops, x: Ref, scales: Ref, mode: string, known: Tensor | undefined): Ref {
  const factors = known ? Array.from(numbers(known)) : []
  const by = (of: Ref, factor: Ref, nearest_mode: string) =>
    op.Resize([of, null, factor], { mode, ...upsampling, nearest_mode })
  const shrinks = factors.some(factor => factor < 1)
  if (mode !== 'nearest' || !shrinks) return by(x, scales, upsampling.nearest_mode)
  if (!factors.some(factor => factor > 1)) return by(x, scales, 'ceil')
  const limited = (limit: typeof Math.min) =>
    op.constant(
      float32s(
        [factors.length],
        factors.map(f => limit(f, 1)),
      ),
    )
  return by(by(x, limited(Math.max), upsampling.nearest_mode), limited(Math.min), 'ceil')
}

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
      to: 7,
      apply({ attributes }, op, [x]) {
        const scales = { type: 'floats', value: statedScales(attributes as OldAttributes) }
        const { Upsample } = op as unknown as Readonly<Record<string, Ops['Resize']>>
        return [Upsample!([x], { mode: attributes.mode, scales } as object)]
      },
    },
    {
      to: 11,
      apply({ attributes }, op, [x, scales]) {
        const { mode, scales: stated } = attributes as { readonly mode: string; readonly scales?: readonly number[] }
        const factors = scales ?? op.constant(float32s([stated!.length], stated!), 'scales')
        return [op.Resize([x, null, factors], { mode: mode === 'bilinear' ? 'linear' : mode, ...upsampling })]
      },
    },
  ],
})

/** The type of the result, `scales` and `sizes` being the inputs that may say it. */
function resizedType(call: Call<'Resize'>, scales: number, sizes?: number): InferredType {
  const [x] = call.inputs
  const { dtype } = x!
  const shape = x!.shape
  if (!shape) return { dtype, shape: undefined }
  const axes = axesInOrder(call.attributes.axes, shape.length)
  const result: Dim[] = [...shape]
  const stated = statedScales(call.attributes as OldAttributes)
  const factors = call.constant(scales)
  const factor = factors && factors.data.length > 0 ? Array.from(numbers(factors)) : stated
  const target = sizes === undefined ? undefined : contentsOf(call, sizes)
  axes.forEach((axis, i) => {
    if (factor) result[axis] = scaled(shape[axis]!, factor[i]!)
    else result[axis] = target?.[i] ?? ''
  })
  const policy = call.attributes.keep_aspect_ratio_policy
  if (!factor && target && policy && policy !== 'stretch') {
    // With axes counted from the end, onnxruntime resizes nothing.
    const settled = call.attributes.axes?.every(axis => axis >= 0) ?? true
    keepAspect(result, settled ? shape : shape.map(() => ''), axes, policy)
  }
  return { dtype, shape: result }
}

interface OldAttributes {
  readonly scales?: readonly number[]
  readonly height_scale?: number
  readonly width_scale?: number
}

/** Scales as attributes, as Upsample had them until opset 8, and before 7 those of an image. */
function statedScales({
  scales,
  height_scale: height,
  width_scale: width,
}: OldAttributes): readonly number[] | undefined {
  return scales ?? (height === undefined || width === undefined ? undefined : [1, 1, height, width])
}

/** floor(size * factor), computed in float32 as onnxruntime does. */
function scaled(size: Dim, factor: number): Dim {
  if (typeof size === 'number') return Math.floor(Math.fround(Math.fround(factor) * size))
  if (Number.isInteger(factor)) return multiplyDims(size, factor)
  // Halves and the like are exact in float32.
  if (Number.isInteger(16 * factor)) return divideDims(multiplyDims(size, 16 * factor), 16)
  return Number.isInteger(1 / factor) ? divideDims(size, 1 / factor) : ''
}

/** One factor for all the axes: the smallest or the largest that the sizes ask for. */
function keepAspect(result: Dim[], shape: Shape, axes: readonly number[], policy: string): void {
  const fixed = axes.every(axis => typeof result[axis] === 'number' && typeof shape[axis] === 'number')
  const factors = axes.map(axis => Number(result[axis]) / Number(shape[axis]))
  const factor = policy === 'not_larger' ? Math.min(...factors) : Math.max(...factors)
  for (const axis of axes) result[axis] = fixed ? Math.round(factor * Number(shape[axis])) : ''
}

/** Axes that keep their size go through. */
function linksOfKeptAxes({ inputs: [x], outputs: [y] }: TypedCall): readonly Link[] {
  return (x?.shape ?? []).flatMap((dim, axis): Link[] =>
    sameDim(dim, y?.shape?.[axis] ?? '') ? [{ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' }] : [],
  )
}
