import { elementCount } from '../base/shape.ts'
import { fromNumbers, full } from '../base/tensor.ts'
import { affine, fromBlocked, resized, toBlocked, wholeBlocks } from './blocked-layout.ts'
import type { Ops, Ref } from './build.ts'
import { type Convolution, dataGradient, weightGradient } from './conv-gradient.ts'
import type { Backward } from './operator.ts'
import { attributesOfAxes, leftover, type WindowAxis } from './window.ts'

/**
 * A convolution whose result is blocked, of data that is blocked too, or that has fewer channels than a block and its
 * ordinary layout (an image's few colours). Weights and their gradients keep the ordinary layout [K, C, R, S].
 */
export interface BlockedConvolution extends Convolution {
  readonly block: number
  /** Whether the data is not blocked. */
  readonly plain: boolean
}

type Tools = Pick<Backward, 'op' | 'choose'>

export function blockedConvolution(op: Ops, of: BlockedConvolution, x: Ref, w: Ref, bias?: Ref): Ref {
  const [outputs, inputs, ...kernel] = of.weights as [number, number, number, number]
  const all = Array.from({ length: elementCount(kernel) }, (_, tap) => tap)
  const channels = of.plain ? inputs : wholeBlocks(inputs, of.block)
  const kernels = blockedKernels(op, of, w, all, kernel, [wholeBlocks(outputs, of.block), channels])
  const shift = bias && resized(op, bias, wholeBlocks(outputs, of.block))
  return op['com.microsoft.nchwc.Conv']([x, kernels, shift], { ...attributesOfAxes(of.axes), group: 1 })
}

/** The gradient with respect to the data: blocked where the data is. */
export function blockedDataGradient({ op, choose }: Tools, of: BlockedConvolution, dy: Ref, w: Ref): Ref {
  const axes = of.axes.map(residues)
  const blocked = of.axes.every(a => a.stride === 1)
    ? () => residueGradient(op, of, dy, w, [axes[0]![0]!, axes[1]![0]!])!
    : () => interleavedGradient(op, of, dy, w, axes)
  const reordered = () =>
    toBlocked(op, dataGradient({ op, choose }, of, fromBlocked(op, dy, of.weights[0]!), w), of.block)
  const result = axes.every(own => own.every(isRegular)) && of.axes.every(isUndilated) ? blocked() : reordered()
  return of.plain ? fromBlocked(op, result, of.weights[1]!) : result
}

/** Elements of the data, along one axis, that lie `offset + i * stride`, as a convolution at stride 1 of dy gives them. */
interface Residue {
  readonly stride: number
  readonly taps: readonly number[]
  readonly before: number
  readonly after: number
  readonly output: number
}

/**
 * dx[i*s + a] = sum over j of dy[i + shift - j] * w[first + j*s], where `first` is the first tap that reaches elements at
 * offset a, and shift = (a + before - first) / s.
 */
function residues({ input, kernel, stride, before, output }: WindowAxis): readonly Residue[] {
  return Array.from({ length: stride }, (_, offset) => {
    const first = (offset + before) % stride
    const taps: number[] = []
    for (let tap = first; tap < kernel; tap += stride) taps.unshift(tap)
    const shift = (offset + before - first) / stride
    const elements = Math.ceil((input - offset) / stride)
    return { stride, taps, before: taps.length - 1 - shift, after: elements + shift - output, output: elements }
  })
}

/** Whether the kernel can be used as it is: padding only, and as many elements as at the other offsets. */
function isRegular({ taps, before, after }: Residue, _: number, all: readonly Residue[]): boolean {
  return (taps.length === 0 || (before >= 0 && after >= 0)) && all.every(other => other.output === all[0]!.output)
}

function isUndilated(axis: WindowAxis): boolean {
  return axis.dilation === 1
}

function interleavedGradient(
  op: Ops,
  of: BlockedConvolution,
  dy: Ref,
  w: Ref,
  [rows, columns]: readonly (readonly Residue[])[],
): Ref {
  const parts = rows!.flatMap(row => columns!.map(column => residueGradient(op, of, dy, w, [row, column])))
  return op['sinter.blocked.Interleave'](parts, {
    strides: of.axes.map(axis => axis.stride),
    block: of.block,
  })
}

