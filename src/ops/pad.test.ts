import { int64s, scalar } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { pad } from './pad.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [3, 4] }

conform(
  pad,
  [
    { inputs: [x, int64s([1, 0, 0, 2])] },
    { name: 'with a value', inputs: [x, int64s([1, 0, 0, 2]), { shape: [] }] },
    { name: 'some axes', inputs: [x, int64s([1, 2]), scalar('float32', 7), int64s([-1])] },
    { name: 'cuts off', inputs: [x, int64s([-1, 1, 0, -2])] },
    ...['reflect', 'edge', 'wrap'].map(mode => ({ attributes: { mode }, inputs: [x, int64s([2, 1, 0, 3])] })),
    { opset: 10, attributes: { pads: [1, 0, 0, 2], value: 3 }, inputs: [x] },
    { opset: 7, attributes: { pads: [1, 0, 0, 2], mode: 'reflect' }, inputs: [x] },
  ],
  bench,
)
