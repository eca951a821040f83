import { addDims, productOf } from '../../base/shape.ts'
import { sizeOf } from '../channels.ts'
import type { Call, Cost, InferredType } from '../operator.ts'
import { refuse } from '../spec.ts'
import { type AttentionSizes, meetings, part } from './attention-sizes.ts'
import { fused } from './fused.ts'

// Attention that makes its queries, keys and values: of x [batch, length, input] by weights [input, queries + keys + values].

type Projecting = 'com.microsoft.Attention' | 'com.microsoft.QAttention' | 'com.microsoft.DecoderMaskedSelfAttention'

interface ProjectingAttributes {
  readonly num_heads: number
  readonly qkv_hidden_sizes?: readonly number[] | undefined
  readonly past_present_share_buffer?: number | undefined
}

function projectedSizes(call: Call<Projecting>, pastPlace: number): AttentionSizes {
  const { num_heads: heads, qkv_hidden_sizes: widths } = call.attributes as ProjectingAttributes
  if (widths?.length && widths.length !== 3)
    refuse(call.node, `its qkv_hidden_sizes are ${widths.length}; they must be 3.`)
  const [x, weights] = call.inputs
  const past = call.inputs[pastPlace]
  const [batch = '', queries = ''] = x!.shape ?? []
  const third = part(weights?.shape?.[1] ?? '', 3)
  const before = call.node.inputs[pastPlace] ? (past?.shape?.[3] ?? '') : 0
  return {
    batch,
    queries,
    keys: sharesBuffer(call) ? before : addDims(before, queries),
    heads,
    keyHeads: heads,
    queryWidth: widths?.length ? widths[0]! : third,
    valueWidth: widths?.length ? widths[2]! : third,
  }
}

/** Whether the past's buffer has room for the present, which then is that buffer. */
function sharesBuffer(call: Pick<Call<Projecting>, 'attributes' | 'node'>): boolean {
  const { past_present_share_buffer: shared } = call.attributes as ProjectingAttributes
  return Boolean(shared) || call.node.op === 'DecoderMaskedSelfAttention'
}

function projecting<K extends Projecting>(
  type: K,
  pastPlace: number,
  dtypeOf: (call: Call<K>) => InferredType['dtype'],
) {
  return fused<K>(type, {
    infer: call => {
      const sizes = projectedSizes(call as unknown as Call<Projecting>, pastPlace)
      const { batch, queries, keys, heads, valueWidth } = sizes
      const dtype = dtypeOf(call)
      return [
        { dtype, shape: [batch, queries, valueWidth] },
        { dtype, shape: [2, batch, heads, keys, part(valueWidth, heads)] },
      ].slice(0, call.node.outputs.length)
    },
    cost: (call): Cost => {
      const sizes = projectedSizes(call as unknown as Call<Projecting>, pastPlace)
      const rows = sizeOf(productOf([sizes.batch, sizes.queries]))
      const weights = call.inputs[1]?.shape
      return { macs: rows * sizeOf(productOf(weights ?? [''])) + meetings(sizes) }
    },
  })
}

export const attention = projecting('com.microsoft.Attention', 4, ({ inputs: [x] }) => x!.dtype)
export const qAttention = projecting('com.microsoft.QAttention', 8, ({ inputs: [, , bias] }) => bias!.dtype)
export const decoderMaskedSelfAttention = projecting(
  'com.microsoft.DecoderMaskedSelfAttention',
  4,
  ({ inputs: [x] }) => x!.dtype,
)

/** On the tokens of all sequences side by side: x [tokens, input]. */
export const packedAttention = fused('com.microsoft.PackedAttention', {
  infer: ({ attributes: { qkv_hidden_sizes: widths }, inputs: [x, weights] }) => [
    { dtype: x!.dtype, shape: [x!.shape?.[0] ?? '', widths?.[2] ?? part(weights?.shape?.[1] ?? '', 3)] },
  ],
  // Which tokens meet is known only when it runs.
  cost: () => ({ macs: Number.NaN }),
})
