import { addDims, divideDims, productOf } from '../../base/shape.ts'
import { gelu as standardGelu, swish } from '../activation.ts'
import { broadcastType, elementwiseLinks } from '../broadcast.ts'
import type { Ref } from '../build.ts'
import type { Backward, GradientRule, InferredType } from '../operator.ts'
import type { OpName } from '../spec.ts'
import { fused, like, unary } from './fused.ts'

/** The gradient rule of a standard activation at x (here: of one that something was added to first). */
function slopeAt<K extends OpName, S extends OpName>(
  call: Backward<K>,
  rule: unknown,
  x: Ref,
  attributes: Backward<S>['attributes'],
): Ref {
  const standard = { ...call, attributes, x: [x] } as unknown as Backward<S>
  return (rule as GradientRule<S>)(standard)[0]!
}

export const gelu = unary('com.microsoft.Gelu', {
  gradient: call => [
    slopeAt<'com.microsoft.Gelu', 'Gelu'>(call, standardGelu.gradient, call.x[0]!, { approximate: 'none' }),
  ],
  coupling: elementwiseLinks,
})

/** GELU by tanh, of x + bias. */
export const fastGelu = unary('com.microsoft.FastGelu', {
  gradient(call) {
    const [x, bias] = call.x as readonly [Ref, Ref?]
    const sum = bias ? call.op.Add([x, bias]) : x
    const slope = slopeAt<'com.microsoft.FastGelu', 'Gelu'>(call, standardGelu.gradient, sum, { approximate: 'tanh' })
    return bias ? [slope, slope] : [slope]
  },
  coupling: elementwiseLinks,
})

export const biasGelu = unary('com.microsoft.BiasGelu', {
  gradient(call) {
    const sum = call.op.Add([call.x[0], call.x[1]])
    const slope = slopeAt<'com.microsoft.BiasGelu', 'Gelu'>(call, standardGelu.gradient, sum, { approximate: 'none' })
    return [slope, slope]
  },
  coupling: elementwiseLinks,
})

/** x * sigmoid(alpha * x). */
export const quickGelu = unary('com.microsoft.QuickGelu', {
  gradient: call => [slopeAt<'com.microsoft.QuickGelu', 'Swish'>(call, swish.gradient, call.x[0]!, call.attributes)],
  coupling: elementwiseLinks,
})

/** One half of the last axis, times the GELU of the other. */
export const biasSplitGelu = fused('com.microsoft.BiasSplitGelu', { infer: ({ inputs: [x] }) => [halved(x!)] })

export const swiGlu = fused('com.microsoft.SwiGLU', {
  infer: ({ node, inputs: [gate] }) => [node.inputs[1] ? like(gate!) : halved(gate!)],
})

function halved({ dtype, shape }: InferredType): InferredType {
  return { dtype, shape: shape?.with(-1, divideDims(shape.at(-1)!, 2)) }
}

export const scaledSiLu = unary('com.microsoft.ScaledSiLU')
export const biasAdd = unary('com.microsoft.BiasAdd')
export const biasSoftmax = unary('com.microsoft.BiasSoftmax')
export const gatedAdd = unary('com.microsoft.GatedAdd')

export const complexMul = fused('com.microsoft.ComplexMul', { infer: ({ inputs }) => [broadcastType(inputs)] })
export const complexMulConj = fused('com.microsoft.ComplexMulConj', { infer: ({ inputs }) => [broadcastType(inputs)] })

export const biasDropout = fused('com.microsoft.BiasDropout', {
  infer: ({ inputs: [x] }) => [like(x!), { dtype: 'bool', shape: x!.shape }],
})

const withBits = ({ inputs: [x] }: { readonly inputs: readonly (InferredType | undefined)[] }): InferredType[] => {
  const bits = x!.shape ? productOf(x!.shape) : ''
  return [like(x!), { dtype: 'uint32', shape: [divideDims(addDims(bits, 31), 32)] }]
}
export const bitmaskDropout = fused('com.microsoft.BitmaskDropout', { infer: withBits })
export const bitmaskBiasDropout = fused('com.microsoft.BitmaskBiasDropout', { infer: withBits })