/** The gradient of the elements at one offset; null where no tap reaches them. */
function residueGradient(
  op: Ops,
  of: BlockedConvolution,
  dy: Ref,
  w: Ref,
  [row, column]: readonly [Residue, Residue],
): Ref | null {
  if (row.taps.length === 0 || column.taps.length === 0) return null
  const [outputs, inputs, , width] = of.weights as [number, number, number, number]
  const taps = row.taps.flatMap(r => column.taps.map(s => r * width + s))
  const kernel = [row.taps.length, column.taps.length]
  const channels = [wholeBlocks(inputs, of.block), wholeBlocks(outputs, of.block)] as const
  const kernels = blockedKernels(op, of, w, taps, kernel, channels, true)
  return op['com.microsoft.nchwc.Conv']([dy, kernels], {
    kernel_shape: kernel,
    strides: [1, 1],
    dilations: [1, 1],
    pads: [row.before, column.before, row.after, column.after],
    group: 1,
  })
}

/** Some taps of weights [K, C, R, S] as the engine's kernels, with the roles of K and C exchanged if `swapped`. */
function blockedKernels(
  op: Ops,
  { block, weights, plain }: BlockedConvolution,
  w: Ref,
  taps: readonly number[],
  kernel: readonly number[],
  [to, from]: readonly [number, number],
  swapped = false,
): Ref {
  const [outputs, inputs, ...sizes] = weights as [number, number, ...number[]]
  const chosen = chosenTaps(op, w, [outputs * inputs, elementCount(sizes)], taps)
  const [rows, columns] = swapped ? [from, to] : [to, from]
  const open = op.Reshape([chosen, op.ints([outputs, inputs, taps.length])])
  const missing = [rows - outputs, columns - inputs]
  const padded = missing.every(count => count === 0) ? open : op.Pad([open, op.ints([0, 0, 0, ...missing, 0])])
  const kernels = () => {
    if (plain && !swapped) {
      const split = op.Reshape([padded, op.ints([rows / block, block, columns, taps.length])])
      return op.Transpose([split], { perm: [0, 2, 3, 1] })
    }
    const split = op.Reshape([padded, op.ints([rows / block, block, columns / block, block, taps.length])])
    return op.Transpose([split], { perm: swapped ? [2, 0, 4, 1, 3] : [0, 2, 4, 3, 1] })
  }
  return op.Reshape([kernels(), op.ints([to, from, ...kernel])])
}

/** Columns of a matrix [rows, T], by a product with zeros and ones, which is faster than Gather. */
function chosenTaps(op: Ops, w: Ref, [rows, count]: readonly [number, number], taps: readonly number[]): Ref {
  if (taps.length === count && taps.every((tap, i) => tap === i)) return w
  const values = new Float64Array(count * taps.length)
  taps.forEach((tap, i) => {
    values[tap * taps.length + i] = 1
  })
  const choice = op.constant(fromNumbers(op.type(w).dtype, [count, taps.length], values), 'taps')
  return op.MatMul([op.Reshape([w, op.ints([rows, count])]), choice])
}

/** The gradient with respect to the weights, in their ordinary layout. */
export function blockedWeightGradient({ op, choose }: Tools, of: BlockedConvolution, x: Ref, dy: Ref): Ref {
  const { block, plain, weights, axes } = of
  const reordered = () => {
    const data = plain ? x : fromBlocked(op, x, weights[1]!)
    return weightGradient({ op, choose }, of, data, fromBlocked(op, dy, weights[0]!))
  }
  const [images] = op.shape(dy) as [number]
  const pointwise = !plain && axes.every(a => a.kernel === 1 && a.before === 0 && a.after === 0)
  const fits = axes.every(a => isUndilated(a) && (pointwise || a.after >= leftover(a)))
  // The engine takes the images for channels, of which it wants whole blocks or less than one.
  if (!fits || (images >= block && images % block !== 0)) return reordered()
  return imagesAsGroups(op, pointwise ? subsampled(op, of, x) : { of, x }, dy)
}

/** What a strided 1x1 kernel reads, and the convolution as one without strides. */
function subsampled(op: Ops, of: BlockedConvolution, x: Ref): { readonly of: BlockedConvolution; readonly x: Ref } {
  const strides = of.axes.map(axis => axis.stride)
  if (strides.every(stride => stride === 1)) return { of, x }
  const axes = of.axes.map(axis => ({ ...axis, input: axis.output, stride: 1 }))
  return { of: { ...of, axes }, x: affine(op, x, { strides }) }
}

