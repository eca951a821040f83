import { addDims, divideDims, multiplyDims, subtractDims } from '../../base/shape.ts'
import { axisOf, contentsOf, numbersIn } from '../axes.ts'
import { elementwiseLinks } from '../broadcast.ts'
import { typeNumbered } from '../cast.ts'
import { gather, gatherND as standardGatherND } from '../gather.ts'
import { range as standardRange, trilu as standardTrilu } from '../generate.ts'
import { no } from '../operator.ts'
import { pad as standardPad } from '../pad.ts'
import { refuse } from '../spec.ts'
import { gridSample as standardGridSample } from '../vision.ts'
import { fused, inferAs, like, unary } from './fused.ts'

// Operators on any tensors, most of them older than the standard's of the same name.

/** A rule of the standard operator, for the same inputs and attributes. */
const same = (rule: unknown) => rule as never

export const trilu = unary('com.microsoft.Trilu', {
  gradient: same(standardTrilu.gradient),
  coupling: same(standardTrilu.coupling),
  evaluate: same(standardTrilu.evaluate),
})

export const range = fused('com.microsoft.Range', {
  infer: call => {
    // Without a step it is 1.
    const step = { dtype: call.inputs[0]!.dtype, shape: [], value: [1] }
    const inputs = call.node.inputs[2] ? call.inputs : [call.inputs[0], call.inputs[1], step]
    return inferAs(standardRange, { ...call, inputs } as never, {}, [0, 1, 2])
  },
})

export const gatherND = fused('com.microsoft.GatherND', {
  infer: call => inferAs(standardGatherND, call, { batch_dims: 0 }),
})

export const pad = fused('com.microsoft.Pad', {
  infer: call => inferAs(standardPad, call, { mode: call.attributes.mode }),
})

export const gridSample = fused('com.microsoft.GridSample', { infer: call => inferAs(standardGridSample, call, {}) })

export const inverse = unary('com.microsoft.Inverse', {
  gradient: no('left out: training graphs are in the standard, which has no inverse'),
})

/** x [images, channels, height, width] at regions [regions, 4] to crops of one size. */
export const cropAndResize = fused('com.microsoft.CropAndResize', {
  infer: call => {
    const [x, regions] = call.inputs
    const [height = '', width = ''] = contentsOf(call, 3) ?? []
    return [{ dtype: x!.dtype, shape: [regions!.shape?.[0] ?? '', x!.shape?.[1] ?? '', height, width] }]
  },
})

export const expandDims = fused('com.microsoft.ExpandDims', {
  infer: call => {
    const [x] = call.inputs
    const axis = numbersIn(call, 1)?.[0]
    if (!x!.shape) return [like(x!)]
    const rank = x!.shape.length + 1
    const shape = axis === undefined ? new Array<string>(rank).fill('') : x!.shape.toSpliced(axisOf(axis, rank), 0, 1)
    return [{ dtype: x!.dtype, shape }]
  },
})

export const unique = fused('com.microsoft.Unique', {
  infer: ({ inputs: [x] }) => [
    { dtype: x!.dtype, shape: [''] },
    { dtype: 'int64', shape: [x!.shape?.[0] ?? ''] },
    { dtype: 'int64', shape: [''] },
  ],
})

/** Windows along an axis: as many as fit, their elements in an axis of their own at the end. */
export const unfoldTensor = fused('com.microsoft.UnfoldTensor', {
  infer: ({ node, attributes: { dim, size, step }, inputs: [x] }) => {
    if (step < 1) refuse(node, `its step is ${step}; it must be at least 1.`)
    if (!x!.shape) return [like(x!)]
    const axis = axisOf(dim, x!.shape.length)
    const count = addDims(divideDims(subtractDims(x!.shape[axis]!, size), step), 1)
    return [{ dtype: x!.dtype, shape: [...x!.shape.with(axis, count), size] }]
  },
})

/** Distances between rows of [M, N] and [K, N]: [M, K], as many products as elements meet. */
export const cDist = fused('com.microsoft.CDist', {
  infer: ({ inputs: [a, b] }) => [{ dtype: a!.dtype, shape: [a!.shape?.[0] ?? '', b!.shape?.[0] ?? ''] }],
})

/** The last axis of n real numbers to floor(n/2) + 1 complex ones, as pairs. */
export const rfft = fused('com.microsoft.Rfft', {
  infer: ({ inputs: [x] }) => [
    { dtype: x!.dtype, shape: x!.shape && [...x!.shape.slice(0, -1), addDims(divideDims(x!.shape.at(-1)!, 2), 1), 2] },
  ],
})

/** And back to 2 * (n - 1). */
export const irfft = fused('com.microsoft.Irfft', {
  infer: ({ inputs: [x] }) => [
    {
      dtype: x!.dtype,
      shape: x!.shape && [...x!.shape.slice(0, -2), multiplyDims(subtractDims(x!.shape.at(-2)!, 1), 2)],
    },
  ],
})

export const isAllFinite = fused('com.microsoft.IsAllFinite', { infer: () => [{ dtype: 'bool', shape: [] }] })
export const nGramRepeatBlock = unary('com.microsoft.NGramRepeatBlock', {}, 1)
export const sampleOp = unary('com.microsoft.SampleOp', { coupling: elementwiseLinks })

/** Copies between a host and a device, in files that were optimized for one with a memory of its own. */
export const memcpyToHost = unary('MemcpyToHost')
export const memcpyFromHost = unary('MemcpyFromHost')

export const torchEmbedding = fused('com.microsoft.TorchEmbedding', {
  infer: ({ inputs: [weight, indices] }) => [
    { dtype: weight!.dtype, shape: indices!.shape && [...indices!.shape, weight!.shape?.[1] ?? ''] },
  ],
})

/** Gather of dequantized data; data of 8 bits holds several elements in one, along its last axis, if they have fewer. */
export const gatherBlockQuantized = fused('com.microsoft.GatherBlockQuantized', {
  infer: call => {
    const { bits, gather_axis: axis } = call.attributes
    const [data, indices, scales] = call.inputs
    const packed = data!.dtype === 'uint8' && bits > 0 && bits < 8 ? 8 / bits : 1
    const shape = data!.shape?.with(-1, multiplyDims(data!.shape.at(-1)!, packed))
    const inputs = [{ dtype: scales!.dtype, shape }, indices]
    return inferAs(gather, { ...call, inputs }, { axis }, [0, 1])
  },
})

export const dynamicTimeWarping = fused('com.microsoft.DynamicTimeWarping', {
  infer: () => [{ dtype: 'int32', shape: [2, ''] }],
})

const numbered = (value: number | undefined) => (value === undefined ? undefined : typeNumbered(value))
/** Packed rows, dequantized to K columns. */
export const gatherPacked = fused('com.microsoft.GatherPacked', {
  infer: ({ attributes: { K, output_dtype: to }, inputs: [, indices] }) => [
    { dtype: numbered(to) ?? 'float32', shape: indices!.shape && [...indices!.shape, K] },
  ],
})
