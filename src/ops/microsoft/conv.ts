import { numbersIn } from '../axes.ts'
import { productCost } from '../channels.ts'
import { conv, convTranspose } from '../conv.ts'
import type { Call, InferredType, TypedCall } from '../operator.ts'
import { globalAveragePool, maxPool } from '../pool.ts'
import { refuse } from '../spec.ts'
import { fused, inferAs } from './fused.ts'

// Convolutions and pools: with an activation after, quantized, and on images whose channels are the last axis.

/** [N, positions..., C] as [N, C, positions...]. */
function channelsFirst({ dtype, shape }: InferredType): InferredType {
  return { dtype, shape: shape && [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)] }
}

function channelsLast({ dtype, shape }: InferredType): InferredType {
  return { dtype, shape: shape && [shape[0]!, ...shape.slice(2), shape[1]!] }
}

type Moves = readonly InferredType[]

/** What a rule for channels in front makes of images whose channels are the last axis. */
function onImages(last: boolean, call: Pick<Call, 'inputs'>, rule: (inputs: Call['inputs']) => Moves): Moves {
  const [x, ...rest] = call.inputs
  return last ? rule([channelsFirst(x!), ...rest]).map(channelsLast) : rule(call.inputs)
}

/** Products for each element of the result: the weights' but of their first axis. */
const weighed =
  (w: number) =>
  ({ inputs, outputs: [y] }: TypedCall) =>
    productCost(y?.shape, inputs[w]?.shape?.slice(1))

export const fusedConv = fused('com.microsoft.FusedConv', {
  infer: call => inferAs(conv, call, window(call), [0, 1, 2]),
  cost: weighed(1),
})

type ConvName =
  | 'com.microsoft.FusedConv'
  | 'com.microsoft.NhwcConv'
  | 'com.microsoft.NhwcFusedConv'
  | 'com.microsoft.QLinearConv'

function window({ attributes }: Pick<Call<ConvName>, 'attributes'>) {
  const { auto_pad, dilations, group, kernel_shape, pads, strides } = attributes
  return { auto_pad, dilations, group, kernel_shape, pads, strides }
}

function onLastChannels<K extends 'com.microsoft.NhwcConv' | 'com.microsoft.NhwcFusedConv'>(type: K) {
  return fused<K>(type, {
    infer: call =>
      onImages(true, call, inputs => inferAs(conv, { ...call, inputs } as unknown as Call, window(call), [0, 1, 2])),
    cost: weighed(1) as never,
  })
}
export const nhwcConv = onLastChannels('com.microsoft.NhwcConv')
export const nhwcFusedConv = onLastChannels('com.microsoft.NhwcFusedConv')

export const qLinearConv = fused('com.microsoft.QLinearConv', {
  infer: call => {
    const found = onImages(call.attributes.channels_last === 1, call, inputs =>
      inferAs(conv, { ...call, inputs } as unknown as Call, window(call), [0, 3]),
    )
    return [{ dtype: call.inputs[7]!.dtype, shape: found[0]!.shape }]
  },
  cost: weighed(3),
})

export const convTransposeWithDynamicPads = fused('com.microsoft.ConvTransposeWithDynamicPads', {
  infer: call => {
    // They are optional by its schema, but the engine ends the process where they are left out.
    if (!call.node.inputs[2]) refuse(call.node, 'its pads are left out.')
    const { auto_pad, dilations, group, kernel_shape, output_padding, strides } = call.attributes
    const pads = numbersIn(call, 2)
    const stated = { auto_pad, dilations, group, kernel_shape, output_padding, strides }
    const [found] = inferAs(convTranspose, call, pads ? { ...stated, pads } : stated, [0, 1])
    return [!pads ? { dtype: found!.dtype, shape: found!.shape?.map((dim, i) => (i < 2 ? dim : '')) } : found!]
  },
  cost: ({ inputs: [x, w] }) => productCost(x?.shape, w?.shape?.slice(1)),
})

/** The type of a pool's result, its window among the attributes. */
function pooled(call: Call<'com.microsoft.NhwcMaxPool' | 'com.microsoft.QLinearAveragePool'>, last: boolean): Moves {
  const { auto_pad, ceil_mode, kernel_shape, pads, strides, ...rest } = call.attributes
  const dilations = 'dilations' in rest ? rest.dilations : undefined
  const own = { auto_pad, ceil_mode, kernel_shape, pads, strides, dilations }
  return onImages(last, call, inputs => inferAs(maxPool, { ...call, inputs } as unknown as Call, own, [0])).slice(0, 1)
}

export const nhwcMaxPool = fused('com.microsoft.NhwcMaxPool', { infer: call => pooled(call, true) })

export const maxpoolWithMask = fused('com.microsoft.MaxpoolWithMask', {
  infer: call => {
    const { auto_pad, kernel_shape = [], pads, strides } = call.attributes
    return inferAs(maxPool, call, { auto_pad, kernel_shape, pads, strides }, [0])
  },
})

export const qLinearAveragePool = fused('com.microsoft.QLinearAveragePool', {
  infer: call => pooled(call, call.attributes.channels_last === 1),
})

export const qLinearGlobalAveragePool = fused('com.microsoft.QLinearGlobalAveragePool', {
  infer: call =>
    onImages(call.attributes.channels_last === 1, call, inputs =>
      inferAs(globalAveragePool, { ...call, inputs } as unknown as Call, {}, [0]),
    ),
})
