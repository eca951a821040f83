import { int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { slice } from './slice.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [4, 7] }
const end = 2 ** 31 - 1

conform(
  slice,
  [
    { name: 'two axes', inputs: [x, int64s([1, 2]), int64s([3, 6])] },
    { name: 'one axis, from the end', inputs: [x, int64s([-3]), int64s([end]), int64s([1])] },
    { name: 'bounds outside', inputs: [x, int64s([-30]), int64s([30]), int64s([-1])] },
    { name: 'nothing', inputs: [x, int64s([3]), int64s([1]), int64s([0])] },
    { name: 'every second', inputs: [x, int64s([1]), int64s([end]), int64s([1]), int64s([2])] },
    { name: 'every third up to the last', inputs: [x, int64s([0]), int64s([7]), int64s([1]), int64s([3])] },
    { name: 'reversed', inputs: [x, int64s([-1]), int64s([-end]), int64s([1]), int64s([-1])] },
    { name: 'backwards by two', inputs: [x, int64s([5]), int64s([0]), int64s([1]), int64s([-2])] },
    { name: 'both axes with steps', inputs: [x, int64s([3, 0]), int64s([-end, 6]), int64s([0, 1]), int64s([-2, 2])] },
    { name: 'backwards from before the start', inputs: [x, int64s([-30]), int64s([-31]), int64s([1]), int64s([-1])] },
    { name: 'contents', inputs: [int64s([5, 6, 7, 8]), int64s([1]), int64s([-1])] },
    {
      name: 'computed bounds',
      inputs: [
        x,
        { shape: [1], dtype: 'int64', low: 1, high: 2 },
        { shape: [1], dtype: 'int64', low: 3, high: 4 },
        int64s([1]),
      ],
      skip: { infer: 'the size is not known before', gradient: 'the bounds must be constant' },
    },
    { opset: 7, attributes: { starts: [1, 2], ends: [3, 6], axes: [0, 1] }, inputs: [x] },
    { opset: 9, attributes: { starts: [1], ends: [-1] }, inputs: [x] },
  ],
  bench,
)
