import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as local from './local-normalization.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [2, 5, 3, 4] }

conform(
  local.lrn,
  [
    { attributes: { size: 3 }, inputs: [x] },
    { opset: 7, attributes: { size: 5 }, inputs: [x] },
  ],
  bench,
)
conform(
  local.lpNormalization,
  [{ inputs: [x] }, { attributes: { axis: 1, p: 1 }, inputs: [x] }, { opset: 7, attributes: { axis: 0 }, inputs: [x] }],
  bench,
)
conform(
  local.meanVarianceNormalization,
  [{ inputs: [x] }, { attributes: { axes: [0, 1] }, inputs: [x] }, { opset: 9, inputs: [x] }],
  bench,
)
