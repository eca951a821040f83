import { addDims, elementCount, multiplyDims, type Shape, subtractDims } from '../base/shape.ts'
import { fromNumbers } from '../base/tensor.ts'
import { numbersIn } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { channelwiseLinks } from './channels.ts'
import { maskLike, scalarLike } from './elementwise.ts'
import { imagesOf, maxPoolGradient, overTiles, padLeftover, planesOf, tiles } from './max-pool-gradient.ts'
import { free, type InferredType, no, operator } from './operator.ts'
import {
  attributesOfAxes,
  extentOf,
  type WindowAttributes,
  type WindowAxis,
  windowAxes,
  windowedShape,
} from './window.ts'

const notFolded = no('pooling is not shape arithmetic')
const noRule = no('no rule is written for it; AveragePool of a power has one')

type PoolAttributes = WindowAttributes & { readonly kernel_shape: readonly number[] }

export const maxPool = operator('MaxPool', {
  infer: ({ node, attributes, inputs: [x] }) => {
    const pooled = pooledType(x!, attributes)
    return node.outputs.length > 1 ? [pooled, { dtype: 'int64', shape: pooled.shape }] : [pooled]
  },
  gradient: call => {
    const {
      op,
      attributes,
      x: [x],
      y: [y],
      dy: [dy],
    } = call
    return [maxPoolGradient(call, poolAxes(op, attributes, x!), x!, y!, dy!)]
  },
  // Indices count through all batches and channels: they would be others if one left.
  coupling: call => (call.node.outputs[1] ? [] : channelwiseLinks(call)),
  cost: free,
  evaluate: notFolded,
  // One channel an image: onnxruntime would reorder several into blocks and back, which takes longer than the pooling.
  expand: ({ node, attributes, op, x: [x] }) => {
    const [, channels] = op.shape(x!) as [number, number]
    if (node.outputs[1] || channels === 1) return undefined
    return [imagesOf(op, op.MaxPool([planesOf(op, x!)], attributes), channels)]
  },
})

export const averagePool = operator('AveragePool', {
  infer: ({ attributes, inputs: [x] }) => [pooledType(x!, attributes)],
  gradient: ({ op, attributes, x: [x], dy: [dy], choose }) => {
    const axes = poolAxes(op, attributes, x!)
    const means = op.Mul([dy!, reciprocalCounts(op, axes, attributes.count_include_pad === 1, dy!)])
    const spread = () => spreadOverWindows(op, axes, means, op.shape(x!))
    const tiled = () => padLeftover(op, axes, overTiles(op, axes, means))
    return [choose('dX', tiles(axes) ? { tiled, spread } : { spread })]
  },
  coupling: channelwiseLinks,
  cost: free,
  evaluate: notFolded,
})

export const globalAveragePool = operator('GlobalAveragePool', {
  infer: ({ inputs: [x] }) => [globalType(x!)],
  gradient: ({ op, x: [x], dy: [dy] }) => {
    const { dtype } = op.type(x!)
    const sizes = op.shape(x!).slice(2)
    const count = elementCount(sizes)
    // Multiplying by a tensor of the positions' shape broadcasts faster than Expand.
    const shares = fromNumbers(dtype, [1, 1, ...sizes], new Array<number>(count).fill(1 / count))
    return [op.Mul([dy!, op.constant(shares, 'shares')])]
  },
  coupling: channelwiseLinks,
  cost: free,
  evaluate: notFolded,
})

export const globalMaxPool = operator('GlobalMaxPool', {
  infer: ({ inputs: [x] }) => [globalType(x!)],
  // Elements that equal the maximum share its gradient.
  gradient: ({ op, x: [x], y: [y], dy: [dy] }) => {
    const positions = op.ints(
      op
        .shape(x!)
        .slice(2)
        .map((_, axis) => axis + 2),
    )
    const equal = maskLike(op, op.Equal([x, y]), dy!)
    return [op.Mul([equal, op.Div([dy, op.ReduceSum([equal, positions], { keepdims: 1 })])])]
  },
  coupling: channelwiseLinks,
  cost: free,
  evaluate: notFolded,
})

export const lpPool = operator('LpPool', {
  infer: ({ attributes, inputs: [x] }) => [pooledType(x!, attributes)],
  gradient: noRule,
  coupling: channelwiseLinks,
  cost: free,
  evaluate: notFolded,
  upgrades: [
    {
      to: 2,
      apply: ({ attributes }, op, x) => [op.LpPool(x, { ...attributes, p: wholePower(attributes.p) })],
    },
  ],
})

export const globalLpPool = operator('GlobalLpPool', {
  infer: ({ inputs: [x] }) => [globalType(x!)],
  gradient: noRule,
  coupling: channelwiseLinks,
  cost: free,
  evaluate: notFolded,
  upgrades: [{ to: 2, apply: ({ attributes: { p } }, op, x) => [op.GlobalLpPool(x, { p: wholePower(p) })] }],
})

