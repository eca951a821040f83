import { elementCount } from '../base/shape.ts'
import { fromNumbers } from '../base/tensor.ts'
import type { Ops, Ref } from './build.ts'
import {
  dataGradientByHalves,
  dataGradientByMatrices,
  isDepthwise,
  suitsHalves,
  suitsMatrices,
  suitsShifts,
  weightGradientByMatrices,
  weightGradientByShifts,
} from './depthwise-gradient.ts'
import type { Backward } from './operator.ts'
import { attributesOfAxes, extentOf, leftover, padsOf, type WindowAxis } from './window.ts'

/** The geometry of a convolution of data [N, C, ...] with weights [K, C/group, ...kernel] into [N, K, ...]. */
export interface Convolution {
  readonly group: number
  readonly weights: readonly number[]
  readonly axes: readonly WindowAxis[]
}

type Tools = Pick<Backward, 'op' | 'choose'>

/** The convolution itself: the gradient of its adjoint. */
export function convolution(op: Ops, { group, axes }: Convolution, data: Ref, w: Ref): Ref {
  return op.Conv([data, w], { ...attributesOfAxes(axes), group })
}

/** The convolution's gradient with respect to its data, given that of its result. */
export function dataGradient({ op, choose }: Tools, of: Convolution, dy: Ref, w: Ref): Ref {
  const depthwise = isDepthwise(of)
  const matrices = () => dataGradientByMatrices(op, of, dy, w)
  const halves = () => dataGradientByHalves(op, of, dy, w)
  const transposed = () => op.ConvTranspose([dy, w], transposedAttributes(of))
  const special = depthwise && suitsMatrices(of) ? { matrices } : {}
  if (!of.axes.every(a => a.stride === 1 && extentOf(a) > Math.max(a.before, a.after))) {
    return choose('dX', { ...special, transposed, ...(depthwise && suitsHalves(of) ? { halves } : {}) })
  }
  const mirror = mirrored(of)
  const kernels = () => turnedAndSwapped(op, of, w)
  const flipped = () => convolution(op, mirror, dy, kernels())
  const columns = () => imagesInColumns(op, mirror, dy, kernels())
  // In small images the border is a large part, and rows are short: side by side, the images share both.
  const small = elementCount(of.axes.map(axis => axis.output)) <= 200
  const columnsFirst = small && (depthwise || Math.min(of.weights[0]!, of.weights[1]!) >= 32)
  return choose('dX', { ...special, ...(columnsFirst ? { columns, flipped } : { flipped, columns }), transposed })
}

/** The adjoint of a convolution, with the data's size restored where a stride left elements over. */
function transposedAttributes({ group, axes }: Convolution) {
  return { ...attributesOfAxes(axes), group, output_padding: axes.map(leftover) }
}

/** At stride 1 the adjoint is a convolution too, with the kernel turned around and its channels swapped. */
function mirrored({ group, weights, axes }: Convolution): Convolution {
  const [outputs, perGroup, ...kernel] = weights as [number, number, ...number[]]
  return {
    group,
    weights: [group * perGroup, outputs / group, ...kernel],
    axes: axes.map(a => ({
      ...a,
      input: a.output,
      output: a.input,
      before: extentOf(a) - 1 - a.before,
      after: extentOf(a) - 1 - a.after,
    })),
  }
}

function turnedAndSwapped(op: Ops, of: Convolution, w: Ref): Ref {
  const [outputs, perGroup, ...kernel] = of.weights as [number, number, ...number[]]
  const taps = elementCount(kernel)
  // A product with the reversed identity turns each kernel around in a quarter of Gather's time.
  const turned =
    taps === 1 ? w : op.MatMul([op.Reshape([w, op.ints([outputs * perGroup, taps])]), reversal(op, w, taps)])
  const split = op.Reshape([turned, op.ints([of.group, outputs / of.group, perGroup, taps])])
  return op.Reshape([op.Transpose([split], { perm: [0, 2, 1, 3] }), op.ints(mirrored(of).weights)])
}

