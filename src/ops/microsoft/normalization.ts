import type { DType } from '../../base/dtype.ts'
import type { Shape } from '../../base/shape.ts'
import { axisOf } from '../axes.ts'
import type { Call, InferredType } from '../operator.ts'
import { fused, like, unary } from './fused.ts'

// Normalizations with what precedes them: a sum, or a sum of embeddings.

/** One statistic for each row that is normalized. */
function statistic(x: InferredType, axis: number, dtype: DType = 'float32'): InferredType {
  const first = x.shape && axisOf(axis, x.shape.length)
  return { dtype, shape: x.shape?.map((dim, i) => (i < first! ? dim : 1)) }
}

/** The output, mean and inverse deviation, and what was normalized. */
function skipTypes({ node, inputs: [x] }: Call): readonly InferredType[] {
  return [like(x!), statistic(x!, -1), statistic(x!, -1), like(x!)].slice(0, node.outputs.length)
}

export const skipLayerNormalization = fused('com.microsoft.SkipLayerNormalization', {
  infer: call => skipTypes(call as unknown as Call),
})
export const skipSimplifiedLayerNormalization = fused('com.microsoft.SkipSimplifiedLayerNormalization', {
  infer: call => skipTypes(call as unknown as Call),
})

/** RMSNormalization as onnxruntime has it, in the standard's own domain. */
export const simplifiedLayerNormalization = fused('SimplifiedLayerNormalization', {
  infer: ({ node, attributes: { axis }, inputs: [x, scale] }) =>
    [{ dtype: scale!.dtype, shape: x!.shape }, statistic(x!, axis)].slice(0, node.outputs.length),
})

/** Embeddings of ids [batch, length], rows of a table [words, width]: normalized, mask's lengths, and not normalized. */
function embedded(ids: InferredType, table: InferredType | undefined, dtype: DType, outputs: number): InferredType[] {
  const [batch = '', length = ''] = ids.shape ?? []
  const shape: Shape = [batch, length, table?.shape?.[1] ?? '']
  return [
    { dtype, shape },
    { dtype: 'int32' as const, shape: [batch] },
    { dtype, shape },
  ].slice(0, outputs)
}

export const embedLayerNormalization = fused('com.microsoft.EmbedLayerNormalization', {
  infer: ({ node, inputs: [ids, , words] }) => embedded(ids!, words, words!.dtype, node.outputs.length),
})

export const qEmbedLayerNormalization = fused('com.microsoft.QEmbedLayerNormalization', {
  infer: ({ node, inputs: [ids, , words, , , , , , scale] }) =>
    embedded(ids!, words, scale?.dtype ?? 'float32', node.outputs.length),
})

export const groupNorm = unary('com.microsoft.GroupNorm')
export const skipGroupNorm = fused('com.microsoft.SkipGroupNorm', {
  infer: ({ node, inputs: [x] }) => [like(x!), like(x!)].slice(0, node.outputs.length),
})
export const gatedRmsNorm = unary('com.microsoft.GatedRMSNorm')
export const branchwiseRmsNorm = unary('com.microsoft.BranchwiseRMSNorm')
