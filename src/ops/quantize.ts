import { axisOf } from './axes.ts'
import { typeNumbered } from './cast.ts'
import { productCost } from './channels.ts'
import { conv } from './conv.ts'
import { matMul } from './linear.ts'
import { type Call, free, type InferredType, type Link, no, operator, type TypedCall } from './operator.ts'

const rounds = no('rounding to integers is piecewise constant; training with it needs a straight-through estimate')
const integers = no('it works on integers')
const asTheyAre = no('quantized tensors are worth keeping as they are')
const scalesOnly = no('scales and zero points of channels lie in several inputs; prune before quantizing')

export const quantizeLinear = operator('QuantizeLinear', {
  infer: ({ attributes: { output_dtype: stated }, inputs: [x, , zero] }) => [
    { dtype: zero?.dtype ?? (stated ? typeNumbered(stated) : 'uint8'), shape: x!.shape },
  ],
  gradient: rounds,
  coupling: perChannel,
  cost: free,
  evaluate: no('left to the runtime'),
})

export const dequantizeLinear = operator('DequantizeLinear', {
  infer: ({ attributes, inputs: [x, scale] }) => {
    const { output_dtype: stated } = attributes as { output_dtype?: number }
    return [{ dtype: stated ? typeNumbered(stated) : scale!.dtype, shape: x!.shape }]
  },
  gradient: integers,
  coupling: perChannel,
  cost: free,
  evaluate: asTheyAre,
})

/** All axes go through; a scale (and zero point) for each index of an axis leaves with it. Blocks stay whole. */
function perChannel({
  attributes,
  inputs,
  outputs: [y],
}: TypedCall<'QuantizeLinear' | 'DequantizeLinear'>): readonly Link[] {
  const shape = y!.shape!
  const vectors = inputs.flatMap((type, i) => (i > 0 && type?.shape?.length === 1 && type.shape[0] !== 1 ? [i] : []))
  const blocks = inputs[1]?.shape && inputs[1].shape.length > 1 ? axisOf(attributes.axis, shape.length) : -1
  return [
    ...shape.flatMap((_, axis): Link[] =>
      axis === blocks ? [] : [{ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' }],
    ),
    ...vectors.map(
      (i): Link => ({ from: ['in', i, 0], to: ['out', 0, axisOf(attributes.axis, shape.length)], map: 'same' }),
    ),
  ]
}

export const dynamicQuantizeLinear = operator('DynamicQuantizeLinear', {
  infer: ({ inputs: [x] }) => [
    { dtype: 'uint8', shape: x!.shape },
    { dtype: 'float32', shape: [] },
    { dtype: 'uint8', shape: [] },
  ],
  gradient: rounds,
  coupling: no('its scale depends on every element'),
  cost: free,
  evaluate: no('left to the runtime'),
})

/** What the product or convolution of two of a quantized operator's inputs gives, in another type. */
function asFloat(
  rule: typeof conv.infer | typeof matMul.infer,
  call: Call<'QLinearConv' | 'QLinearMatMul' | 'ConvInteger' | 'MatMulInteger'>,
  [a, b]: readonly [number, number],
  dtype: InferredType['dtype'],
): InferredType[] {
  const inputs = [call.inputs[a], call.inputs[b]]
  const [found] = (rule as (call: unknown) => readonly InferredType[])({ ...call, inputs })
  return [{ dtype, shape: found?.shape }]
}

export const qLinearConv = operator('QLinearConv', {
  infer: call => asFloat(conv.infer, call, [0, 3], call.inputs[7]!.dtype),
  gradient: integers,
  coupling: scalesOnly,
  cost: ({ inputs: [, , , w], outputs: [y] }) => productCost(y?.shape, w?.shape?.slice(1)),
  evaluate: asTheyAre,
})

export const convInteger = operator('ConvInteger', {
  infer: call => asFloat(conv.infer, call, [0, 1], 'int32'),
  gradient: integers,
  coupling: scalesOnly,
  cost: ({ inputs: [, w], outputs: [y] }) => productCost(y?.shape, w?.shape?.slice(1)),
  evaluate: asTheyAre,
})

export const qLinearMatMul = operator('QLinearMatMul', {
  infer: call => asFloat(matMul.infer, call, [0, 3], call.inputs[7]!.dtype),
  gradient: integers,
  coupling: scalesOnly,
  cost: ({ inputs: [a], outputs: [y] }) => productCost(y?.shape, a?.shape?.slice(-1)),
  evaluate: asTheyAre,
})

export const matMulInteger = operator('MatMulInteger', {
  infer: call => asFloat(matMul.infer, call, [0, 1], 'int32'),
  gradient: integers,
  coupling: scalesOnly,
  cost: ({ inputs: [a], outputs: [y] }) => productCost(y?.shape, a?.shape?.slice(-1)),
  evaluate: asTheyAre,
})
