import { describe, expect, test } from 'vitest'
import { int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as attention from './attention.ts'
import { conform } from './testing/conform.ts'
import { inferOne } from './testing/infer-one.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const none = null

conform(
  attention.attention,
  [
    { opset: 23, inputs: [{ shape: [2, 3, 4, 8] }, { shape: [2, 3, 5, 8] }, { shape: [2, 3, 5, 6] }] },
    {
      name: 'of packed heads',
      opset: 23,
      attributes: { q_num_heads: 3, kv_num_heads: 3 },
      inputs: [{ shape: [2, 4, 24] }, { shape: [2, 5, 24] }, { shape: [2, 5, 18] }],
    },
    {
      name: 'of shared keys, with a mask and a past',
      opset: 23,
      attributes: { q_num_heads: 4, kv_num_heads: 2 },
      inputs: [
        { shape: [2, 3, 16] },
        { shape: [2, 3, 8] },
        { shape: [2, 3, 8] },
        { shape: [3, 5] },
        { shape: [2, 2, 2, 4] },
        { shape: [2, 2, 2, 4] },
      ],
      outputs: 3,
    },
    {
      name: 'with its weights',
      opset: 23,
      attributes: { qk_matmul_output_mode: 1 },
      inputs: [
        { shape: [2, 3, 4, 8] },
        { shape: [2, 3, 6, 8] },
        { shape: [2, 3, 6, 8] },
        none,
        { shape: [2, 3, 2, 8] },
        { shape: [2, 3, 2, 8] },
      ],
      outputs: 4,
    },
  ],
  bench,
)
conform(
  attention.rotaryEmbedding,
  [
    {
      opset: 23,
      inputs: [
        { shape: [2, 3, 4, 8] },
        { shape: [6, 4] },
        { shape: [6, 4] },
        { ...int64s([0, 1, 2, 3, 1, 2, 3, 4]), shape: [2, 4] },
      ],
    },
    {
      name: 'of packed heads',
      opset: 23,
      attributes: { num_heads: 2, interleaved: 1 },
      inputs: [{ shape: [1, 4, 8] }, { shape: [6, 2] }, { shape: [6, 2] }, { ...int64s([0, 1, 2, 3]), shape: [1, 4] }],
    },
  ],
  bench,
)
conform(
  attention.tensorScatter,
  [
    { opset: 24, inputs: [{ shape: [2, 3, 6, 4] }, { shape: [2, 3, 2, 4] }, int64s([1, 3])] },
    {
      name: 'around the end',
      opset: 24,
      attributes: { axis: 1, mode: 'circular' },
      inputs: [{ shape: [2, 6, 4] }, { shape: [2, 2, 4] }, int64s([1, 5])],
    },
  ],
  bench,
)

// Opset 27 is newer than the engine: the shapes are those of the standard's text.
describe('in symbols', () => {
  test('an attention has its heads and the length of its keys with those of the past', () => {
    const types = inferOne(
      attention.attention,
      [['B', 'T', 64], ['B', 'S', 32], ['B', 'S', 32], undefined, ['B', 4, 'P', 8], ['B', 4, 'P', 8]],
      { attributes: { q_num_heads: 8, kv_num_heads: 4 }, outputs: 4 },
    )
    expect(types.map(type => type.shape)).toEqual([
      ['B', 'T', 64],
      ['B', 4, 'P+S', 8],
      ['B', 4, 'P+S', 8],
      ['B', 8, 'T', 'P+S'],
    ])
  })
  test('a linear attention has a state of keys by values for each head', () => {
    const shapes: (string | number)[][] = [
      ['B', 'T', 32],
      ['B', 'T', 16],
      ['B', 'T', 24],
    ]
    const attributes = { q_num_heads: 8, kv_num_heads: 4, update_rule: 'linear' }
    const types = inferOne(attention.linearAttention, shapes, { attributes, outputs: 2 })
    expect(types.map(type => type.shape)).toEqual([
      ['B', 'T', 48],
      ['B', 4, 4, 6],
    ])
  })
  test('a causal convolution hands on what its next window needs', () => {
    const types = inferOne(
      attention.causalConvWithState,
      [
        ['B', 6, 'T'],
        [6, 1, 4],
      ],
      { outputs: 2 },
    )
    expect(types.map(type => type.shape)).toEqual([
      ['B', 6, 'T'],
      ['B', 6, 3],
    ])
  })
})