/** A convolution at stride 1 of all the images as one, pixel by pixel side by side along the last axis. */
function imagesInColumns(op: Ops, of: Convolution, data: Ref, w: Ref): Ref {
  const [images, channels, ...sizes] = op.shape(data) as [number, number, ...number[]]
  const wide = of.axes.map((a, axis) => (axis < of.axes.length - 1 ? a : widened(a, images)))
  const pixels = op.Reshape([data, op.ints([images, channels * elementCount(sizes)])])
  const columns = op.Reshape([
    op.Transpose([pixels], { perm: [1, 0] }),
    op.ints([1, channels, ...wide.map(a => a.input)]),
  ])
  const result = convolution(op, { ...of, axes: wide }, columns, w)
  const outputs = [of.weights[0]!, ...of.axes.map(a => a.output)]
  const back = op.Transpose([op.Reshape([result, op.ints([elementCount(outputs), images])])], { perm: [1, 0] })
  return op.Reshape([back, op.ints([images, ...outputs])])
}

function widened(a: WindowAxis, by: number): WindowAxis {
  const { input, dilation, before, after, output } = a
  return {
    ...a,
    input: input * by,
    dilation: dilation * by,
    before: before * by,
    after: after * by,
    output: output * by,
  }
}

/** The convolution's gradient with respect to its weights, given its data and the gradient of its result. */
export function weightGradient({ op, choose }: Tools, of: Convolution, x: Ref, dy: Ref): Ref {
  const { group, weights, axes } = of
  const [outputs, perGroup] = weights as [number, number]
  const pointwise = axes.every(a => a.kernel === 1 && a.before === 0 && a.after === 0)
  if (pointwise) return pointwiseWeightGradient({ op, choose }, of, x, dy)

  const rows = (fused: boolean) => rowsOfPixels(op, of, x, fused)
  // Few channels are transposed faster by a product with the identity, which runs on several threads.
  const transposes = perGroup === 1 ? [false] : perGroup <= 16 ? [true, false] : [false, true]
  const forms = (name: string, form: (fused: boolean) => Ref) =>
    Object.fromEntries(transposes.map(fused => [fused ? `${name} by product` : name, () => form(fused)]))
  const byGroups = forms('groups', fused => imagesAsGroups(op, of, rows(fused), dy))
  if (isDepthwise(of)) {
    const matrices = () => weightGradientByMatrices(op, of, x, dy)
    const shifts = () => weightGradientByShifts(op, of, x, dy)
    const special = { ...(suitsMatrices(of) ? { matrices } : {}), ...(suitsShifts(of) ? { shifts } : {}) }
    return choose('dW', { ...special, ...byGroups })
  }
  if (group > 1) return choose('dW', byGroups)
  const byChannels = forms('channels', fused => imagesAsChannels(op, of, rows(fused), dy))
  if (axes.length === 1) return choose('dW', { rows: () => imagesAsRows(op, of, x, dy), ...byGroups, ...byChannels })
  // Groups leave a sum over the images of K*C*taps elements each, which must be small beside the product itself.
  const positions = elementCount(axes.map(axis => axis.output))
  const groupsFirst = outputs * perGroup <= 64 * 64 && positions >= 64
  return choose('dW', groupsFirst ? { ...byGroups, ...byChannels } : { ...byChannels, ...byGroups })
}

/**
 * [N, C, ..., W] with the channels innermost, as images of one channel each: [1, N*group, ..., W*C/group]. A kernel as
 * large as dy that steps over it by a pixel then meets, for every tap and channel, the elements that dy met.
 */
