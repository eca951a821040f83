import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, scalar } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { infer } from '../read/infer.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as signal from './signal.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [1, 8, 1] }

conform(
  signal.dft,
  [
    { inputs: [x] },
    { attributes: { onesided: 1 }, inputs: [x] },
    { name: 'of another length', inputs: [x, scalar('int64', 4)] },
    { opset: 17, attributes: { axis: 1, onesided: 1 }, inputs: [x] },
  ],
  bench,
)
const window = float32s([4], [0.5, 1, 1, 0.5])
conform(
  signal.stft,
  [
    { inputs: [{ shape: [1, 16, 1] }, scalar('int64', 2), window] },
    { attributes: { onesided: 0 }, inputs: [{ shape: [1, 17, 1] }, scalar('int64', 3), null, scalar('int64', 4)] },
  ],
  bench,
)
for (const record of [signal.hannWindow, signal.hammingWindow, signal.blackmanWindow]) {
  conform(record, [{ inputs: [scalar('int64', 5)] }], bench)
}

test('frames of no length are refused, which would end an engine’s process', () => {
  const one = makeGraph({ x: f32(1, 8, 1) }, (op, { x }) => ({
    y: op.STFT([x, op.scalar(2, 'int64'), null, op.scalar(4, 'int64')]),
  }))
  expect(infer(one).get('y')).toMatchObject({ shape: [1, 3, 3, 2] })
  const lengths = new Map([...one.initializers].map(([name, of]) => [name, scalar(of.dtype, 0)]))
  expect(() => infer({ ...one, initializers: lengths })).toThrow('a length and a step above 0, not 0 and 0')
})

conform(
  signal.melWeightMatrix,
  [
    {
      inputs: [
        scalar('int64', 8),
        scalar('int64', 16),
        scalar('int64', 8192),
        scalar('float32', 0),
        scalar('float32', 4096),
      ],
    },
    {
      attributes: { output_datatype: 11 },
      inputs: [
        scalar('int32', 4),
        scalar('int32', 33),
        scalar('int32', 8000),
        scalar('float32', 100),
        scalar('float32', 3000),
      ],
    },
  ],
  bench,
)
