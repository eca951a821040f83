import { expect, test } from 'vitest'
import { formatType, isTensorType, type TensorType } from '../../base/shape.ts'
import { int64s, scalar, type Tensor } from '../../base/tensor.ts'
import { node } from '../../graph/edit.ts'
import { emptyGraph, type Graph } from '../../graph/graph.ts'
import { check } from '../../read/check.ts'
import { cost } from '../../read/cost.ts'
import { infer } from '../../read/infer.ts'
import { type OpName, toAttributes } from '../spec.ts'

// Operators that have no kernel on CPUs, or too much to say for one: shapes by hand from their documentation.

type Shape = readonly (number | string)[]
const f32 = (...shape: Shape): TensorType => ({ dtype: 'float32', shape })
const f16 = (...shape: Shape): TensorType => ({ dtype: 'float16', shape })
const i32 = (...shape: Shape): TensorType => ({ dtype: 'int32', shape })
const u8 = (...shape: Shape): TensorType => ({ dtype: 'uint8', shape })
const i32s = (value: number): Tensor => ({ dtype: 'int32', shape: [1], data: Int32Array.of(value) })

interface Case {
  readonly op: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly inputs: readonly (TensorType | Tensor | null)[]
  readonly outputs: readonly string[]
  readonly macs?: number
}

const body = { ...emptyGraph('decoder'), inputs: [], outputs: [] }

