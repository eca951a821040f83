import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { logSoftmax, softmax } from './softmax.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [2, 3, 4] }

for (const record of [softmax, logSoftmax]) {
  conform(
    record,
    [
      { name: 'over the last axis', inputs: [x] },
      { attributes: { axis: 1 }, inputs: [x] },
      { attributes: { axis: -3 }, inputs: [x] },
      { name: 'over all axes from the second', opset: 11, inputs: [x] },
      { name: 'over the last of two axes', opset: 9, inputs: [{ shape: [3, 4] }] },
      { opset: 12, attributes: { axis: 0 }, inputs: [x] },
      { opset: 12, attributes: { axis: -1 }, inputs: [x] },
      { opset: 11, attributes: { axis: -2 }, inputs: [x] },
      { name: 'where only one axis has several elements', opset: 9, inputs: [{ shape: [2, 5, 1, 1] }] },
      { name: 'where none has', opset: 9, inputs: [{ shape: [2, 1, 1] }] },
    ],
    bench,
  )
}
