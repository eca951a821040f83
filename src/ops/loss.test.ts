import { int64s, tensor } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as loss from './loss.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const scores = { shape: [3, 5] }
const labels = int64s([0, 4, 2])
const images = { shape: [2, 3, 2, 2] }
const places = tensor('int64', [2, 2, 2], BigInt64Array.of(0n, 1n, 2n, 0n, 1n, 2n, 0n, 1n))

for (const record of [loss.negativeLogLikelihoodLoss, loss.softmaxCrossEntropyLoss]) {
  conform(
    record,
    [
      { inputs: [scores, labels] },
      { attributes: { reduction: 'none' }, inputs: [scores, labels, { shape: [5] }] },
      { attributes: { reduction: 'none', ignore_index: 1 }, inputs: [images, places] },
      { attributes: { reduction: 'sum' }, inputs: [images, places, { shape: [3] }] },
      { opset: 12, inputs: [scores, labels] },
    ],
    bench,
  )
}
conform(
  loss.softmaxCrossEntropyLoss,
  [{ name: 'with logarithms', attributes: { reduction: 'none' }, inputs: [images, places], outputs: 2 }],
  bench,
)
