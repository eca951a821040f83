import { addDims, type Dim } from '../../base/shape.ts'
import { contentsOf } from '../axes.ts'
import { fused, like, unary } from './fused.ts'

// Where tokens stand: turned into their vectors, or added to what they weigh; and batches without padding.

export const rotaryEmbedding = unary('com.microsoft.RotaryEmbedding')
export const mRotaryEmbedding = unary('com.microsoft.MRotaryEmbedding')

export const gemmaRotaryEmbedding = fused('com.microsoft.GemmaRotaryEmbedding', {
  infer: ({ inputs: [, q, , k] }) => [like(q!), like(k!)],
})

/** Table [buckets, heads] to a bias [1, heads, queries, keys]. */
export const relativePositionBias = fused('com.microsoft.RelativePositionBias', {
  infer: call => {
    const [queries, keys] = [1, 2].map((i): Dim => contentsOf(call, i)?.[0] ?? '')
    const [table] = call.inputs
    return [{ dtype: table!.dtype, shape: [1, table!.shape?.[1] ?? '', queries!, keys!] }]
  },
})

/** Queries [batch, length, width], or [tokens, width] with where they came from, [batch, length]. */
export const gatedRelativePositionBias = fused('com.microsoft.GatedRelativePositionBias', {
  infer: ({ attributes: { num_heads: heads }, inputs: [q, , , , , , offsets] }) => {
    const [batch = '', length = ''] = (offsets ?? q)!.shape ?? []
    return [{ dtype: q!.dtype, shape: [batch, heads, length, length] }]
  },
})

/** [batch, length, width] to [tokens, width], and where each token came from. */
export const removePadding = fused('com.microsoft.RemovePadding', {
  infer: ({ inputs: [x] }) => {
    const [batch = '', length = '', width = ''] = x!.shape ?? []
    return [
      { dtype: x!.dtype, shape: ['', width] },
      { dtype: 'int32', shape: [batch, length] },
      { dtype: 'int32', shape: [addDims(batch, 1)] },
      { dtype: 'int32', shape: [1] },
    ]
  },
})

export const restorePadding = fused('com.microsoft.RestorePadding', {
  infer: ({ inputs: [x, offsets] }) => {
    const [batch = '', length = ''] = offsets!.shape ?? []
    return [{ dtype: x!.dtype, shape: [batch, length, x!.shape?.[1] ?? ''] }]
  },
})
