import { elementCount } from '../base/shape.ts'
import { float32s } from '../base/tensor.ts'
import type { Ops, Ref } from './build.ts'
import { maskLike, scalarLike } from './elementwise.ts'
import type { Backward } from './operator.ts'
import { attributesOfAxes, extentOf, leftover, type WindowAxis } from './window.ts'

/** The gradient of MaxPool's data: each window's gradient goes to its greatest element. */
export function maxPoolGradient(
  { op, choose }: Pick<Backward, 'op' | 'choose'>,
  axes: readonly WindowAxis[],
  x: Ref,
  y: Ref,
  dy: Ref,
): Ref {
  const float32 = op.type(x).dtype === 'float32'
  const apart = axes.every(axis => axis.stride >= extentOf(axis) && leftover(axis) >= 0)
  const scattered = () => scatterToIndices(op, axes, x, dy)
  const indices = () => unpool(op, axes, x, dy)
  const compared = () => {
    const [, channels] = op.shape(x) as [number, number]
    const [data, maxima, gradient] = [x, y, dy].map(ref => planesOf(op, ref)) as [Ref, Ref, Ref]
    return imagesOf(op, giveToEquals(op, axes, data, maxima, gradient), channels)
  }
  const tapped = () => {
    const [, channels] = op.shape(x) as [number, number]
    const [data, maxima, gradient] = [x, y, dy].map(ref => planesOf(op, ref)) as [Ref, Ref, Ref]
    return imagesOf(op, giveToTaps(op, axes, data, maxima, gradient), channels)
  }
  const forms = {
    ...(tiles(axes) && float32 ? { compared } : {}),
    ...(isDense(axes) && float32 ? { tapped } : {}),
    ...(apart && float32 ? { indices } : {}),
    scattered,
  }
  return choose('dX', forms)
}

/** [N, C, ...] as images of one channel each, which onnxruntime does not reorder into blocks. */
export function planesOf(op: Ops, x: Ref): Ref {
  const [images, channels, ...sizes] = op.shape(x) as [number, number, ...number[]]
  return op.Reshape([x, op.ints([images * channels, 1, ...sizes])])
}

/** And back. */
export function imagesOf(op: Ops, planes: Ref, channels: number): Ref {
  const [count, , ...sizes] = op.shape(planes) as [number, number, ...number[]]
  return op.Reshape([planes, op.ints([count / channels, channels, ...sizes])])
}

/** Whether the windows lie side by side within the data: no padding, no gaps, nothing in common. */
export function tiles(axes: readonly WindowAxis[]): boolean {
  return axes.every(a => a.stride === a.kernel && a.dilation === 1 && a.before === 0 && a.output * a.stride <= a.input)
}

/** Each element of a pooled tensor repeated over its tile; nothing over what the tiles leave over. */
export function overTiles(op: Ops, axes: readonly WindowAxis[], pooled: Ref): Ref {
  const scales = op.constant(float32s([axes.length + 2], [1, 1, ...axes.map(axis => axis.stride)]), 'scales')
  return op.Resize([pooled, null, scales], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  })
}

/** Pads with zeros what the tiles left over at the end of each axis. */
export function padLeftover(op: Ops, axes: readonly WindowAxis[], covered: Ref): Ref {
  const ends = axes.map(axis => axis.input - axis.output * axis.stride)
  if (ends.every(end => end === 0)) return covered
  return op.Pad([covered, op.ints([0, 0, ...axes.map(() => 0), 0, 0, ...ends])])
}

/**
 * To the elements that equal the maximum. Where several do, they share the gradient: constant regions are common (the
 * margin of a scanned digit), and counting the gradient once for each would multiply it there.
 */
function giveToEquals(op: Ops, axes: readonly WindowAxis[], x: Ref, y: Ref, dy: Ref): Ref {
  const covered = axes.map(axis => axis.output * axis.stride)
  const read = axes.every(axis => axis.input === axis.output * axis.stride)
    ? x
    : op.Slice([x, op.ints(axes.map(() => 0)), op.ints(covered), op.ints(axes.map((_, axis) => axis + 2))])
  const equal = op.CastLike([op.Equal([read, overTiles(op, axes, y)]), dy])
  const shares = op.Div([dy, sumOverTiles(op, axes, equal)])
  return padLeftover(op, axes, op.Mul([equal, overTiles(op, axes, shares)]))
}

/** At most this many tiles a row: a product with all of a row's tiles takes as many operations for each element. */
const fewTiles = 32

/** The sum over each tile of a tensor that the tiles cover. */
function sumOverTiles(op: Ops, axes: readonly WindowAxis[], covered: Ref): Ref {
  const { kernel_shape, strides } = attributesOfAxes(axes)
  const [images, channels] = op.shape(covered) as [number, number]
  const [height, width] = axes as [WindowAxis, WindowAxis]
  if (axes.length !== 2 || width.output > fewTiles) {
    const means = op.AveragePool([covered], { kernel_shape, strides })
    return op.Mul([means, op.scalar(elementCount(kernel_shape))])
  }
  // The rows of a line of tiles follow one another in memory: a matrix product sums them all.
  const line = width.output * width.kernel
  const tileOf = Array.from({ length: height.kernel * line }, (_, i) => Math.floor((i % line) / width.kernel))
  const belongs = tileOf.flatMap(tile => Array.from({ length: width.output }, (_, j) => (j === tile ? 1 : 0)))
  const lines = op.Reshape([covered, op.ints([images * channels * height.output, tileOf.length])])
  const sums = op.MatMul([lines, op.constant(float32s([tileOf.length, width.output], belongs), 'tiles')])
  return op.Reshape([sums, op.ints([images, channels, height.output, width.output])])
}

