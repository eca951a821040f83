import { addDims, type Dim, multiplyDims, productOf, type Shape } from '../../base/shape.ts'
import { sizeOf } from '../channels.ts'
import type { Call, InferredType, TypedCall } from '../operator.ts'
import { type AttentionSizes, meetings, part } from './attention-sizes.ts'
import { fused, like } from './fused.ts'

// Attention on given queries, keys and values, with states of the past or without.

/** Queries [batch, length, width]; keys and values alike, or by heads; or packed together into one. */
function givenSizes({
  node,
  attributes: { num_heads: heads },
  inputs,
}: Call<'com.microsoft.MultiHeadAttention'>): AttentionSizes {
  const [q, k, v, , , , pastKey] = inputs
  const shape = q!.shape ?? []
  const packed = shape.length === 5
  const [batch = '', queries = ''] = shape
  const queryWidth = packed ? multiplyDims(heads, shape[4]!) : (shape[2] ?? '')
  const present = keyLength(k?.shape) ?? (node.inputs[1] ? '' : queries)
  const before = node.inputs[6] ? (pastKey?.shape?.[2] ?? '') : 0
  return {
    batch,
    queries,
    // With the past's length as an input its buffer holds the present too.
    keys: node.inputs[8] ? before : addDims(before, present),
    heads,
    keyHeads: heads,
    queryWidth,
    valueWidth: valueWidth(v?.shape, k?.shape, heads) ?? (node.inputs[1] ? '' : queryWidth),
  }
}

function keyLength(key: Shape | undefined): Dim | undefined {
  return key && (key.length === 4 ? key[2] : key[1])
}

function valueWidth(value: Shape | undefined, key: Shape | undefined, heads: number): Dim | undefined {
  if (value) return value.length === 4 ? multiplyDims(heads, value[3]!) : value[2]
  return key?.length === 5 ? multiplyDims(heads, key[4]!) : undefined
}

export const multiHeadAttention = fused('com.microsoft.MultiHeadAttention', {
  infer: call => {
    const { batch, queries, keys, heads, queryWidth, valueWidth: width } = givenSizes(call)
    const { dtype } = call.inputs[0]!
    return [
      { dtype, shape: [batch, queries, width] },
      { dtype, shape: [batch, heads, keys, part(queryWidth, heads)] },
      { dtype, shape: [batch, heads, keys, part(width, heads)] },
      { dtype, shape: [batch, heads, queries, keys] },
    ].slice(0, call.node.outputs.length)
  },
  cost: call => ({ macs: meetings(givenSizes(call)) }),
})

/** Of one token after others. Without keys its query holds them too. */
export const decoderMaskedMultiHeadAttention = fused('com.microsoft.DecoderMaskedMultiHeadAttention', {
  infer: call => {
    const { node, attributes, inputs } = call
    const [q, k, v, , , pastKey, pastValue] = inputs
    const [batch = '', queries = '', width = ''] = q!.shape ?? []
    const own = valueWidth(v?.shape, k?.shape, attributes.num_heads) ?? part(width, 3)
    const grown = (past: InferredType | undefined): InferredType => ({
      dtype: q!.dtype,
      shape: attributes.past_present_share_buffer
        ? past?.shape
        : past?.shape?.with(2, addDims(past.shape[2]!, queries)),
    })
    return [
      { dtype: q!.dtype, shape: [batch, queries, own] },
      grown(pastKey),
      grown(pastValue),
      { dtype: q!.dtype, shape: [batch, attributes.num_heads, queries, ''] },
    ].slice(0, node.outputs.length)
  },
  cost: ({ inputs: [q, k, , , , past] }) => {
    const [batch = '', queries = '', width = ''] = q!.shape ?? []
    const keys = past?.shape?.[2] ?? keyLength(k?.shape) ?? ''
    return { macs: 2 * sizeOf(productOf([batch, queries, width, keys])) }
  },
})

/** Several queries' heads share a key's. Without keys the queries hold them and the values too. */
function groupedSizes(
  call: Call<'com.microsoft.GroupQueryAttention' | 'com.microsoft.SparseAttention'>,
): AttentionSizes {
  const { num_heads: heads, kv_num_heads: keyHeads } = call.attributes
  const [q, , , past] = call.inputs
  const [batch = '', queries = '', width = ''] = q!.shape ?? []
  const own = call.node.inputs[1] ? part(width, heads) : part(width, heads + 2 * keyHeads)
  const total = call.inputs[call.node.op === 'SparseAttention' ? 7 : 6]?.value?.[0]
  const before = call.node.inputs[3] ? (past?.shape?.[2] ?? '') : 0
  return {
    batch,
    queries,
    keys: total ?? addDims(before, queries),
    heads,
    keyHeads,
    queryWidth: multiplyDims(own, heads),
    valueWidth: multiplyDims(own, heads),
  }
}

