import { elementCount, type Shape } from '../base/shape.ts'
import { fromNumbers } from '../base/tensor.ts'
import { batchFactors, inverseDeviation } from './batch-normalization.ts'
import {
  type BlockedConvolution,
  blockedConvolution,
  blockedDataGradient,
  blockedWeightGradient,
} from './blocked-conv.ts'
import {
  affine,
  fromBlocked,
  resized,
  sumOfProducts,
  sumOverPositions,
  toBlocked,
  wholeBlocks,
  woven,
} from './blocked-layout.ts'
import type { Ops, Ref } from './build.ts'
import { productCost } from './channels.ts'
import { scalarLike } from './elementwise.ts'
import { free, type InferredType, no, operator } from './operator.ts'
import type { AttributesOf } from './spec.ts'
import { windowAxes, windowedShape } from './window.ts'

// Sinter's operators on blocked tensors (see `BlockedAttributesOf`): a training step's while it is compiled.

const answers = {
  coupling: no('blocked tensors are of a training step, whose channels stay'),
  evaluate: no('blocked tensors are computed by the engine only'),
  cost: free,
} as const

/** [N, C, H, W] into blocks, channels padded with zeros. */
export const block = operator('sinter.blocked.Block', {
  ...answers,
  infer: ({ attributes, inputs: [x] }) => [
    withChannels(x!, typeof x?.shape?.[1] === 'number' ? wholeBlocks(x.shape[1], attributes.block) : ''),
  ],
  gradient: ({ op, x: [x], dy: [dy] }) => [fromBlocked(op, dy!, op.shape(x!)[1]!)],
  expand: ({ op, attributes, x: [x] }) => [toBlocked(op, x!, attributes.block)],
})

/** Back to [N, C, H, W] of so many channels. */
export const unblock = operator('sinter.blocked.Unblock', {
  ...answers,
  infer: ({ attributes, inputs: [x] }) => [withChannels(x!, attributes.channels)],
  gradient: ({ op, x: [x], dy: [dy] }) => [toBlocked(op, dy!, op.shape(x!)[1]!)],
  expand: ({ op, attributes, x: [x] }) => [fromBlocked(op, x!, attributes.channels)],
})

/** Convolution of data that is blocked, or has fewer channels than a block, with ordinary weights and bias. */
export const conv = operator('sinter.blocked.Conv', {
  ...answers,
  infer: ({ attributes, inputs: [x, w] }) => {
    const outputs = w?.shape?.[0]
    const sizes =
      x?.shape && windowedShape({ auto_pad: 'NOTSET', ...attributes }, x.shape.slice(2), attributes.kernel_shape)
    const channels = typeof outputs === 'number' ? wholeBlocks(outputs, attributes.block) : ''
    return [{ dtype: x!.dtype, shape: sizes && [x!.shape![0]!, channels, ...sizes] }]
  },
  gradient: call => {
    const {
      op,
      attributes,
      x: [x, w],
      dy: [dy],
      needs,
    } = call
    const of = geometry(op, attributes, x!, w!)
    return [
      needs[0] ? blockedDataGradient(call, of, dy!, w!) : null,
      needs[1] ? blockedWeightGradient(call, of, x!, dy!) : null,
      needs[2] ? resized(op, sumOverPositions(op, dy!), of.weights[0]!) : null,
    ]
  },
  cost: ({ inputs: [, w], outputs: [y] }) => productCost(y?.shape, w?.shape?.slice(1)),
  expand: ({ op, attributes, x: [x, w, bias] }) => [
    blockedConvolution(op, geometry(op, attributes, x!, w!), x!, w!, bias),
  ],
})

function geometry(op: Ops, attributes: AttributesOf['sinter.blocked.Conv'], x: Ref, w: Ref): BlockedConvolution {
  const [, channels, ...sizes] = op.shape(x) as [number, number, ...number[]]
  const weights = op.shape(w)
  const axes = windowAxes({ auto_pad: 'NOTSET', ...attributes }, sizes, weights.slice(2))
  return { group: 1, weights, axes, block: attributes.block, plain: channels < attributes.block }
}

/** Normalization by the batch's own statistics; they are its other outputs, the variance biased. */
export const batchNormalization = operator('sinter.blocked.BatchNormalization', {
  ...answers,
  infer: ({ inputs: [x, scale] }) => [x, scale, scale],
  gradient: ({ op, attributes: { epsilon }, x: [x, scale], y: [, mean, variance], dy, needs }) => {
    const [images, channels, ...sizes] = op.shape(x!) as [number, number, ...number[]]
    const whole = (vector: Ref) => resized(op, vector, channels)
    const own = (vector: Ref) => resized(op, vector, op.shape(scale!)[0]!)
    const gradient = dy[0] ?? op.Mul([x, scalarLike(op, x!, 0)])
    const sums = { dy: sumOverPositions(op, gradient), dyx: sumOfProducts(op, gradient, x!) }
    const count = images * elementCount(sizes)
    const had = { scale: whole(scale!), mean: whole(mean!), variance: whole(variance!), epsilon, count }
    const { scale: dScale, a, b, c } = batchFactors(op, had, sums, dy[1] && whole(dy[1]), dy[2] && whole(dy[2]))
    return [
      needs[0] ? affine(op, gradient, { scale: a, sum: affine(op, x!, { scale: b, shift: c }) }) : null,
      needs[1] ? own(dScale) : null,
      needs[2] ? own(sums.dy) : null,
    ]
  },
  expand: ({ op, attributes: { epsilon }, x: [x, scale, shift] }) => {
    const [images, channels, ...sizes] = op.shape(x!) as [number, number, ...number[]]
    const own = (vector: Ref) => resized(op, vector, op.shape(scale!)[0]!)
    const average = (sum: Ref) => op.Mul([sum, scalarLike(op, x!, 1 / (images * elementCount(sizes)))])
    const mean = average(sumOverPositions(op, x!))
    const spread = op.Sub([average(sumOfProducts(op, x!, x!)), op.Mul([mean, mean])])
    // Rounding can leave a little less than nothing.
    const variance = op.Max([spread, scalarLike(op, x!, 0)])
    const a = op.Mul([resized(op, scale!, channels), inverseDeviation(op, variance, epsilon)])
    const b = op.Sub([resized(op, shift!, channels), op.Mul([mean, a])])
    return [affine(op, x!, { scale: a, shift: b }), own(mean), own(variance)]
  },
})

