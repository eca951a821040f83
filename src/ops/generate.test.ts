import { float32s, fromNumbers, int64s, scalar } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as generate from './generate.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const unknowable = { infer: 'how many there are depends on the elements' }

conform(
  generate.constant,
  [
    { name: 'a tensor', attributes: { value: float32s([2], [1, 2]) }, inputs: [] },
    { attributes: { value_int: 3 }, inputs: [] },
    { attributes: { value_ints: [3, 4] }, inputs: [] },
    { attributes: { value_float: 0.5 }, inputs: [] },
    { attributes: { value_floats: [0.5, 2] }, inputs: [] },
    { attributes: { value_string: 'a' }, inputs: [] },
    { attributes: { value_strings: ['a', 'b'] }, inputs: [] },
  ],
  bench,
)
const sizes = { coupling: 'it gives the sizes themselves, and they follow' }
conform(
  generate.shape,
  [
    { inputs: [{ shape: [2, 3, 4] }], skip: sizes },
    { attributes: { start: 1 }, inputs: [{ shape: [2, 3, 4] }], skip: sizes },
    { attributes: { start: -2, end: -1 }, inputs: [{ shape: [2, 3, 4] }], skip: sizes },
  ],
  bench,
)
conform(generate.size, [{ inputs: [{ shape: [2, 3] }], skip: sizes }, { inputs: [{ shape: [] }] }], bench)
conform(
  generate.constantOfShape,
  [
    { inputs: [int64s([2, 3])] },
    { name: 'ones', attributes: { value: int64s([1]) }, inputs: [int64s([3])] },
    { name: 'rank 0', attributes: { value: float32s([1], [7]) }, inputs: [int64s([])] },
  ],
  bench,
)
conform(
  generate.range,
  [
    { inputs: [scalar('int64', 2), scalar('int64', 9), scalar('int64', 3)] },
    { name: 'downwards', inputs: [scalar('int64', 5), scalar('int64', 0), scalar('int64', -2)] },
    { name: 'floats', inputs: [scalar('float32', 0), scalar('float32', 1), scalar('float32', 0.25)] },
  ],
  bench,
)
conform(
  generate.eyeLike,
  [{ inputs: [{ shape: [2, 3] }] }, { attributes: { k: 1, dtype: 7 }, inputs: [{ shape: [3, 3] }] }],
  bench,
)
conform(
  generate.oneHot,
  [
    { inputs: [int64s([0, 2, -1]), scalar('int64', 3), { shape: [2] }] },
    { attributes: { axis: 0 }, inputs: [fromNumbers('int64', [2, 2], [0, 2, 1, 5]), int64s([3]), { shape: [2] }] },
    {
      attributes: { axis: 1 },
      inputs: [fromNumbers('int64', [2, 2], [0, 2, 1, 1]), scalar('int64', 3), { shape: [2] }],
    },
  ],
  bench,
)
conform(generate.nonZero, [{ inputs: [fromNumbers('float32', [2, 2], [0, 1, 2, 0])], skip: unknowable }], bench)
conform(
  generate.trilu,
  [
    { inputs: [{ shape: [2, 3, 3] }] },
    { attributes: { upper: 0 }, inputs: [{ shape: [3, 4] }, scalar('int64', 1)] },
    { inputs: [{ shape: [3, 4] }, scalar('int64', -1)] },
  ],
  bench,
)