export const groupQueryAttention = fused('com.microsoft.GroupQueryAttention', {
  infer: call => {
    const { batch, queries, heads, keyHeads, queryWidth } = groupedSizes(call)
    const [q, , , past] = call.inputs
    // The present is as long as the past's buffer or the total, whichever is more.
    const present: InferredType = {
      dtype: past?.dtype ?? q!.dtype,
      shape: [batch, keyHeads, call.node.inputs[3] ? '' : queries, past?.shape?.[3] ?? part(queryWidth, heads)],
    }
    return [
      { dtype: q!.dtype, shape: [batch, queries, queryWidth] },
      present,
      present,
      { dtype: q!.dtype, shape: [batch, heads, queries, ''] },
    ].slice(0, call.node.outputs.length)
  },
  cost: call => ({ macs: meetings(groupedSizes(call)) }),
})

export const sparseAttention = fused('com.microsoft.SparseAttention', {
  infer: call => {
    const { batch, queries, queryWidth } = groupedSizes(call)
    const [q, , , key, value] = call.inputs
    return [{ dtype: q!.dtype, shape: [batch, queries, queryWidth] }, like(key!), like(value!)]
  },
  // Which blocks meet is in its tables.
  cost: () => ({ macs: Number.NaN }),
})

/** Queries [tokens, width] of all sequences side by side, or packed [tokens, heads, 3, size]. */
export const packedMultiHeadAttention = fused('com.microsoft.PackedMultiHeadAttention', {
  infer: ({ attributes: { num_heads: heads }, inputs: [q, , v] }) => {
    const size = q!.shape?.length === 4 ? multiplyDims(heads, q!.shape[3]!) : (v?.shape?.[1] ?? '')
    return [{ dtype: q!.dtype, shape: [q!.shape?.[0] ?? '', size] }]
  },
  cost: () => ({ macs: Number.NaN }),
})

export const pagedAttention = fused('com.microsoft.PagedAttention', {
  infer: ({ node, attributes, inputs: [q, , , key, value] }) => {
    const { num_heads: heads, kv_num_heads: keyHeads } = attributes
    const width = q!.shape?.[1] ?? ''
    const own = node.inputs[1] ? width : multiplyDims(part(width, heads + 2 * keyHeads), heads)
    return [{ dtype: q!.dtype, shape: [q!.shape?.[0] ?? '', own] }, like(key!), value && like(value)].slice(
      0,
      node.outputs.length,
    )
  },
  cost: () => ({ macs: Number.NaN }),
})

/** Queries and keys [length, batch, width], projected. */
export const decoderAttention = fused('com.microsoft.DecoderAttention', {
  infer: ({ node, attributes: { num_heads: heads }, inputs: [q] }) => {
    const [, batch = '', width = ''] = q!.shape ?? []
    const cache: InferredType = { dtype: q!.dtype, shape: [batch, heads, '', part(width, heads)] }
    return [like(q!), cache, cache].slice(0, node.outputs.length)
  },
  cost: () => ({ macs: Number.NaN }),
})

export const longformerAttention = fused('com.microsoft.LongformerAttention', {
  infer: ({ inputs: [x] }) => [like(x!)],
  // How many tokens all others meet is in its mask.
  cost: () => ({ macs: Number.NaN }),
})

/** A state [keys, values] for each head in the place of keys; several of the latest with a window. */
export const linearAttention = fused('com.microsoft.LinearAttention', {
  infer: ({ attributes, inputs: [q, k, v, past] }) => {
    const { q_num_heads: heads, kv_num_heads: keyHeads, state_window: window } = attributes
    const [batch = '', length = ''] = q!.shape ?? []
    const [keySize, valueSize] = [k, v].map(type => part(type?.shape?.[2] ?? '', keyHeads))
    const state = [batch, keyHeads, keySize!, valueSize!]
    return [
      { dtype: q!.dtype, shape: [batch, length, multiplyDims(Math.max(heads, keyHeads), valueSize!)] },
      { dtype: past?.dtype ?? q!.dtype, shape: window > 0 ? [window, ...state] : state },
    ]
  },
  cost: ({
    attributes: { q_num_heads: heads, kv_num_heads: keyHeads },
    inputs: [q],
    outputs: [, state],
  }: TypedCall<'com.microsoft.LinearAttention'>) => {
    const [batch = '', length = ''] = q!.shape ?? []
    return { macs: sizeOf(productOf([batch, length, ...(state?.shape?.slice(-2) ?? [''])])) * (heads + keyHeads) }
  },
})