/** Maxima of windows that lie side by side and cover the data. */
export const maxPool = operator('sinter.blocked.MaxPool', {
  ...answers,
  infer: ({ attributes, inputs: [x] }) => {
    const window = { auto_pad: 'NOTSET', ...attributes }
    const pooled = x?.shape && windowedShape(window, x.shape.slice(2), attributes.kernel_shape)
    return [{ dtype: x!.dtype, shape: pooled && [...x!.shape!.slice(0, 2), ...pooled] }]
  },
  // Elements that equal the maximum share its gradient.
  gradient: ({ op, attributes: { kernel_shape, strides, block }, x: [x], y: [y], dy: [dy], choose }) => {
    const window = { kernel_shape, strides, dilations: [1, 1], pads: [0, 0, 0, 0] }
    const shared = (spread: (pooled: Ref) => Ref) => {
      // In one pass: 1 where x - y is zero, and 0 where it is less.
      const steep = { name: 'HardSigmoid', params: [1e30, 1] }
      const equal = affine(op, x!, { sum: spread(op.Neg([y])), activation: steep })
      const share = op['com.microsoft.nchwc.AveragePool']([equal], window)
      const mean = op.Mul([dy, scalarLike(op, dy!, 1 / elementCount(kernel_shape))])
      return op.Mul([equal, spread(op.Div([mean, share]))])
    }
    const scales = [1, 1, ...strides]
    const copies = elementCount(strides)
    return [
      choose('dX', {
        // On one thread only, but in one pass.
        upsampled: () => shared(pooled => op['com.microsoft.nchwc.Upsample']([pooled], { scales, mode: 'nearest' })),
        woven: () => shared(pooled => woven(op, new Array<Ref>(copies).fill(pooled), strides, block)),
      }),
    ]
  },
  expand: ({ op, attributes: { block, ...window }, x: [x] }) => [op['com.microsoft.nchwc.MaxPool']([x], window)],
})

/** The mean over all positions, [N, C, 1, 1] in the ordinary layout. */
export const globalAveragePool = operator('sinter.blocked.GlobalAveragePool', {
  ...answers,
  infer: ({ attributes: { channels }, inputs: [x] }) => [
    { dtype: x!.dtype, shape: x?.shape && [x.shape[0]!, channels, 1, 1] },
  ],
  gradient: ({ op, attributes, x: [x], dy: [dy] }) => {
    const [images, channels, ...sizes] = op.shape(x!) as [number, number, ...number[]]
    const missing = channels - attributes.channels
    const whole = missing === 0 ? dy! : op.Pad([dy, op.ints([0, 0, 0, 0, 0, missing, 0, 0])])
    const blocks = op.ints([(images * channels) / attributes.block, 1, attributes.block])
    const count = elementCount(sizes)
    const shares = new Array<number>(count * attributes.block).fill(1 / count)
    const each = op.constant(fromNumbers(op.type(x!).dtype, [1, count, attributes.block], shares), 'shares')
    return [op.Reshape([op.Mul([op.Reshape([whole, blocks]), each]), op.ints(op.shape(x!))])]
  },
  expand: ({ op, attributes: { channels }, x: [x] }) => {
    const pooled = op['com.microsoft.nchwc.GlobalAveragePool']([x])
    if (op.shape(x!)[1] === channels) return [pooled]
    return [op.Slice([pooled, op.ints([0]), op.ints([channels]), op.ints([1])])]
  },
})

/** Weaves tensors into one; see the attributes. Only gradients make it. */
export const interleave = operator('sinter.blocked.Interleave', {
  ...answers,
  infer: ({ attributes: { strides }, inputs }) => {
    const part = inputs.find(type => type !== undefined)!
    const sizes = part.shape?.slice(2).map((size, axis) => (typeof size === 'number' ? size * strides[axis]! : ''))
    return [{ dtype: part.dtype, shape: sizes && [...part.shape!.slice(0, 2), ...sizes] }]
  },
  gradient: no('it stands in gradients only'),
  expand: ({ op, attributes: { strides, block }, x }) => {
    const parts = Array.from({ length: elementCount(strides) }, (_, i) => x[i] || null)
    return [woven(op, parts, strides, block)]
  },
})

function withChannels({ dtype, shape }: InferredType, channels: Shape[number]): InferredType {
  return { dtype, shape: shape && [shape[0]!, channels, ...shape.slice(2)] }
}