function rowsOfPixels(op: Ops, { group, weights, axes }: Convolution, x: Ref, fused: boolean): Ref {
  const [images] = op.shape(x) as [number]
  const perGroup = weights[1]!
  const sizes = axes.map(axis => axis.input)
  const rows = op.ints([1, images * group, ...sizes.slice(0, -1), sizes.at(-1)! * perGroup])
  if (perGroup === 1) return op.Reshape([x, rows])
  const flat = op.Reshape([x, op.ints([images * group, perGroup, elementCount(sizes)])])
  const transposed = op.Transpose([flat], { perm: [0, 2, 1] })
  return op.Reshape([fused ? op.MatMul([transposed, identity(op, x, perGroup)]) : transposed, rows])
}

/** Each image convolved by itself, as a group with its own dy as the kernel; then the sum over the images. */
function imagesAsGroups(op: Ops, of: Convolution, rows: Ref, dy: Ref): Ref {
  const [images, outputs] = op.shape(dy) as [number, number]
  const kernels = op.Reshape([dy, op.ints([images * outputs, 1, ...of.axes.map(axis => axis.output)])])
  const result = op.Conv([rows, kernels], { ...overRows(of), group: images * of.group })
  const taps = chosenTaps(op, of, result, images * outputs)
  const flat = op.Reshape([taps, op.ints([images, elementCount(of.weights)])])
  return channelsOutermost(op, of, op.ReduceSum([flat, op.ints([0])], { keepdims: 0 }), dy)
}

/** All images as the channels of one convolution, whose own sum is the one over the images. */
function imagesAsChannels(op: Ops, of: Convolution, rows: Ref, dy: Ref): Ref {
  const perm = [1, 0, ...of.axes.map((_, axis) => axis + 2)]
  const result = op.Conv([rows, op.Transpose([dy], { perm })], overRows(of))
  return channelsOutermost(op, of, chosenTaps(op, of, result, of.weights[0]!), dy)
}

/** In one dimension the images can be a second spatial axis, which the kernel covers. */
function imagesAsRows(op: Ops, of: Convolution, x: Ref, dy: Ref): Ref {
  const [images, outputs, length] = op.shape(dy) as [number, number, number]
  const rows = op.Reshape([rowsOfPixels(op, of, x, false), op.ints([1, 1, images, -1])])
  const kernels = op.Reshape([op.Transpose([dy], { perm: [1, 0, 2] }), op.ints([outputs, 1, images, length])])
  const { dilations, pads } = overRows(of)
  const result = op.Conv([rows, kernels], {
    kernel_shape: [images, length],
    dilations: [1, ...dilations],
    pads: [0, pads[0]!, 0, pads[1]!],
  })
  return channelsOutermost(op, of, chosenTaps(op, of, result, outputs), dy)
}

/** How dy moves over the rows: its elements as far apart as the strides, its steps as long as the dilations. */
function overRows({ weights, axes }: Convolution) {
  const last = axes.length - 1
  const scale = (axis: number) => (axis === last ? weights[1]! : 1)
  return {
    kernel_shape: axes.map(axis => axis.output),
    strides: axes.map((a, axis) => (axis === last ? 1 : a.dilation)),
    dilations: axes.map((a, axis) => a.stride * scale(axis)),
    pads: padsOf(
      axes.map((a, axis) => ({
        before: a.before * scale(axis),
        after: Math.max(0, a.after - leftover(a)) * scale(axis),
      })),
    ),
  }
}

/** Of the positions that dy took over the rows, those of the kernel's taps: [count, ...kernel, C/group]. */
function chosenTaps(op: Ops, { weights, axes }: Convolution, result: Ref, count: number): Ref {
  const last = axes.length - 1
  // Where more was left over than padded, dy took further steps. The last axis also stepped between dilated taps.
  const taken = axes.map((a, axis) => {
    const beyond = Math.max(0, leftover(a) - a.after)
    return axis === last ? extentOf(a) + beyond : a.kernel + Math.floor(beyond / a.dilation)
  })
  if (taken.every((steps, axis) => steps === axes[axis]!.kernel)) return result
  const open = op.Reshape([result, op.ints([count, ...taken, weights[1]!])])
  const ends = axes.map((a, axis) => (axis === last ? extentOf(a) : a.kernel))
  const steps = axes.map((a, axis) => (axis === last ? a.dilation : 1))
  const starts = axes.map(() => 0)
  return op.Slice([open, op.ints(starts), op.ints(ends), op.ints(axes.map((_, axis) => axis + 1)), op.ints(steps)])
}