const cases: readonly Case[] = [
  { op: 'BiasSplitGelu', inputs: [f16(2, 3, 8), f16(8)], outputs: ['float16[2,3,4]'] },
  {
    op: 'BiasSoftmax',
    attributes: { is_inner_broadcast: 0 },
    inputs: [f32('N', 4), f32(1, 4)],
    outputs: ['float32[N,4]'],
  },
  { op: 'BiasDropout', inputs: [f32(2, 4), f32(4)], outputs: ['float32[2,4]', 'bool[2,4]'] },
  { op: 'BitmaskDropout', inputs: [f32(5, 7)], outputs: ['float32[5,7]', 'uint32[2]'] },
  {
    op: 'GroupNorm',
    attributes: { activation: 1, groups: 2 },
    inputs: [f16(1, 8, 8, 4), f32(4), f32(4)],
    outputs: ['float16[1,8,8,4]'],
  },
  {
    op: 'SkipGroupNorm',
    attributes: { activation: 0, groups: 2 },
    inputs: [f16(1, 8, 8, 4), f32(4), f32(4), f16(1, 8, 8, 4)],
    outputs: ['float16[1,8,8,4]', 'float16[1,8,8,4]'],
  },
  {
    op: 'NhwcConv',
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
    inputs: [f16('N', 8, 6, 3), f16(4, 3, 3, 3)],
    outputs: ['float16[N,4,3,4]'],
    macs: 4 * 3 * 4 * 27,
  },
  {
    op: 'QLinearReduceMean',
    attributes: { axes: [-1], keepdims: 0 },
    inputs: [u8(2, 3, 4), scalar('float32', 1), null, scalar('float32', 1)],
    outputs: ['uint8[2,3]'],
  },
  { op: 'ReduceSumInteger', attributes: { axes: [0], keepdims: 1 }, inputs: [u8(2, 3)], outputs: ['uint32[1,3]'] },
  { op: 'MulInteger', inputs: [u8(2, 1), null, u8(3)], outputs: ['int32[2,3]'] },
  {
    op: 'PackedAttention',
    attributes: { num_heads: 2 },
    inputs: [f16('T', 8), f16(8, 24), f16(24), i32(2, 4), i32(3)],
    outputs: ['float16[T,8]'],
  },
  {
    op: 'PackedMultiHeadAttention',
    attributes: { num_heads: 2 },
    inputs: [f16('T', 2, 3, 4), null, null, null, i32(2, 4), i32(3)],
    outputs: ['float16[T,8]'],
  },
  {
    op: 'SparseAttention',
    attributes: { num_heads: 4, kv_num_heads: 2, sparse_block_size: 16 },
    inputs: [
      f32('N', 'S', 64),
      f32('N', 'S', 32),
      f32('N', 'S', 32),
      f32('N', 2, 128, 16),
      f32('N', 2, 128, 16),
    ].concat(i32(1, 9), i32(1, 9), i32(1), i32('N')),
    outputs: ['float32[N,S,64]', 'float32[N,2,128,16]', 'float32[N,2,128,16]'],
  },
  {
    op: 'DecoderMaskedSelfAttention',
    attributes: { num_heads: 2, past_present_share_buffer: 1 },
    inputs: [f16(1, 1, 8), f16(8, 24), f16(24), null, f16(2, 1, 2, 16, 4), null, i32(1)],
    outputs: ['float16[1,1,8]', 'float16[2,1,2,16,4]'],
    macs: 8 * 24 + 16 * 16,
  },
  {
    op: 'LongformerAttention',
    attributes: { num_heads: 2, window: 4 },
    inputs: [f16('N', 8, 8), f16(8, 24), f16(24), f16('N', 8), f16(8, 24), f16(24), i32('N', 8)],
    outputs: ['float16[N,8,8]'],
  },
  {
    op: 'LinearAttention',
    attributes: { q_num_heads: 4, kv_num_heads: 2 },
    inputs: [f32(1, 3, 32), f32(1, 3, 16), f32(1, 3, 12)],
    outputs: ['float32[1,3,24]', 'float32[1,2,8,6]'],
    macs: 3 * 8 * 6 * 6,
  },
  {
    op: 'GemmaRotaryEmbedding',
    inputs: [f32(1, 'S', 8), f16(1, 2, 'S', 8), f16(1, 2, 'S', 8), f16(1, 1, 'S', 8), f16(1, 1, 'S', 8)],
    outputs: ['float16[1,2,S,8]', 'float16[1,1,S,8]'],
  },
  {
    op: 'RelativePositionBias',
    attributes: { max_distance: 128 },
    inputs: [f32(32, 4), int64s([5]), int64s([7])],
    outputs: ['float32[1,4,5,7]'],
  },
  {
    op: 'GatedRelativePositionBias',
    attributes: { num_heads: 2 },
    inputs: [f16('N', 'S', 8), f16(8), f16(1, 2, 'S', 'S'), f16(4, 8), f16(8), f16(1, 2, 1, 1)],
    outputs: ['float16[N,2,S,S]'],
  },
  {
    op: 'RemovePadding',
    inputs: [f16('N', 'S', 8), i32('N')],
    outputs: ['float16[?,8]', 'int32[N,S]', 'int32[N+1]', 'int32[1]'],
  },
  { op: 'RestorePadding', inputs: [f16('T', 8), i32('N', 'S')], outputs: ['float16[N,S,8]'] },
  { op: 'UnfoldTensor', attributes: { dim: -1, size: 3, step: 2 }, inputs: [f32(2, 9)], outputs: ['float32[2,4,3]'] },
  { op: 'Rfft', attributes: { signal_ndim: 1, onesided: 1 }, inputs: [f32('N', 8)], outputs: ['float32[N,5,2]'] },
  { op: 'Irfft', attributes: { signal_ndim: 1, onesided: 1 }, inputs: [f32('N', 5, 2)], outputs: ['float32[N,8]'] },
  { op: 'ComplexMul', inputs: [f32('N', 5, 2), f32(5, 2)], outputs: ['float32[N,5,2]'] },
  { op: 'TorchEmbedding', inputs: [f32(10, 4), { dtype: 'int64', shape: ['N', 3] }], outputs: ['float32[N,3,4]'] },
  {
    op: 'NGramRepeatBlock',
    attributes: { ngram_size: 2 },
    inputs: [{ dtype: 'int64', shape: ['N', 3] }, f32('N', 9)],
    outputs: ['float32[N,9]'],
  },
  {
    op: 'MatMulFpQ4',
    inputs: [f32('N', 8), u8(40), int64s([8, 5])],
    outputs: ['float32[N,5]'],
    macs: 40,
  },
  {
    op: 'MatMulNBitsQkv',
    attributes: { K: 16, Nq: 8, Nkv: 4, block_size: 16 },
    inputs: [f16('N', 16), null, f16(16), u8(8, 1, 8), f16(8), null, u8(4, 1, 8), f16(4), null, u8(4, 1, 8), f16(4)],
    outputs: ['float16[N,8]', 'float16[N,4]', 'float16[N,4]'],
    macs: 16 * 16,
  },
  { op: 'MoE', inputs: [f16('N', 8), f16('N', 4), f16(4, 16, 8), null, f16(4, 8, 16)], outputs: ['float16[N,8]'] },
  {
    op: 'GreedySearch',
    attributes: { decoder: { type: 'graph', value: body }, eos_token_id: 1, pad_token_id: 0 },
    inputs: [i32('N', 4), i32s(20)],
    outputs: ['int32[N,20]'],
  },
  {
    op: 'Sampling',
    attributes: { decoder: { type: 'graph', value: body }, eos_token_id: 1, pad_token_id: 0, vocab_size: 50 },
    inputs: [i32('N', 4), i32s(20)],
    outputs: ['int32[N,20]', 'float32[N,50]'],
  },
  {
    op: 'BeamSearch',
    attributes: { decoder: { type: 'graph', value: body }, eos_token_id: 1, pad_token_id: 0, vocab_size: 50 },
    inputs: [i32('N', 4), i32s(20), null, i32s(4), i32s(2)],
    outputs: ['int32[N,2,20]', 'float32[N,2]', 'float32[?,N,4,50]'],
  },
  {
    op: 'WordConvEmbedding',
    attributes: { embedding_size: 6 },
    inputs: [i32('N', 3, 10), f32(6, 1, 3, 4), f32(6), f32(30, 4)],
    outputs: ['float32[N,3,6]'],
  },
]

