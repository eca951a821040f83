import { int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as reduce from './reduce.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [2, 3, 4], low: 0.5, high: 1.5 }

const samples: Sample[] = [
  { name: 'one axis', inputs: [x, int64s([1])] },
  { name: 'two axes, dropped', attributes: { keepdims: 0 }, inputs: [x, int64s([-1, 0])] },
  { name: 'all axes', attributes: { keepdims: 0 }, inputs: [x] },
  { name: 'all axes by an empty list', inputs: [x, int64s([])] },
  { name: 'integers', inputs: [int64s([3, -4]), int64s([0])] },
  { opset: 11, attributes: { axes: [1], keepdims: 0 }, inputs: [x] },
  { opset: 11, inputs: [x] },
]
const noAxes = { name: 'no axis', attributes: { noop_with_empty_axes: 1 }, inputs: [x] }

for (const record of [reduce.reduceSum, reduce.reduceMean, reduce.reduceMax, reduce.reduceMin]) {
  conform(record, [...samples, noAxes], bench)
}
for (const record of [reduce.reduceProd, reduce.reduceL1, reduce.reduceL2, reduce.reduceSumSquare]) {
  conform(record, samples, bench)
}
const floats = samples.filter(({ name }) => name !== 'integers')
for (const record of [reduce.reduceLogSum, reduce.reduceLogSumExp]) conform(record, floats, bench)

conform(
  reduce.reduceSum,
  [
    {
      name: 'computed axes',
      inputs: [x, { shape: [1], dtype: 'int64', low: 1, high: 2 }],
      skip: { infer: 'which axes go is not known before', gradient: 'the axes must be constant' },
    },
  ],
  bench,
)
conform(reduce.reduceProd, [{ name: 'one zero', inputs: [x, int64s([0])] }], bench)
