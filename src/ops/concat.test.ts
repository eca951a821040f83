import { int64s, tensor } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { concat, split } from './concat.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }

conform(
  concat,
  [
    { attributes: { axis: 1 }, inputs: [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [2, 2] }] },
    { attributes: { axis: -2 }, inputs: [{ shape: [2, 3] }, { shape: [1, 3] }] },
    { name: 'one input', attributes: { axis: 0 }, inputs: [{ shape: [2, 3] }] },
    { name: 'contents', attributes: { axis: 0 }, inputs: [int64s([1, 2]), int64s([3])] },
    { name: 'texts', attributes: { axis: 0 }, inputs: [tensor('string', [1], ['a']), tensor('string', [1], ['b'])] },
  ],
  bench,
)
const x = { shape: [2, 6] }
conform(
  split,
  [
    { name: 'by sizes', attributes: { axis: 1 }, inputs: [x, int64s([1, 3, 2])], outputs: 3 },
    { name: 'equally', attributes: { axis: -1, num_outputs: 3 }, inputs: [x], outputs: 3 },
    { name: 'nearly equally', attributes: { axis: 1, num_outputs: 4 }, inputs: [{ shape: [2, 7] }], outputs: 4 },
    { name: 'contents', attributes: { num_outputs: 2 }, inputs: [int64s([1, 2, 3, 4])], outputs: 2 },
    { opset: 11, attributes: { axis: 1, split: [2, 4] }, inputs: [x], outputs: 2 },
    { opset: 11, name: 'equally', attributes: { axis: 1 }, inputs: [x], outputs: 2 },
    { opset: 13, name: 'equally', attributes: { axis: 1 }, inputs: [x], outputs: 2 },
    { opset: 13, name: 'by sizes', attributes: { axis: 1 }, inputs: [x, int64s([1, 5])], outputs: 2 },
  ],
  bench,
)