/** Whether there is a window at every position, of few elements, so that going through these pays. */
function isDense(axes: readonly WindowAxis[]): boolean {
  return axes.every(a => a.stride === 1 && leftover(a) === 0) && elementCount(axes.map(a => a.kernel)) <= 9
}

/**
 * To the elements that equal the maximum, which share its gradient: each tap of the window by itself, for all windows at
 * once. Windows are laid out like the padded data they begin in, so that what a tap sees is all the data shifted by so
 * many elements.
 */
function giveToTaps(op: Ops, axes: readonly WindowAxis[], x: Ref, y: Ref, dy: Ref): Ref {
  const [planes] = op.shape(x) as [number]
  const outputs = axes.map(a => a.output)
  const sizes = axes.map(a => a.before + a.input + a.after)
  const offsets = tapsOf(axes).map(tap => tap.reduce((offset, step, axis) => offset * sizes[axis]! + step))
  // One line more than the data has, for what the last taps of the last windows see.
  const lines = sizes[0]! + 1
  const whole = elementCount(sizes.with(0, lines))
  const begun = elementCount(sizes.with(0, outputs[0]!))
  const flat = (ref: Ref, before: readonly number[], after: readonly number[], value: number) => {
    const pads = op.ints([0, 0, ...before, 0, 0, ...after])
    return op.Reshape([op.Pad([ref, pads, scalarLike(op, ref, value)]), op.ints([planes, -1])])
  }
  const none = axes.map(() => 0)
  const beside = sizes.map((size, axis) => (axis === 0 ? 0 : size - outputs[axis]!))
  const ends = axes.map((a, axis) => (axis === 0 ? a.after + 1 : a.after))
  const starts = axes.map(a => a.before)

  const data = flat(x, starts, ends, Number.NEGATIVE_INFINITY)
  const [maxima, gradient] = [flat(y, none, beside, 0), flat(dy, none, beside, 0)]
  const equal = offsets.map(offset => {
    const seen = op.Slice([data, op.ints([offset]), op.ints([offset + begun]), op.ints([1])])
    return maskLike(op, op.Equal([seen, maxima]), dy)
  })
  // Beside the windows nothing may be equal, and nothing is to be shared.
  const shares = op.Div([gradient, op.Max([op.Sum(equal), scalarLike(op, dy, 1)])])
  const back = offsets.map((offset, i) => {
    const rest = whole - begun - offset
    return op.Pad([op.Mul([equal[i]!, shares]), op.ints([0, offset, 0, rest])])
  })
  const sum = op.Reshape([op.Sum(back), op.ints([planes, 1, lines, ...sizes.slice(1)])])
  const [first, last] = [starts, axes.map(a => a.before + a.input)]
  return op.Slice([sum, op.ints(first), op.ints(last), op.ints(axes.map((_, axis) => axis + 2))])
}

/** The offsets of a window's elements. */
function tapsOf(axes: readonly WindowAxis[]): readonly (readonly number[])[] {
  return axes.reduce<readonly (readonly number[])[]>(
    (taps, { kernel, dilation }) =>
      taps.flatMap(tap => Array.from({ length: kernel }, (_, step) => [...tap, step * dilation])),
    [[]],
  )
}

/** To the first maximum of each window, of windows that have no element in common. */
function unpool(op: Ops, axes: readonly WindowAxis[], x: Ref, dy: Ref): Ref {
  const { kernel_shape, strides, pads } = attributesOfAxes(axes)
  return op.MaxUnpool([dy, indicesOf(op, axes, x), op.ints(op.shape(x))], { kernel_shape, strides, pads })
}

/** To the first maximum of each window, added up where windows overlap. */
function scatterToIndices(op: Ops, axes: readonly WindowAxis[], x: Ref, dy: Ref): Ref {
  const shape = op.shape(x)
  const zeros = op.Expand([op.scalar(0, op.type(x).dtype), op.ints([elementCount(shape)])])
  const indices = op.Reshape([indicesOf(op, axes, x), op.ints([-1, 1])])
  const sums = op.ScatterND([zeros, indices, op.Reshape([dy, op.ints([-1])])], { reduction: 'add' })
  return op.Reshape([sums, op.ints(shape)])
}

/** Where in the flattened data each window's maximum stands. */
function indicesOf(op: Ops, axes: readonly WindowAxis[], x: Ref): Ref {
  // Windows that reach beyond the padding are those of `ceil_mode`.
  const ceil_mode = axes.some(axis => leftover(axis) < 0) ? 1 : 0
  return op.many('MaxPool', 2, [x], { ...attributesOfAxes(axes), ceil_mode })[1]!
}