/**
 * One convolution whose channels are the images and whose kernels are their dy, as large as the result: each kernel steps
 * over its image, whose channels lie innermost, by a channel at a time, and so meets for every tap and channel the
 * elements that dy met. Then the sum over the images.
 */
function imagesAsGroups(op: Ops, { of, x }: { readonly of: BlockedConvolution; readonly x: Ref }, dy: Ref): Ref {
  const { block, weights, axes, plain } = of
  const [outputs, inputs, height, width] = weights as [number, number, number, number]
  const [images, rows, ...sizes] = op.shape(dy) as [number, number, number, number]
  const inner = plain ? inputs : block
  const blocks = plain ? 1 : op.shape(x)[1]! / block
  const [vertical, horizontal] = axes as [WindowAxis, WindowAxis]
  const perGroup = imagesPerGroup(images, block, elementCount(sizes))
  const groups = images / perGroup

  const products = op['com.microsoft.nchwc.Conv']([pixelsInRows(op, of, x), kernelsOfImages(op, dy, perGroup, block)], {
    kernel_shape: sizes,
    strides: [1, 1],
    dilations: [vertical.stride, horizontal.stride * inner],
    pads: [vertical.before, 0, vertical.after - leftover(vertical), 0],
    group: groups,
  })
  const lines = op.Reshape([products, op.ints([blocks, groups, rows * height * width * inner])])
  const sum = op.MatMul([op.constant(full(op.type(x).dtype, [1, groups], 1), 'row'), lines])
  const split = op.Reshape([sum, op.ints([blocks, rows / block, height * width, inner, block])])
  const whole = op.Reshape([
    op.Transpose([split], { perm: [1, 4, 0, 3, 2] }),
    op.ints([rows, blocks * inner, height, width]),
  ])
  if (rows === outputs && blocks * inner === inputs) return whole
  return op.Slice([whole, op.ints([0, 0]), op.ints([outputs, inputs]), op.ints([0, 1])])
}

/** Images that one group adds up by itself: more of them leave less to add up, and cost a transposition of dy. */
function imagesPerGroup(images: number, block: number, positions: number): number {
  if (positions > 200) return 1
  let count = block / 2
  while (images % count !== 0) count /= 2
  return count
}

/** dy as the engine's kernels [groups * K, images of a group, OH, OW]. */
function kernelsOfImages(op: Ops, dy: Ref, perGroup: number, block: number): Ref {
  const [images, rows, ...sizes] = op.shape(dy) as [number, number, number, number]
  const groups = images / perGroup
  const shape = op.ints([groups * rows, perGroup, ...sizes])
  if (perGroup === 1) return op.Reshape([dy, shape])
  const split = op.Reshape([dy, op.ints([groups, perGroup, rows / block, elementCount(sizes) * block])])
  return op.Reshape([op.Transpose([split], { perm: [0, 2, 1, 3] }), shape])
}

/** The data, padded at its sides, as [blocks, N, H, W * channels of a block]. */
function pixelsInRows(op: Ops, { block, plain, axes }: BlockedConvolution, x: Ref): Ref {
  const [images, channels, height, width] = op.shape(x) as [number, number, number, number]
  const [, { before, after, ...horizontal }] = axes as [WindowAxis, WindowAxis]
  const right = after - leftover({ ...horizontal, before, after })
  const total = before + width + right
  if (plain) {
    const sides = [0, 0, 0, before, 0, 0, 0, right]
    const padded = before === 0 && right === 0 ? x : op.Pad([x, op.ints(sides)])
    const pixels = channels === 1 ? padded : op.Transpose([padded], { perm: [0, 2, 3, 1] })
    return op.Reshape([pixels, op.ints([1, images, height, total * channels])])
  }
  const padded = before === 0 && right === 0 ? x : affine(op, x, { pads: [0, before, 0, right] })
  const blocks = channels / block
  const rows = op.Reshape([padded, op.ints([images, blocks, height, total * block])])
  const outermost = blocks === 1 ? rows : op.Transpose([rows], { perm: [1, 0, 2, 3] })
  return op.Reshape([outermost, op.ints([blocks, images, height, total * block])])
}
