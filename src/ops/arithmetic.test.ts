import { float32s, int64s, scalar } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as arithmetic from './arithmetic.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const { add, sub, mul, div, pow, neg, abs, sign, min, max, sum, mean, mod, clip } = arithmetic
const shape = [2, 3]
const integers: Sample = { name: 'integers', inputs: [int64s([7, -7, 3]), int64s([2, 2, -2])] }

for (const record of [add, sub, mul, div]) {
  conform(
    record,
    [
      { inputs: [{ shape }, { shape, low: 0.5 }] },
      { name: 'broadcast', inputs: [{ shape: [2, 1, 3] }, { shape: [4, 1], low: 0.5 }] },
      { name: 'with a scalar', inputs: [{ shape }, scalar('float32', 3)] },
      integers,
    ],
    bench,
  )
}

conform(
  pow,
  [
    { inputs: [{ shape, low: 0.5 }, { shape }] },
    { name: 'square', inputs: [{ shape }, scalar('float32', 2)] },
    { name: 'first power', inputs: [{ shape }, scalar('float32', 1)] },
    { name: 'root', inputs: [{ shape, low: 0.5 }, scalar('float32', 0.5)] },
    { name: 'an integer exponent', inputs: [{ shape }, scalar('int64', 3)] },
    {
      name: 'fed integer exponents',
      inputs: [
        { shape, low: 1 },
        { shape, dtype: 'int64' },
      ],
    },
  ],
  bench,
)

for (const record of [neg, abs, sign]) {
  conform(record, [{ inputs: [{ shape }] }, { name: 'integers', inputs: [int64s([7, -7, 0])] }], bench)
}

for (const record of [min, max]) {
  conform(
    record,
    [
      { inputs: [{ shape }, { shape }] },
      { name: 'broadcast', inputs: [{ shape: [2, 1, 3] }, { shape: [4, 1] }, { shape: [] }] },
      { name: 'one input', inputs: [{ shape }] },
      integers,
    ],
    bench,
  )
}

for (const record of [sum, mean]) {
  conform(record, [{ inputs: [{ shape }, { shape: [3] }, { shape: [2, 1] }] }, { inputs: [{ shape }] }], bench)
}

conform(
  mod,
  [
    { attributes: { fmod: 1 }, inputs: [{ shape }, float32s([3], [0.7, 1.1, -0.9])] },
    {
      name: 'both wanted',
      attributes: { fmod: 1 },
      inputs: [
        { shape, low: 1 },
        { shape, low: 0.6, high: 0.9 },
      ],
    },
    { ...integers, attributes: { fmod: 0 } },
    { ...integers, attributes: { fmod: 1 } },
  ],
  bench,
)

conform(
  clip,
  [
    { name: 'as ReLU6', inputs: [{ shape: [12], low: -3, high: 9 }, scalar('float32', 0), scalar('float32', 6)] },
    { name: 'no upper bound', inputs: [{ shape }, scalar('float32', 0.5)] },
    { name: 'no lower bound', inputs: [{ shape }, null, scalar('float32', 0.5)] },
    { name: 'no bounds', inputs: [{ shape }] },
    { name: 'huge bounds', inputs: [{ shape }, scalar('float32', -1e38), scalar('float32', 1)] },
    {
      name: 'computed bounds',
      inputs: [{ shape }, { shape: [], low: -1, high: -0.5 }, { shape: [], low: 0.5, high: 1 }],
    },
    { name: 'integers', inputs: [int64s([-5, 5, 50]), scalar('int64', 0), scalar('int64', 9)] },
    { opset: 7, attributes: { min: -0.5, max: 0.5 }, inputs: [{ shape }] },
    { opset: 10, attributes: { max: 0.5 }, inputs: [{ shape }] },
  ],
  bench,
)

const a = { name: 'bits', inputs: [int64s([12, -5]), int64s([10, 6])] }
for (const record of [arithmetic.bitwiseAnd, arithmetic.bitwiseOr, arithmetic.bitwiseXor]) {
  conform(record, [a], bench)
}
conform(arithmetic.bitwiseNot, [{ inputs: [int64s([12, -5])] }], bench)
const shifts = [
  { shape: [4], dtype: 'uint32', low: 1, high: 100 },
  { shape: [4], dtype: 'uint32', low: 0, high: 5 },
] as const
conform(
  arithmetic.bitShift,
  [
    { attributes: { direction: 'LEFT' }, inputs: shifts },
    { attributes: { direction: 'RIGHT' }, inputs: shifts },
  ],
  bench,
)
