import { fromNumbers, int64s, scalar, tensor } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { gather, gatherElements, gatherND } from './gather.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [3, 4, 2] }
const indices = (shape: number[], values: number[]) => fromNumbers('int64', shape, values)
const fed = { shape: [2, 3], dtype: 'int64', low: 0, high: 3 } as const

conform(
  gather,
  [
    { name: 'rows', inputs: [x, int64s([2, 0, 2])] },
    { name: 'columns, from the end', attributes: { axis: 1 }, inputs: [x, int64s([-1, 0])] },
    { name: 'a shuffle', attributes: { axis: 1 }, inputs: [x, int64s([2, 0, 3, 1])] },
    { name: 'one row', attributes: { axis: 1 }, inputs: [x, scalar('int64', 2)] },
    { name: 'one row, kept', attributes: { axis: 1 }, inputs: [x, int64s([-1])] },
    { name: 'a matrix of them', attributes: { axis: -2 }, inputs: [x, indices([2, 2], [0, 1, 1, 3])] },
    { name: 'an embedding', inputs: [x, fed] },
    { name: 'fed indices of a later axis', attributes: { axis: 1 }, inputs: [x, fed] },
    { name: 'contents', inputs: [int64s([5, 6, 7]), int64s([-1, 0])] },
    { name: 'texts', inputs: [tensor('string', [2], ['a', 'b']), int64s([1])] },
  ],
  bench,
)
conform(
  gatherElements,
  [
    { inputs: [{ shape: [3, 4] }, indices([2, 4], [0, 1, 2, 0, 2, 2, -1, 1])] },
    { attributes: { axis: 1 }, inputs: [{ shape: [3, 4] }, { shape: [3, 2], dtype: 'int64', low: 0, high: 4 }] },
  ],
  bench,
)
conform(
  gatherND,
  [
    { inputs: [x, indices([2, 2], [0, 1, 2, -1])] },
    { name: 'elements, one twice', inputs: [x, indices([3, 3], [0, 1, 1, 2, 3, 0, 0, 1, 1])] },
    { name: 'within a batch', attributes: { batch_dims: 1 }, inputs: [x, indices([3, 2, 1], [0, 1, 2, 3, 3, 3])] },
    { opset: 11, inputs: [x, indices([2, 2], [0, 1, 2, -1])] },
  ],
  bench,
)
