import { type Dim, multiplyDims, type Shape } from '../base/shape.ts'
import { productCost } from './channels.ts'
import { free, type InferredType, no, operator } from './operator.ts'
import { windowedShape } from './window.ts'

// onnxruntime's own operators on blocked tensors (see `BlockedAttributesOf`): in what training emits, where channels are
// padded to a multiple of the block first, and in files that onnxruntime has optimized for one machine.

const answers = {
  gradient: no('it is one of the engine; the layout it works in is differentiated before'),
  coupling: no('it is one of the engine, in graphs that run on this machine only'),
  evaluate: no('it is one of the engine'),
  cost: free,
} as const

export const reorderInput = operator('com.microsoft.nchwc.ReorderInput', {
  ...answers,
  infer: ({ node, attributes: { channels_last: last }, inputs: [x] }) => {
    // The engine's own files, which say where the channels are, leave it to it to fill up its blocks of 8 or 16.
    const padded = (channels: Dim) =>
      node.attributes.channels_last && (typeof channels !== 'number' || channels % 16 !== 0) ? '' : channels
    return [
      withShape(x!, shape => {
        const [n, channels, ...sizes] = last ? [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)] : shape
        return [n!, padded(channels!), ...sizes]
      }),
    ]
  },
})

export const reorderOutput = operator('com.microsoft.nchwc.ReorderOutput', {
  ...answers,
  infer: ({ attributes: { channels, channels_last: last }, inputs: [x] }) => [
    withShape(x!, ([n, , ...sizes]) => (last ? [n!, ...sizes, channels] : [n!, channels, ...sizes])),
  ],
})

export const conv = operator('com.microsoft.nchwc.Conv', {
  ...answers,
  infer: ({ attributes, inputs: [x, w] }) => {
    const kernel = attributes.kernel_shape ?? w?.shape?.slice(2)
    return [kernel ? moved(x!, w?.shape?.[0] ?? '', { ...attributes, kernel_shape: kernel }) : unknown(x!)]
  },
  cost: ({ inputs: [, w], outputs: [y] }) => productCost(y?.shape, w?.shape?.slice(1)),
})

export const maxPool = operator('com.microsoft.nchwc.MaxPool', {
  ...answers,
  infer: ({ attributes, inputs: [x] }) => [moved(x!, x?.shape?.[1] ?? '', attributes)],
})

export const averagePool = operator('com.microsoft.nchwc.AveragePool', {
  ...answers,
  infer: ({ attributes, inputs: [x] }) => [moved(x!, x?.shape?.[1] ?? '', attributes)],
})

export const globalAveragePool = operator('com.microsoft.nchwc.GlobalAveragePool', {
  ...answers,
  infer: ({ inputs: [x] }) => [withShape(x!, shape => shape.map((dim, axis) => (axis < 2 ? dim : 1)))],
})

export const globalMaxPool = operator('com.microsoft.nchwc.GlobalMaxPool', {
  ...answers,
  infer: ({ inputs: [x] }) => [withShape(x!, shape => shape.map((dim, axis) => (axis < 2 ? dim : 1)))],
})

export const upsample = operator('com.microsoft.nchwc.Upsample', {
  ...answers,
  infer: ({ attributes: { scales }, inputs: [x] }) => [
    withShape(x!, shape => shape.map((dim, axis) => multiplyDims(dim, scales[axis]!))),
  ],
})

/** The type of what a window gives that moves over x. */
function moved(x: InferredType, channels: Dim, attributes: { readonly kernel_shape: readonly number[] }): InferredType {
  const window = { auto_pad: 'NOTSET', ...attributes }
  return withShape(x, ([n, , ...sizes]) => [n!, channels, ...windowedShape(window, sizes, window.kernel_shape)])
}

function withShape({ dtype, shape }: InferredType, change: (shape: Shape) => Shape): InferredType {
  return { dtype, shape: shape && change(shape) }
}

function unknown({ dtype }: InferredType): InferredType {
  return { dtype, shape: undefined }
}
