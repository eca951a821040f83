import { describe, expect, test } from 'vitest'
import { makeGraph } from '../../test/support/make-graph.ts'
import { int64s, tensor } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import type { Call, TypedCall } from './operator.ts'
import { gru, lstm, reverseSequence, rnn } from './recurrent.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }

for (const [record, gates, outputs] of [
  [lstm, 4, 3],
  [gru, 3, 2],
  [rnn, 1, 2],
] as const) {
  const sample = (directions: number, attributes: object) => ({
    attributes: { hidden_size: 2, ...attributes },
    inputs: [{ shape: [5, 3, 4] }, { shape: [directions, gates * 2, 4] }, { shape: [directions, gates * 2, 2] }],
    outputs,
  })
  conform(record, [sample(1, {}), sample(2, { direction: 'bidirectional' })], bench)

  describe(record.type, () => {
    test('multiplies the input and the state into every gate at every step', () => {
      const shapes = [
        [5, 3, 4],
        [1, gates * 2, 4],
        [1, gates * 2, 2],
      ]
      const inputs = shapes.map(shape => ({ dtype: 'float32' as const, shape }))
      const call = { inputs, attributes: { hidden_size: 2, layout: 0 } } as unknown as TypedCall<'LSTM'>
      expect(record.cost(call).macs).toBe(5 * 3 * gates * 2 * (4 + 2))
    })
    test('has time first where it has no layout attribute, as before opset 14', () => {
      const inputs = [
        [5, 3, 4],
        [1, gates * 2, 4],
        [1, gates * 2, 2],
      ].map(shape => ({ dtype: 'float32', shape }))
      const call = { inputs, attributes: { hidden_size: 2 } } as unknown as Call<'LSTM'>
      expect(record.infer(call)).toMatchObject([
        { shape: [5, 1, 3, 2] },
        { shape: [1, 3, 2] },
        ...(gates === 4 ? [{}] : []),
      ])
    })
    test('may have the batch first', () => {
      const inputs = [
        [3, 5, 4],
        [1, gates * 2, 4],
        [1, gates * 2, 2],
      ].map(shape => ({ dtype: 'float32', shape }))
      const call = { inputs, attributes: { hidden_size: 2, layout: 1 } } as unknown as Call<'LSTM'>
      expect(record.infer(call)).toMatchObject([
        { shape: [3, 5, 1, 2] },
        { shape: [3, 1, 2] },
        ...(gates === 4 ? [{}] : []),
      ])
    })
  })
}

test('layers of no element are refused where engines end the process over them', () => {
  const layer = (op: 'GRU' | 'LSTM', gates: number, ...shape: number[]) => {
    const zeros = (...sizes: number[]) => ({ dtype: 'float32' as const, shape: sizes })
    const x = { x: zeros(...shape), w: zeros(1, gates * 3, shape[2]!), r: zeros(1, gates * 3, 3) }
    return () => makeGraph(x, (ops, { x, w, r }) => ({ y: ops[op]([x, w, r], { hidden_size: 3 }) }))
  }
  for (const shape of [
    [0, 1, 2],
    [1, 0, 2],
    [1, 1, 0],
  ] as const)
    expect(layer('GRU', 3, ...shape)).toThrow('size is 0')
  expect(layer('LSTM', 4, 1, 0, 2)).toThrow('its batch size is 0')
  expect(layer('LSTM', 4, 0, 1, 2)).not.toThrow()
})

conform(
  reverseSequence,
  [
    { inputs: [{ shape: [4, 3, 2] }, int64s([4, 2, 1])] },
    {
      attributes: { time_axis: 1, batch_axis: 0 },
      inputs: [{ shape: [3, 4] }, tensor('int64', [3], BigInt64Array.of(1n, 4n, 2n))],
    },
  ],
  bench,
)
