import { expect, test } from 'vitest'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as activation from './activation.ts'
import { conform } from './testing/conform.ts'
import { inferOne } from './testing/infer-one.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }
// Apart from the kinks, where differences show a mixture of two slopes.
const sides: readonly Sample['inputs'][] = [[{ shape: [2, 3], low: 0.1 }], [{ shape: [2, 3], high: -0.1 }]]
const whole: Sample['inputs'] = [{ shape: [2, 3], low: -4, high: 4 }]

const { relu, leakyRelu, prelu, elu, selu, celu, thresholdedRelu, hardSigmoid, hardSwish, gelu, swish } = activation
const { sigmoid, tanh, softplus, softsign, mish } = activation

for (const record of [sigmoid, tanh, softplus, softsign, mish, gelu, hardSwish])
  conform(record, [{ inputs: whole }], bench)
conform(gelu, [{ attributes: { approximate: 'tanh' }, inputs: whole }], bench)
conform(
  swish,
  [1, 1.5].map(alpha => ({ opset: 24, attributes: { alpha }, inputs: whole })),
  bench,
)

for (const record of [relu, leakyRelu, elu, selu, celu])
  conform(
    record,
    sides.map(inputs => ({ inputs })),
    bench,
  )
conform(
  leakyRelu,
  [0, 1.5, -0.5].flatMap(alpha => sides.map(inputs => ({ attributes: { alpha }, inputs }))),
  bench,
)
conform(
  elu,
  sides.map(inputs => ({ attributes: { alpha: 0.5 }, inputs })),
  bench,
)
conform(
  selu,
  sides.map(inputs => ({ attributes: { alpha: 1.2, gamma: 1.3 }, inputs })),
  bench,
)
conform(
  celu,
  sides.map(inputs => ({ attributes: { alpha: 0.5 }, inputs })),
  bench,
)
conform(
  thresholdedRelu,
  [
    { inputs: [{ shape: [2, 3], low: 1.1 }] },
    { inputs: [{ shape: [2, 3], high: 0.9 }] },
    { attributes: { alpha: -1 }, inputs: sides[0]! },
  ],
  bench,
)
conform(
  hardSigmoid,
  [
    { name: 'in between', attributes: { alpha: 0.3, beta: 0.4 }, inputs: [{ shape: [2, 3], low: -1.2, high: 1.8 }] },
    { name: 'saturated', inputs: [{ shape: [2, 3], low: 3, high: 4 }] },
  ],
  bench,
)
conform(
  prelu,
  [[2, 3, 4], [4], [3, 1], [1]].map((slope, i) => ({
    name: `a slope of [${slope}]`,
    inputs: [{ shape: [2, 3, 4], ...(i % 2 ? { high: -0.1 } : { low: 0.1 }) }, { shape: slope }],
  })),
  bench,
)

const coarse = { gradient: 'the engine computes it in float32, too coarse for differences' }
conform(
  activation.shrink,
  [
    { inputs: [{ shape: [2, 3], low: 0.6 }], skip: coarse },
    { attributes: { bias: 0.5, lambd: 1.5 }, inputs: [{ shape: [2, 3], low: -4, high: -1.6 }], skip: coarse },
    { attributes: { bias: 1, lambd: 0.5 }, inputs: [{ shape: [2, 3], dtype: 'int32' }] },
  ],
  bench,
)

// Opset 28 is newer than the engine.
test('a gated activation has the shape of both its inputs', () => {
  expect(inferOne(activation.swiGlu, [['N', 8], undefined])[0]!.shape).toEqual(['N', 8])
})
