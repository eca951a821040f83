import { float32s, fromNumbers, int64s, scalar } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as cumulative from './cumulative.ts'
import * as select from './select.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [3, 4, 2] }
const ties = float32s([2, 4], [1, 3, 3, 0, 2, 2, 1, 2])
const byData = { infer: 'how many there are depends on the elements' }

for (const record of [select.argMax, select.argMin]) {
  conform(
    record,
    [
      { inputs: [x] },
      { attributes: { axis: -2, keepdims: 0 }, inputs: [x] },
      { name: 'ties', attributes: { axis: 1 }, inputs: [ties] },
      { name: 'the last of ties', attributes: { axis: 1, select_last_index: 1 }, inputs: [ties] },
      { opset: 7, attributes: { axis: 1 }, inputs: [x] },
    ],
    bench,
  )
}
conform(
  select.topK,
  [
    { inputs: [x, int64s([1])], outputs: 2 },
    { name: 'smallest', attributes: { axis: 1, largest: 0 }, inputs: [x, int64s([3])], outputs: 2 },
    { name: 'ties', attributes: { axis: 1 }, inputs: [ties, int64s([3])], outputs: 2 },
    { opset: 9, attributes: { axis: 1, k: 2 }, inputs: [x], outputs: 2 },
    { opset: 10, attributes: { axis: 1 }, inputs: [x, int64s([2])], outputs: 2 },
  ],
  bench,
)
conform(
  cumulative.cumSum,
  [
    { inputs: [x, scalar('int64', 1)] },
    { attributes: { exclusive: 1 }, inputs: [x, scalar('int64', -1)] },
    { attributes: { reverse: 1 }, inputs: [x, scalar('int64', 0)] },
    { attributes: { exclusive: 1, reverse: 1 }, inputs: [x, scalar('int64', 1)] },
    { name: 'integers', inputs: [int64s([1, 2, 3]), scalar('int64', 0)] },
  ],
  bench,
)
const flags = fromNumbers('bool', [3], [1, 0, 1])
conform(
  select.compress,
  [
    { inputs: [x, flags], skip: byData },
    { attributes: { axis: 0 }, inputs: [x, flags], skip: byData },
  ],
  bench,
)
conform(select.unique, [{ inputs: [ties], outputs: 4, skip: byData }], bench)
conform(
  select.nonMaxSuppression,
  [{ inputs: [{ shape: [1, 4, 4] }, { shape: [1, 1, 4] }, int64s([2])], skip: byData }],
  bench,
)
