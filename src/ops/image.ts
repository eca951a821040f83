import { type Dim, divideDims, exactQuotient, productOf } from '../base/shape.ts'
import { numbers } from '../base/tensor.ts'
import { axisOf, contentsOf, lengthOf, unknownShape } from './axes.ts'
import { sources, take } from './elements.ts'
import { free, type Link, no, operator } from './operator.ts'

// Images put together from blocks, cut to size, and read from files.

export const col2Im = operator('Col2Im', {
  infer(call) {
    const [x] = call.inputs
    const [image, block] = [contentsOf(call, 1), contentsOf(call, 2)]
    const rank = image?.length ?? lengthOf(call.inputs[1]) ?? block?.length ?? lengthOf(call.inputs[2])
    if (rank === undefined) return [{ dtype: x!.dtype, shape: undefined }]
    const [batch = '', columns = ''] = x!.shape ?? []
    const positions = block && productOf(block)
    const whole = typeof positions === 'number' && positions > 0 ? divideDims(columns, positions) : ''
    const channels = (positions && exactQuotient(columns, positions)) ?? whole
    return [{ dtype: x!.dtype, shape: [batch, channels, ...(image ?? unknownShape(rank))] }]
  },
  gradient: no('no rule is written for it; ConvTranspose with a kernel of ones puts blocks together too'),
  coupling: call => {
    const block = contentsOf(call, 2)
    const positions = block && productOf(block)
    const images: Link = { from: ['in', 0, 0], to: ['out', 0, 0], map: 'same' }
    if (typeof positions !== 'number') return [images]
    return [images, { from: ['out', 0, 1], to: ['in', 0, 1], map: positions === 1 ? 'same' : { repeat: positions } }]
  },
  cost: free,
  evaluate: no('left to the runtime'),
})

export const centerCropPad = operator('CenterCropPad', {
  infer: call => {
    const { dtype, shape } = call.inputs[0]!
    if (!shape) return [{ dtype, shape: undefined }]
    const axes = call.attributes.axes ?? shape.map((_, axis) => axis)
    const target = contentsOf(call, 1)
    const result: Dim[] = [...shape]
    axes.forEach((axis, i) => {
      result[axisOf(axis, shape.length)] = target?.[i] ?? ''
    })
    return [{ dtype, shape: result }]
  },
  gradient: no('no rule is written for it; Slice and Pad have one'),
  // An axis that keeps its size keeps its elements.
  coupling: ({ inputs: [x], outputs: [y], attributes: { axes } }) =>
    x!.shape!.flatMap((_, axis): Link[] => {
      const named = axes?.map(one => axisOf(one, x!.shape!.length)).includes(axis) ?? true
      return named || !y?.shape ? [] : [{ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' }]
    }),
  cost: free,
  evaluate: ({ attributes: { axes } }, [x, target]) => {
    const from = x!.shape
    const shape = [...from]
    const sizes = numbers(target!)
    ;(axes ?? from.map((_, axis) => axis)).forEach((axis, i) => {
      shape[axisOf(axis, from.length)] = sizes[i]!
    })
    // What is cut off or added is split in halves, the smaller one in front.
    const starts = from.map((size, axis) =>
      size >= shape[axis]! ? Math.floor((size - shape[axis]!) / 2) : -Math.floor((shape[axis]! - size) / 2),
    )
    const index = sources(shape, from, position => {
      const origin = position.map((i, axis) => i + starts[axis]!)
      return origin.every((i, axis) => i >= 0 && i < from[axis]!) ? origin : undefined
    })
    return [take(x!, shape, index)]
  },
})

export const imageDecoder = operator('ImageDecoder', {
  // What cannot be decoded gives an empty image, of which the standard does not say the shape.
  infer: () => [{ dtype: 'uint8', shape: unknownShape(3) }],
  gradient: no('it reads files'),
  coupling: no('the size of an image is in its file'),
  cost: free,
  evaluate: no('left to the runtime'),
})
