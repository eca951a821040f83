import { addDims, type Dim, divideDims, multiplyDims, type Shape, subtractDims } from '../base/shape.ts'

/** The attributes that say how a window moves over the spatial axes (those after batch and channels). */
export interface WindowAttributes {
  readonly auto_pad: string
  readonly ceil_mode?: number
  readonly dilations?: readonly number[] | undefined
  readonly pads?: readonly number[] | undefined
  readonly strides?: readonly number[] | undefined
}

/** How a window moves along one spatial axis, in elements. */
export interface WindowAxis {
  readonly input: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  /** Padding before the first element and after the last. */
  readonly before: number
  readonly after: number
  readonly output: number
}

/** Elements from a window's first to its last, both included. */
export function extentOf({ kernel, dilation }: Pick<WindowAxis, 'kernel' | 'dilation'>): number {
  return dilation * (kernel - 1) + 1
}

/** Padded elements behind the last window: too few for another stride. Negative where `ceil_mode` reaches beyond. */
export function leftover(axis: WindowAxis): number {
  return axis.input + axis.before + axis.after - extentOf(axis) - axis.stride * (axis.output - 1)
}

/**
 * Sizes of the spatial axes after a window has moved over them: floor((input + pads - extent) / stride) + 1, or ceil
 * with `ceil_mode`, where a last window that would begin beyond the input and its leading padding is left out. onnxruntime
 * pools a window that does not fit with what there is, if less than a stride is missing: `partial` counts that too.
 * @throws Error if a window does not fit.
 */
export function windowedShape(attributes: WindowAttributes, input: Shape, kernel: Shape, partial = false): Shape {
  const { auto_pad, ceil_mode = 0 } = attributes
  return input.map((size, axis) => {
    const { stride, dilation, before, after } = settings(attributes, axis, input.length)
    if (auto_pad.startsWith('SAME')) return divideDims(addDims(size, stride - 1), stride)
    const extent = addDims(multiplyDims(dilation, subtractDims(kernel[axis]!, 1)), 1)
    const room = subtractDims(addDims(size, before + after), extent)
    if (typeof room === 'number' && room < 0) {
      if (partial && room >= -stride) return room > -stride ? 1 : 0
      throw new Error(`a window of ${extent} does not fit into ${size} elements padded by ${before} and ${after}`)
    }
    if (!ceil_mode) return addDims(divideDims(room, stride), 1)
    return ceiled(size, room, stride, before, typeof extent === 'number' ? extent - after : 0)
  })
}

function ceiled(size: Dim, room: Dim, stride: number, before: number, reach: number): Dim {
  const output = addDims(divideDims(addDims(room, stride - 1), stride), 1)
  if (typeof output === 'number' && typeof size === 'number') {
    return (output - 1) * stride >= size + before ? output - 1 : output
  }
  // The last window begins inside for every size if the rounding adds less than a window reaches over the input.
  return stride <= reach ? output : ''
}

/** The same for fixed sizes, with the padding spelled out. */
export function windowAxes(
  attributes: WindowAttributes,
  input: readonly number[],
  kernel: readonly number[],
): readonly WindowAxis[] {
  const output = windowedShape(attributes, input, kernel) as readonly number[]
  return input.map((size, axis) => {
    const own = {
      ...settings(attributes, axis, input.length),
      input: size,
      kernel: kernel[axis]!,
      output: output[axis]!,
    }
    if (!attributes.auto_pad.startsWith('SAME')) return own
    const total = Math.max(0, (own.output - 1) * own.stride + extentOf(own) - size)
    const smaller = Math.floor(total / 2)
    const before = attributes.auto_pad === 'SAME_UPPER' ? smaller : total - smaller
    return { ...own, before, after: total - before }
  })
}

/** The attributes of a transposed convolution, which spreads windows that a convolution would gather. */
export interface TransposedAttributes extends WindowAttributes {
  readonly output_padding?: readonly number[] | undefined
  readonly output_shape?: readonly number[] | undefined
}

/**
 * Sizes of the spatial axes of a transposed convolution's result: stride * (input - 1) + extent + output padding - pads;
 * where the padding is to make it stride * input, at most as many as there are without.
 */
export function transposedShape(attributes: TransposedAttributes, input: Shape, kernel: Shape): Shape {
  return (
    attributes.output_shape?.slice(-input.length) ??
    input.map((size, axis) => {
      const { stride, before, after } = settings(attributes, axis, input.length)
      const spread = spreadSize(attributes, size, kernel[axis]!, axis, input.length)
      if (!attributes.auto_pad.startsWith('SAME')) return subtractDims(spread, before + after)
      const wanted = multiplyDims(size, stride)
      const padding = subtractDims(spread, wanted)
      return typeof padding === 'string' ? '' : padding > 0 ? wanted : spread
    })
  )
}

/** The axes of the convolution that a transposed one, of data of these sizes, is the adjoint of. */
export function transposedAxes(
  attributes: TransposedAttributes,
  input: readonly number[],
  kernel: readonly number[],
): readonly WindowAxis[] {
  const { auto_pad, output_shape } = attributes
  const output = transposedShape(attributes, input, kernel) as readonly number[]
  return input.map((size, axis) => {
    const own = {
      ...settings(attributes, axis, input.length),
      input: output[axis]!,
      kernel: kernel[axis]!,
      output: size,
    }
    if (!output_shape && !auto_pad.startsWith('SAME')) return own
    const spread = spreadSize(attributes, size, own.kernel, axis, input.length) as number
    const total = Math.max(0, spread - own.input)
    const before = auto_pad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
    return { ...own, before, after: total - before }
  })
}

/** Elements along an axis before padding is cut off. */
function spreadSize(attributes: TransposedAttributes, size: Dim, kernel: Dim, axis: number, rank: number): Dim {
  const { stride, dilation } = settings(attributes, axis, rank)
  const last = addDims(multiplyDims(dilation, subtractDims(kernel, 1)), 1 + (attributes.output_padding?.[axis] ?? 0))
  return addDims(multiplyDims(stride, subtractDims(size, 1)), last)
}

function settings({ auto_pad, strides, dilations, pads }: WindowAttributes, axis: number, rank: number) {
  const padded = auto_pad === 'NOTSET'
  return {
    stride: strides?.[axis] ?? 1,
    dilation: dilations?.[axis] ?? 1,
    before: padded ? (pads?.[axis] ?? 0) : 0,
    after: padded ? (pads?.[axis + rank] ?? 0) : 0,
  }
}

/** `pads` as ONNX wants them: all beginnings, then all ends. */
export function padsOf(axes: readonly Pick<WindowAxis, 'before' | 'after'>[]): number[] {
  return [...axes.map(axis => axis.before), ...axes.map(axis => axis.after)]
}

/** The window's attributes spelled out, without `auto_pad`. */
export function attributesOfAxes(axes: readonly WindowAxis[]) {
  return {
    kernel_shape: axes.map(axis => axis.kernel),
    strides: axes.map(axis => axis.stride),
    dilations: axes.map(axis => axis.dilation),
    pads: padsOf(axes),
  }
}
