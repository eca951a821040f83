import { elementCount } from '../base/shape.ts'
import { full } from '../base/tensor.ts'
import type { Ops, Ref } from './build.ts'

// Pieces of graphs over blocked tensors (see `BlockedAttributesOf`), in the engine's operators.

/** Channels rounded up to whole blocks. */
export function wholeBlocks(channels: number, block: number): number {
  return Math.ceil(channels / block) * block
}

/** [N, C, H, W] blocked, its channels padded with zeros to whole blocks. */
export function toBlocked(op: Ops, x: Ref, block: number): Ref {
  const [, channels] = op.shape(x) as [number, number]
  const missing = wholeBlocks(channels, block) - channels
  const padded = missing === 0 ? x : op.Pad([x, op.ints([0, 0, 0, 0, 0, missing, 0, 0])])
  return op['com.microsoft.nchwc.ReorderInput']([padded])
}

/** A blocked tensor as [N, C, H, W] of so many channels. */
export function fromBlocked(op: Ops, x: Ref, channels: number): Ref {
  return op['com.microsoft.nchwc.ReorderOutput']([x], { channels })
}

/** A vector padded with zeros, or cut, to a length. */
export function resized(op: Ops, vector: Ref, length: number): Ref {
  const [size] = op.shape(vector) as [number]
  if (size === length) return vector
  return size < length
    ? op.Pad([vector, op.ints([0, length - size])])
    : op.Slice([vector, op.ints([0]), op.ints([length]), op.ints([0])])
}

export interface Affine {
  /** [C]; ones if left out. */
  readonly scale?: Ref
  /** [C] */
  readonly shift?: Ref
  /** Added to the result, of its shape. Where nothing reads it later the result takes its memory. */
  readonly sum?: Ref
  /** Zeros around the result: top, left, bottom, right. */
  readonly pads?: readonly number[]
  /** Takes every second (third, ...) row and column only. */
  readonly strides?: readonly number[]
  readonly activation?: { readonly name: string; readonly params: readonly number[] }
}

/** x * scale + shift + sum for each channel in one pass over a blocked tensor: a 1x1 depthwise convolution. */
export function affine(
  op: Ops,
  x: Ref,
  { scale, shift, sum, pads = [0, 0, 0, 0], strides = [1, 1], activation }: Affine,
): Ref {
  const { dtype, shape } = op.type(x)
  const channels = shape![1] as number
  const kernel = [channels, 1, 1, 1]
  const kernels = scale ? op.Reshape([scale, op.ints(kernel)]) : op.constant(full(dtype, kernel, 1), 'ones')
  return op['com.microsoft.nchwc.Conv']([x, kernels, shift, sum], {
    kernel_shape: [1, 1],
    strides,
    dilations: [1, 1],
    pads,
    group: channels,
    ...(activation ? { activation: activation.name, activation_params: activation.params } : {}),
  })
}

/** Sums over the batch and all positions of a blocked tensor: [C]. */
export function sumOverPositions(op: Ops, x: Ref): Ref {
  const [images, channels, ...sizes] = op.shape(x) as [number, number, number, number]
  return sumOverImages(op, op['com.microsoft.nchwc.GlobalAveragePool']([x]), images, channels, elementCount(sizes))
}

/** The same of the product of two blocked tensors: each channel convolved with a kernel as large as itself. */
export function sumOfProducts(op: Ops, x: Ref, y: Ref): Ref {
  const [images, channels, ...sizes] = op.shape(x) as [number, number, number, number]
  const planes = images * channels
  const products = op['com.microsoft.nchwc.Conv'](
    [op.Reshape([x, op.ints([1, planes, ...sizes])]), op.Reshape([y, op.ints([planes, 1, ...sizes])])],
    { kernel_shape: sizes, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: planes },
  )
  return sumOverImages(op, products, images, channels, 1)
}

function sumOverImages(op: Ops, x: Ref, images: number, channels: number, factor: number): Ref {
  // A product with a constant row is several times as fast as ReduceSum over the first axis.
  const row = op.constant(full(op.type(x).dtype, [1, images], factor), 'row')
  return op.Reshape([op.MatMul([row, op.Reshape([x, op.ints([images, channels])])]), op.ints([channels])])
}

/**
 * Blocked tensors of one shape woven into one that is as many times as large: each is every second (third, ...) element
 * along both axes. They stand rows before columns; null stands for zeros.
 */
export function woven(op: Ops, parts: readonly (Ref | null)[], strides: readonly number[], block: number): Ref {
  const shape = op.shape(parts.find(part => part !== null)!) as [number, number, number, number]
  const [images, channels, height, width] = shape
  const rows = (images * channels * height) / block
  const [vertical, horizontal] = strides as [number, number]
  const sideBySide = (lines: readonly Ref[], shape: readonly number[]) =>
    op.Concat(
      lines.map(line => op.Reshape([line, op.ints(shape)])),
      { axis: 1 },
    )
  const pixels = [rows * width, block]
  const zeros = () => op.ConstantOfShape([op.ints(pixels)])
  const lines = Array.from({ length: vertical }, (_, row) => {
    const own = parts.slice(row * horizontal, (row + 1) * horizontal)
    return sideBySide(
      own.map(part => part ?? zeros()),
      pixels,
    )
  })
  const all = sideBySide(lines, [rows, width * horizontal * block])
  return op.Reshape([all, op.ints([images, channels, height * vertical, width * horizontal])])
}