/** [K, ...kernel, C/group] as weights [K, C/group, ...kernel]. */
function channelsOutermost(op: Ops, { weights }: Convolution, taps: Ref, like: Ref): Ref {
  const [outputs, perGroup, ...kernel] = weights as [number, number, ...number[]]
  const count = elementCount(kernel)
  if (perGroup === 1 || count === 1) return op.Reshape([taps, op.ints(weights)])
  const transposed = op.Transpose([op.Reshape([taps, op.ints([outputs, count, perGroup])])], { perm: [0, 2, 1] })
  return op.Reshape([op.MatMul([transposed, identity(op, like, count)]), op.ints(weights)])
}

/** A 1x1 convolution is a matrix product, and so is its gradient. */
function pointwiseWeightGradient({ op, choose }: Tools, of: Convolution, x: Ref, dy: Ref): Ref {
  const { group, weights, axes } = of
  const [images, outputs] = op.shape(dy) as [number, number]
  const perGroup = weights[1]!
  const read = axes.some(axis => axis.stride > 1) ? subsampled(op, of, x) : x
  const positions = elementCount(axes.map(axis => axis.output))

  const batched = () => {
    const lines = (ref: Ref, channels: number) => op.Reshape([ref, op.ints([images, group, channels, positions])])
    const columns = op.Transpose([lines(read, perGroup)], { perm: [0, 1, 3, 2] })
    const products = op.MatMul([lines(dy, outputs / group), columns])
    return op.Reshape([op.ReduceSum([products, op.ints([0])], { keepdims: 0 }), op.ints(weights)])
  }
  const single = () => {
    const lines = (ref: Ref, channels: number) => {
      const outermost = op.Transpose([op.Reshape([ref, op.ints([images, channels, positions])])], { perm: [1, 0, 2] })
      return op.Reshape([outermost, op.ints([channels, images * positions])])
    }
    return op.Reshape([op.Gemm([lines(dy, outputs), lines(read, perGroup)], { transB: 1 }), op.ints(weights)])
  }
  if (group > 1) return batched()
  const batchedFirst = positions * (outputs + perGroup) >= outputs * perGroup
  return choose('dW', batchedFirst ? { batched, single } : { single, batched })
}

/** The elements that a strided 1x1 kernel reads. */
function subsampled(op: Ops, { axes }: Convolution, x: Ref): Ref {
  const [images, channels] = op.shape(x) as [number, number]
  const kernel_shape = axes.map(() => 1)
  // Pooling of one channel an image takes a third of the time of other ways (AveragePool, Slice).
  const planes = op.Reshape([x, op.ints([images * channels, 1, ...axes.map(axis => axis.input)])])
  const taken = op.MaxPool([planes], { kernel_shape, strides: axes.map(axis => axis.stride) })
  return op.Reshape([taken, op.ints([images, channels, ...axes.map(axis => axis.output)])])
}

function identity(op: Ops, like: Ref, size: number): Ref {
  return matrix(op, like, size, 'identity', row => row)
}

function reversal(op: Ops, like: Ref, size: number): Ref {
  return matrix(op, like, size, 'reversal', row => size - 1 - row)
}

function matrix(op: Ops, like: Ref, size: number, hint: string, one: (row: number) => number): Ref {
  const values = new Float64Array(size * size)
  for (let row = 0; row < size; row++) values[row * size + one(row)] = 1
  return op.constant(fromNumbers(op.type(like).dtype, [size, size], values), hint)
}
