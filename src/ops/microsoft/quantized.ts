import { broadcastType } from '../broadcast.ts'
import { concat } from '../concat.ts'
import type { Call, InferredType } from '../operator.ts'
import { fused, unary } from './fused.ts'
import { reducedShape } from './reduced.ts'

// Operators on quantized tensors: (value - zero point) * scale.

/** What two tensors among the inputs come to by NumPy's broadcasting. */
const broadcastOf =
  (...places: readonly number[]) =>
  ({ inputs }: Pick<Call, 'inputs'>): InferredType[] => [broadcastType(places.map(i => inputs[i]))]

export const qLinearAdd = fused('com.microsoft.QLinearAdd', { infer: broadcastOf(0, 3) })
export const qLinearMul = fused('com.microsoft.QLinearMul', { infer: broadcastOf(0, 3) })
export const qLinearLeakyRelu = unary('com.microsoft.QLinearLeakyRelu')
export const qLinearSigmoid = unary('com.microsoft.QLinearSigmoid')
export const qLinearSoftmax = unary('com.microsoft.QLinearSoftmax')

export const qLinearWhere = fused('com.microsoft.QLinearWhere', {
  infer: ({ inputs: [condition, x, , , y] }) => [broadcastType([condition, x, y], x!.dtype)],
})

/** After the result's scale and zero point each tensor comes with its own. */
export const qLinearConcat = fused('com.microsoft.QLinearConcat', {
  infer: call => {
    const places = call.inputs.flatMap((_, i) => (i >= 2 && (i - 2) % 3 === 0 ? [i] : []))
    const inputs = places.map(i => call.inputs[i])
    const [found] = concat.infer({
      ...call,
      attributes: { axis: call.attributes.axis },
      inputs,
    } as unknown as Call<'Concat'>)
    return [{ dtype: call.inputs[1]!.dtype, shape: (found as InferredType).shape }]
  },
})

export const qLinearReduceMean = fused('com.microsoft.QLinearReduceMean', {
  infer: ({ attributes: { axes, keepdims }, inputs: [x] }) => [
    { dtype: x!.dtype, shape: x!.shape && reducedShape(x!.shape, axes, keepdims === 1) },
  ],
})

export const reduceSumInteger = fused('com.microsoft.ReduceSumInteger', {
  infer: ({ attributes: { axes, keepdims }, inputs: [x] }) => [
    {
      dtype: x!.dtype.startsWith('u') ? 'uint32' : 'int32',
      shape: x!.shape && reducedShape(x!.shape, axes, keepdims === 1),
    },
  ],
})

export const mulInteger = fused('com.microsoft.MulInteger', {
  infer: ({ inputs: [a, , b] }) => [broadcastType([a, b], 'int32')],
})

export const quantizeLinear = fused('com.microsoft.QuantizeLinear', {
  infer: ({ inputs: [x, , zero] }) => [{ dtype: zero?.dtype ?? 'uint8', shape: x!.shape }],
})

export const dequantizeLinear = fused('com.microsoft.DequantizeLinear', {
  infer: ({ inputs: [x, scale] }) => [{ dtype: scale!.dtype, shape: x!.shape }],
})

export const qOrderedGelu = unary('com.microsoft.QOrderedGelu')
export const qOrderedLayerNormalization = unary('com.microsoft.QOrderedLayerNormalization')