test.each(cases)('$op', ({ op, attributes = {}, inputs, outputs, macs }) => {
  const graph = graphOf(op, attributes, inputs, outputs.length)
  expect(check(graph)).toEqual([])
  const types = infer(graph)
  expect(outputs.map((_, i) => formatType(types.get(`y${i}`)))).toEqual(outputs)
  if (macs !== undefined) expect(cost(graph).macs).toBe(macs)
})

test('a convolution without its pads, over which the engine ends the process, is refused', () => {
  const graph = graphOf('ConvTransposeWithDynamicPads', {}, [f32(1, 2, 4, 3), f32(2, 3, 3, 3)], 1)
  expect(check(graph).map(({ message }) => message)).toEqual([expect.stringContaining('its pads are left out')])
})

function graphOf(op: string, attributes: Case['attributes'] & object, inputs: Case['inputs'], outputs: number): Graph {
  const names = inputs.map((input, i) => (input ? `x${i}` : ''))
  const constants = inputs.flatMap((input, i) => (input && 'data' in input ? [[`x${i}`, input] as const] : []))
  const fed = inputs.flatMap((input, i) =>
    input && !('data' in input) && isTensorType(input) ? [{ name: `x${i}`, type: input }] : [],
  )
  const made = Array.from({ length: outputs }, (_, i) => `y${i}`)
  return {
    ...emptyGraph(op),
    opset: { '': 21, 'com.microsoft': 1 },
    inputs: fed,
    outputs: made.map(name => ({ name, type: undefined })),
    initializers: new Map(constants),
    nodes: [
      node({
        op,
        domain: 'com.microsoft',
        inputs: names,
        outputs: made,
        attributes: toAttributes(`com.microsoft.${op}` as OpName, attributes),
      }),
    ],
  }
}
