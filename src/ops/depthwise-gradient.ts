import { elementCount } from '../base/shape.ts'
import { fromNumbers, type Tensor } from '../base/tensor.ts'
import type { Ops, Ref } from './build.ts'
import type { Convolution } from './conv-gradient.ts'
import type { WindowAxis } from './window.ts'

// Gradients of two-dimensional depthwise convolutions (each channel a group of its own, one output each), whose
// arithmetic is so little that the general formulations spend their time elsewhere.

/** Whether a convolution is depthwise, in two dimensions. */
export function isDepthwise({ group, weights, axes }: Convolution): boolean {
  return axes.length === 2 && weights[0] === group && weights[1] === 1
}

/** Whether the matrices of `byMatrices` stay small. */
export function suitsMatrices({ group, axes }: Convolution): boolean {
  const positions = elementCount(axes.map(axis => axis.input))
  return positions <= 160 && group * positions * elementCount(axes.map(axis => axis.output)) <= 2e6
}

/** The data's gradient as a product with each channel's whole matrix [HW, OHW], made of its taps. */
export function dataGradientByMatrices(op: Ops, of: Convolution, dy: Ref, w: Ref): Ref {
  const { group, axes } = of
  const [inputs, outputs] = [elementCount(axes.map(a => a.input)), elementCount(axes.map(a => a.output))]
  const taps = op.MatMul([
    op.Reshape([w, op.ints([group, -1])]),
    op.constant(tapMatrix(axes, op.type(w).dtype), 'taps'),
  ])
  const matrices = op.Transpose([op.Reshape([taps, op.ints([group, inputs, outputs])])], { perm: [0, 2, 1] })
  const product = op.MatMul([channelsFirst(op, dy, outputs), matrices])
  const [images] = op.shape(dy) as [number]
  return op.Reshape([op.Transpose([product], { perm: [1, 0, 2] }), op.ints([images, group, ...axes.map(a => a.input)])])
}

/** The weights' gradient from each channel's whole matrix of products [HW, OHW]. */
export function weightGradientByMatrices(op: Ops, of: Convolution, x: Ref, dy: Ref): Ref {
  const { group, weights, axes } = of
  const [inputs, outputs] = [elementCount(axes.map(a => a.input)), elementCount(axes.map(a => a.output))]
  const data = op.Transpose([channelsFirst(op, x, inputs)], { perm: [0, 2, 1] })
  const products = op.Reshape([op.MatMul([data, channelsFirst(op, dy, outputs)]), op.ints([group, inputs * outputs])])
  const taps = op.Transpose([op.constant(tapMatrix(axes, op.type(x).dtype), 'taps')], { perm: [1, 0] })
  return op.Reshape([op.MatMul([products, taps]), op.ints(weights)])
}

/** [N, C, ...positions] -> [C, N, positions]. */
function channelsFirst(op: Ops, x: Ref, positions: number): Ref {
  const [images, channels] = op.shape(x) as [number, number]
  return op.Transpose([op.Reshape([x, op.ints([images, channels, positions])])], { perm: [1, 0, 2] })
}

/** For each tap of the kernel, which position of the data it multiplies for which position of the result: [taps, HW*OHW]. */
function tapMatrix(axes: readonly WindowAxis[], dtype: Tensor['dtype']): Tensor {
  const [rows, columns] = axes as [WindowAxis, WindowAxis]
  const outputs = rows.output * columns.output
  const width = rows.input * columns.input * outputs
  const values = new Float64Array(rows.kernel * columns.kernel * width)
  const positions = (axis: WindowAxis, visit: (tap: number, from: number, to: number) => void) => {
    for (let tap = 0; tap < axis.kernel; tap++) {
      for (let to = 0; to < axis.output; to++) {
        const from = to * axis.stride + tap * axis.dilation - axis.before
        if (from >= 0 && from < axis.input) visit(tap, from, to)
      }
    }
  }
  positions(rows, (r, y, oy) => {
    positions(columns, (c, x, ox) => {
      const at = (y * columns.input + x) * outputs + oy * columns.output + ox
      values[(r * columns.kernel + c) * width + at] = 1
    })
  })
  return fromNumbers(dtype, [rows.kernel * columns.kernel, width], values)
}