/** In opset 1 a norm's power could be any number. */
function wholePower(p: number): number {
  if (!Number.isInteger(p)) throw new Error(`a norm of the power ${p} is gone`)
  return p
}

export const maxUnpool = operator('MaxUnpool', {
  infer: call => {
    const {
      attributes,
      inputs: [x],
    } = call
    const stated = numbersIn(call, 2)
    return [
      {
        dtype: x!.dtype,
        shape: stated ?? (call.node.inputs[2] ? x!.shape?.map(() => '') : unpooledShape(x!, attributes)),
      },
    ]
  },
  gradient: ({ op, x: [x, indices], dy: [dy] }) => {
    const flat = (ref: Ref) => op.Reshape([ref, op.ints([-1])])
    return [
      op.Reshape([op.GatherElements([flat(dy!), flat(indices!)], { axis: 0 }), op.ints(op.shape(x!))]),
      null,
      null,
    ]
  },
  coupling: no('its indices count through all batches and channels: they would be others if one left'),
  cost: free,
  evaluate: notFolded,
})

function pooledType(x: InferredType, attributes: PoolAttributes): InferredType {
  if (!x.shape) return { dtype: x.dtype, shape: undefined }
  const [images, channels, ...sizes] = x.shape
  const kernel = attributes.kernel_shape
  if (kernel.length !== sizes.length) {
    throw new Error(`a window with ${kernel.length} axes does not fit data with ${sizes.length} spatial axes`)
  }
  return { dtype: x.dtype, shape: [images!, channels!, ...windowedShape(attributes, sizes, kernel, true)] }
}

function globalType({ dtype, shape }: InferredType): InferredType {
  return { dtype, shape: shape?.map((dim, axis) => (axis < 2 ? dim : 1)) }
}

function unpooledShape(
  { shape }: InferredType,
  { kernel_shape, strides, pads }: Omit<PoolAttributes, 'auto_pad'>,
): Shape | undefined {
  const rank = kernel_shape.length
  return shape?.map((dim, i) => {
    const axis = i - 2
    if (axis < 0) return dim
    const around = kernel_shape[axis]! - (pads?.[axis] ?? 0) - (pads?.[axis + rank] ?? 0)
    return addDims(multiplyDims(subtractDims(dim, 1), strides?.[axis] ?? 1), around)
  })
}

function poolAxes(op: Ops, attributes: PoolAttributes, x: Ref): readonly WindowAxis[] {
  return windowAxes(attributes, op.shape(x).slice(2), attributes.kernel_shape)
}

/** 1 / the number of elements that each mean is over: a scalar where it is the same for all, else [1, 1, ...output]. */
function reciprocalCounts(op: Ops, axes: readonly WindowAxis[], padded: boolean, like: Ref): Ref {
  const counts = axes.map(axis => elementsPerWindow(axis, padded))
  if (counts.every(own => own.every(count => count === own[0]))) {
    return scalarLike(op, like, 1 / counts.reduce((product, own) => product * own[0]!, 1))
  }
  const products = counts.reduce((all, own) => all.flatMap(count => own.map(more => count * more)), [1])
  const shape = [1, 1, ...axes.map(axis => axis.output)]
  return op.constant(
    fromNumbers(
      op.type(like).dtype,
      shape,
      products.map(count => 1 / count),
    ),
    'reciprocals',
  )
}

/** How many elements of the data, or of the data and its padding, each window covers along an axis. */
function elementsPerWindow(axis: WindowAxis, padded: boolean): number[] {
  const [first, last] = padded ? [-axis.before, axis.input + axis.after] : [0, axis.input]
  return Array.from({ length: axis.output }, (_, i) => {
    const start = i * axis.stride - axis.before
    const taps = Array.from({ length: axis.kernel }, (_, tap) => start + tap * axis.dilation)
    return taps.filter(at => at >= first && at < last).length
  })
}

/** Adds each element of a pooled tensor to all the elements that its window covers: the adjoint of a sum pooling. */
function spreadOverWindows(op: Ops, axes: readonly WindowAxis[], pooled: Ref, shape: readonly number[]): Ref {
  const channels = shape[0]! * shape[1]!
  const { kernel_shape, strides, dilations } = attributesOfAxes(axes)
  const ones = new Array<number>(elementCount(kernel_shape)).fill(1)
  const window = op.constant(fromNumbers(op.type(pooled).dtype, [1, 1, ...kernel_shape], ones), 'window')
  const behind = axes.map(a => a.stride * (a.output - 1) + extentOf(a) - a.before - a.input)
  const spread = op.ConvTranspose(
    [op.Reshape([pooled, op.ints([channels, 1, ...axes.map(axis => axis.output)])]), window],
    {
      strides,
      dilations,
      pads: [...axes.map(axis => axis.before), ...behind.map(size => Math.max(0, size))],
      output_padding: behind.map(size => Math.max(0, -size)),
    },
  )
  return op.Reshape([spread, op.ints(shape)])
}
