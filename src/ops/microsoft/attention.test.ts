import { fromNumbers, scalar } from '../../base/tensor.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as attention from './attention.ts'
import * as positions from './positions.ts'
import * as projecting from './projecting-attention.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = (...shape: number[]) => ({ shape, low: -0.5, high: 0.5 })
const bytes = (...shape: number[]) => ({ shape, dtype: 'uint8', low: 0, high: 255 }) as const
const scale = scalar('float32', 0.01)
const zero = scalar('uint8', 128)

conform(
  projecting.attention,
  [
    { attributes: { num_heads: 2 }, inputs: [x(2, 3, 8), x(8, 24), x(24)] },
    {
      name: 'with a mask',
      attributes: { num_heads: 2 },
      inputs: [x(2, 3, 8), x(8, 24), x(24), fromNumbers('int32', [2, 3], [1, 1, 1, 1, 1, 0])],
    },
    {
      name: 'after a past',
      attributes: { num_heads: 2, unidirectional: 1 },
      inputs: [x(2, 3, 8), x(8, 24), x(24), null, x(2, 2, 2, 5, 4)],
      outputs: 2,
    },
    { name: 'with a present', attributes: { num_heads: 2 }, inputs: [x(2, 3, 8), x(8, 24), x(24)], outputs: 2 },
    {
      name: 'of values of another width',
      attributes: { num_heads: 2, qkv_hidden_sizes: [8, 8, 12] },
      inputs: [x(2, 3, 6), x(6, 28), x(28)],
    },
  ],
  bench,
)
conform(
  projecting.qAttention,
  [
    {
      name: 'in 8 bits',
      attributes: { num_heads: 2 },
      inputs: [bytes(2, 3, 8), bytes(8, 24), x(24), scale, scale, null, zero, zero],
    },
    {
      name: 'after a past',
      attributes: { num_heads: 2, unidirectional: 1 },
      inputs: [bytes(2, 3, 8), bytes(8, 24), x(24), scale, scale, null, zero, zero, x(2, 2, 2, 5, 4)],
      outputs: 2,
    },
  ],
  bench,
)
conform(
  attention.multiHeadAttention,
  [
    { name: 'across', attributes: { num_heads: 2 }, inputs: [x(2, 3, 8), x(2, 5, 8), x(2, 5, 12)] },
    {
      name: 'across, keys and values by heads',
      attributes: { num_heads: 2 },
      inputs: [x(2, 3, 8), x(2, 2, 5, 4), x(2, 2, 5, 4)],
    },
    {
      name: 'after a past',
      attributes: { num_heads: 2 },
      inputs: [x(2, 3, 8), x(2, 3, 8), x(2, 3, 8), null, null, null, x(2, 2, 5, 4), x(2, 2, 5, 4)],
      outputs: 3,
    },
    {
      name: 'with a present',
      attributes: { num_heads: 2 },
      inputs: [x(2, 3, 8), x(2, 3, 8), x(2, 3, 8)],
      outputs: 3,
    },
  ],
  bench,
)
conform(
  attention.groupQueryAttention,
  [
    {
      name: 'of the first tokens',
      attributes: { num_heads: 4, kv_num_heads: 2 },
      inputs: [
        x(1, 3, 64),
        x(1, 3, 32),
        x(1, 3, 32),
        null,
        null,
        fromNumbers('int32', [1], [2]),
        fromNumbers('int32', [1], [3]),
      ],
      outputs: 3,
    },
    {
      name: 'packed',
      attributes: { num_heads: 4, kv_num_heads: 2 },
      inputs: [x(1, 3, 128), null, null, null, null, fromNumbers('int32', [1], [2]), fromNumbers('int32', [1], [3])],
      outputs: 3,
    },
    {
      name: 'after a past',
      attributes: { num_heads: 4, kv_num_heads: 2 },
      inputs: [
        x(1, 1, 64),
        x(1, 1, 32),
        x(1, 1, 32),
        x(1, 2, 5, 16),
        x(1, 2, 5, 16),
        fromNumbers('int32', [1], [5]),
        fromNumbers('int32', [1], [6]),
      ],
      outputs: 3,
      skip: { infer: 'how long the present is depends on who owns the buffer' },
    },
  ],
  bench,
)
conform(
  attention.decoderMaskedMultiHeadAttention,
  [
    {
      name: 'after a past in a buffer',
      attributes: { num_heads: 2, past_present_share_buffer: 1 },
      inputs: [
        x(1, 1, 16),
        x(1, 1, 16),
        x(1, 1, 16),
        null,
        null,
        x(1, 2, 6, 8),
        x(1, 2, 6, 8),
        fromNumbers('int32', [1], [3]),
      ],
      outputs: 3,
    },
  ],
  bench,
)
conform(
  positions.rotaryEmbedding,
  [
    {
      name: 'of heads side by side',
      inputs: [x(2, 3, 8), fromNumbers('int64', [1], [0]), x(10, 2), x(10, 2)],
      attributes: { num_heads: 2, rotary_embedding_dim: 4 },
    },
  ],
  bench,
)
