import { float32s, scalar } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as signal from './signal.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [1, 8, 1] }

conform(
  signal.dft,
  [
    { inputs: [x] },
    { attributes: { onesided: 1 }, inputs: [x] },
    { name: 'of another length', inputs: [x, scalar('int64', 4)] },
    { opset: 17, attributes: { axis: 1, onesided: 1 }, inputs: [x] },
  ],
  bench,
)
const window = float32s([4], [0.5, 1, 1, 0.5])
conform(
  signal.stft,
  [
    { inputs: [{ shape: [1, 16, 1] }, scalar('int64', 2), window] },
    { attributes: { onesided: 0 }, inputs: [{ shape: [1, 17, 1] }, scalar('int64', 3), null, scalar('int64', 4)] },
  ],
  bench,
)
for (const record of [signal.hannWindow, signal.hammingWindow, signal.blackmanWindow]) {
  conform(record, [{ inputs: [scalar('int64', 5)] }], bench)
}
