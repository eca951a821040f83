import { expect, test } from 'vitest'
import { float32s, int64s, numbers, tensor } from '../base/tensor.ts'
import { emptyGraph } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { averagePool, globalAveragePool, globalLpPool, globalMaxPool, lpPool, maxPool, maxUnpool } from './pool.ts'
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
    name: 'many tiles a row',
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    inputs: [{ shape: [1, 1, 2, 66] }],
  },
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

test('elements that tie for the maximum share its gradient, so that a constant region is not counted once for each', async () => {
  const inputs = [
    { name: 'x', type: { dtype: 'float32', shape: [1, 1, 2, 4] } },
    { name: 'y', type: { dtype: 'float32', shape: [1, 1, 1, 2] } },
    { name: 'dy', type: { dtype: 'float32', shape: [1, 1, 1, 2] } },
  ] as const
  const attributes = { auto_pad: 'NOTSET', ceil_mode: 0, storage_order: 0, kernel_shape: [2, 2], strides: [2, 2] }
  const node = { op: 'MaxPool', domain: '', name: '', inputs: ['x'], outputs: ['y'], attributes: {} }
  const graph = extend({ ...emptyGraph('ties'), inputs }, (op, draft) => {
    const { gradient } = maxPool
    if ('no' in gradient) throw new Error(gradient.no)
    const call = { node, attributes, op, x: ['x'], y: ['y'], dy: ['dy'], needs: [true], constant: () => undefined }
    const [dx] = gradient({ ...call, choose: (_, forms) => Object.values(forms)[0]!() })
    draft.outputs.push({ name: dx!, type: undefined })
  })
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  const results = await session.run({
    x: float32s([1, 1, 2, 4], [3, 3, 1, 2, 3, 3, 5, 5]),
    y: float32s([1, 1, 1, 2], [3, 5]),
    dy: float32s([1, 1, 1, 2], [8, 6]),
  })
  expect(Array.from(numbers(results[graph.outputs[0]!.name]!))).toEqual([2, 2, 0, 0, 2, 2, 3, 3])
})

test('a step pools plane by plane and gets the same', async () => {
  const shape = [2, 3, 5, 6]
  const attributes = { auto_pad: 'NOTSET', ceil_mode: 0, storage_order: 0, kernel_shape: [3, 2], strides: [2, 2] }
  const inputs = [{ name: 'x', type: { dtype: 'float32', shape } }] as const
  const graph = extend({ ...emptyGraph('planes'), inputs }, (op, draft) => {
    if (maxPool.expand === 'same') throw new Error('pooling has a form to run in')
    const node = { op: 'MaxPool', domain: '', name: '', inputs: ['x'], outputs: ['y'], attributes: {} }
    const outputs = maxPool.expand({ node, attributes, op, x: ['x'] })!
    const plain = op.MaxPool(['x'], attributes)
    for (const name of [...outputs, plain]) draft.outputs.push({ name, type: undefined })
  })
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  const values = Array.from({ length: 180 }, (_, i) => Math.sin(i * 1.3))
  const results = await session.run({ x: float32s(shape, values) })
  const [trained, plain] = graph.outputs.map(({ name }) => results[name])
  expect(trained).toEqual(plain)
})

conform(
  lpPool,
  [
    { attributes: { kernel_shape: [2, 3], strides: [2, 1] }, inputs: [{ shape: [2, 3, 5, 6] }] },
    { attributes: { kernel_shape: [2, 2], p: 1, pads: [1, 0, 0, 1] }, inputs: [{ shape: [1, 2, 4, 4] }] },
    { attributes: { kernel_shape: [2], auto_pad: 'SAME_UPPER', strides: [2] }, inputs: [{ shape: [1, 2, 5] }] },
    { attributes: { kernel_shape: [2, 2], ceil_mode: 1, strides: [2, 2] }, inputs: [{ shape: [1, 2, 5, 5] }] },
    { opset: 11, attributes: { kernel_shape: [2, 2] }, inputs: [{ shape: [1, 2, 4, 4] }] },
  ],
  bench,
)
test('a window that nearly fits is pooled with what there is, as the engine does', async () => {
  for (const [size, kernel, stride] of [
    [1, 2, 2],
    [2, 3, 2],
    [1, 3, 2],
    [2, 4, 3],
  ] as const) {
    const one = extend(
      { ...emptyGraph('short'), inputs: [{ name: 'x', type: { dtype: 'float32', shape: [1, 1, size] } }] },
      (op, draft) => {
        const y = op.MaxPool(['x'], { kernel_shape: [kernel], strides: [stride] })
        draft.outputs.push({ name: y, type: op.type(y) })
      },
    )
    await using session = await onnxruntimeNode.open(one, { threads: 1 })
    const [output] = one.outputs
    const results = await session.run({ x: float32s([1, 1, size], new Float32Array(size)) })
    expect(results[output!.name]!.shape).toEqual((output!.type as { shape: unknown }).shape)
  }
})
conform(globalLpPool, [{ inputs: [{ shape: [2, 3, 4, 5] }] }, { opset: 7, inputs: [{ shape: [2, 3, 4] }] }], bench)
