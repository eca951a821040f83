import { int64s, tensor } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool, maxUnpool } from './pool.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [1, 2, 5, 6] }

const windows: readonly (readonly [string, NonNullable<Sample['attributes']>])[] = [
  ['tiles', { kernel_shape: [5, 2], strides: [5, 2] }],
  ['tiles that leave some over', { kernel_shape: [2, 2], strides: [2, 2] }],
  ['tiles, the last ones incomplete', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
  ['gaps', { kernel_shape: [1, 2], strides: [2, 3] }],
  ['overlapping', { kernel_shape: [3, 3], strides: [2, 2] }],
  ['at every position', { kernel_shape: [3, 2] }],
  ['padding', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['uneven padding', { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 2, 1] }],
  ['rounded up', { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 1, 1, 0], ceil_mode: 1 }],
  [
    'rounded up to a window beyond the data',
    { kernel_shape: [1, 2], strides: [3, 3], pads: [0, 1, 0, 1], ceil_mode: 1 },
  ],
  ['dilations', { kernel_shape: [2, 3], dilations: [2, 2], pads: [1, 1, 1, 1] }],
  ['same, upper', { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
  ['same, lower', { kernel_shape: [2, 3], strides: [1, 2], auto_pad: 'SAME_LOWER' }],
  ['valid', { kernel_shape: [2, 3], strides: [1, 2], auto_pad: 'VALID' }],
]
const otherRanks: readonly Sample[] = [
  {
    name: 'one dimension',
    attributes: { kernel_shape: [3], strides: [2], pads: [1, 1] },
    inputs: [{ shape: [2, 2, 7] }],
  },
  { name: 'tiles of one dimension', attributes: { kernel_shape: [3], strides: [3] }, inputs: [{ shape: [2, 2, 6] }] },
  {
    name: 'three dimensions',
    attributes: { kernel_shape: [2, 1, 2], strides: [2, 1, 2] },
    inputs: [{ shape: [1, 2, 2, 2, 4] }],
  },
]

conform(
  maxPool,
  [
    ...windows.map(([name, attributes]) => ({ name, attributes, inputs: [x] })),
    ...otherRanks,
    { name: 'with indices', attributes: { kernel_shape: [2, 2] }, inputs: [x], outputs: 2 },
    { name: 'whole numbers', attributes: { kernel_shape: [2, 2] }, inputs: [{ ...x, dtype: 'int8' }] },
  ],
  bench,
)

conform(
  averagePool,
  [
    ...windows.flatMap(([name, attributes]) => [
      { name, attributes, inputs: [x] },
      { name: `${name}, padding counted`, attributes: { ...attributes, count_include_pad: 1 }, inputs: [x] },
    ]),
    ...otherRanks,
  ],
  bench,
)

for (const record of [globalAveragePool, globalMaxPool]) {
  conform(record, [{ inputs: [x] }, { name: 'one dimension', inputs: [{ shape: [2, 2, 4] }] }], bench)
}

const indices = tensor('int64', [1, 2, 1, 2], BigInt64Array.of(1n, 6n, 9n, 15n))
const pooled = { shape: [1, 2, 1, 2] }
conform(
  maxUnpool,
  [
    { attributes: { kernel_shape: [2, 2], strides: [2, 2] }, inputs: [pooled, indices] },
    { name: 'a stated output', attributes: { kernel_shape: [2, 2] }, inputs: [pooled, indices, int64s([1, 2, 3, 4])] },
  ],
  bench,
)