/** Whether rows keep their width, tap by tap, so that `weightGradientByShifts` may move whole images. */
export function suitsShifts({ axes }: Convolution): boolean {
  return axes.every(a => a.stride === 1 && a.dilation === 1) && axes[1]!.output === axes[1]!.input
}

/**
 * The weights' gradient, one column of taps at a time: the images moved sideways by flat padding, what wraps around the
 * edges masked out of dy, and a convolution without padding by kernels as large as dy.
 */
export function weightGradientByShifts(op: Ops, of: Convolution, x: Ref, dy: Ref): Ref {
  const { group, weights, axes } = of
  const [rows, columns] = axes as [WindowAxis, WindowAxis]
  const [images] = op.shape(x) as [number]
  const planes = images * group
  const width = columns.input
  const flat = op.Reshape([x, op.ints([planes, rows.input * width])])
  const taps = Array.from({ length: columns.kernel }, (_, tap) => {
    const shift = tap - columns.before
    const pads = [0, rows.before * width - shift, 0, rows.after * width + shift]
    const moved = op.Reshape([op.Pad([flat, op.ints(pads)]), op.ints([1, planes, -1, width])])
    const inside = Array.from({ length: width }, (_, i) => (i + shift >= 0 && i + shift < width ? 1 : 0))
    const masked =
      shift === 0 ? dy : op.Mul([dy, op.constant(fromNumbers(op.type(dy).dtype, [width], inside), 'inside')])
    const kernels = op.Reshape([masked, op.ints([planes, 1, rows.output, width])])
    return op.Conv([moved, kernels], { group: planes, kernel_shape: [rows.output, width] })
  })
  const all = op.Reshape([op.Concat(taps, { axis: 3 }), op.ints([images, elementCount(weights)])])
  return op.Reshape([op.ReduceSum([all, op.ints([0])], { keepdims: 0 }), op.ints(weights)])
}

/** Whether the data's rows and columns fall into an even and an odd half with their own taps: 3x3, stride 2, even sizes. */
export function suitsHalves({ axes }: Convolution): boolean {
  return axes.every(
    a => a.kernel === 3 && a.stride === 2 && a.dilation === 1 && a.before === 1 && a.input === 2 * a.output,
  )
}

/** The data's gradient at even and odd rows and columns, each a small convolution of dy; then the four interleaved. */
export function dataGradientByHalves(op: Ops, of: Convolution, dy: Ref, w: Ref): Ref {
  const [images, channels, height, width] = op.shape(dy) as [number, number, number, number]
  const taps = op.Reshape([w, op.ints([of.group, 9])])
  const half = (chosen: readonly number[], kernel: readonly [number, number]) => {
    const weights = op.Reshape([op.Gather([taps, op.ints(chosen)], { axis: 1 }), op.ints([of.group, 1, ...kernel])])
    const pads = [0, 0, kernel[0] - 1, kernel[1] - 1]
    return op.Conv([dy, weights], { group: of.group, kernel_shape: kernel, pads })
  }
  const apart = (ref: Ref) => op.Reshape([ref, op.ints([images, channels, height, width, 1])])
  const line = (even: Ref, odd: Ref) =>
    op.Reshape([op.Concat([apart(even), apart(odd)], { axis: 4 }), op.ints([images, channels, height, 1, 2 * width])])
  const even = line(half([4], [1, 1]), half([5, 3], [1, 2]))
  const odd = line(half([7, 1], [2, 1]), half([8, 6, 2, 0], [2, 2]))
  return op.Reshape([op.Concat([even, odd], { axis: 3 }), op.ints([images, channels, 2 * height, 2 * width])])
}
