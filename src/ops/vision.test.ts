import { float32s, int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { conform } from './testing/conform.ts'
import { affineGrid, deformConv, gridSample, maxRoiPool, roiAlign } from './vision.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const image = { shape: [1, 2, 4, 4] }
const grid = { shape: [1, 3, 2, 2], low: -1, high: 1 }
const boxes = [float32s([2, 4], [0, 0, 2, 2, 1, 1, 3, 3]), int64s([0, 0])]

conform(
  gridSample,
  [
    { inputs: [image, grid] },
    { attributes: { mode: 'nearest' }, inputs: [image, grid] },
    { opset: 16, attributes: { mode: 'bicubic', align_corners: 1 }, inputs: [image, grid] },
    { opset: 16, inputs: [image, grid] },
  ],
  bench,
)
conform(affineGrid, [{ inputs: [{ shape: [1, 2, 3] }, int64s([1, 3, 4, 5])] }], bench)
conform(
  roiAlign,
  [
    { attributes: { output_height: 2, output_width: 3 }, inputs: [image, ...boxes] },
    { opset: 10, attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 }, inputs: [image, ...boxes] },
  ],
  bench,
)
conform(
  maxRoiPool,
  [
    {
      attributes: { pooled_shape: [2, 3], spatial_scale: 0.5 },
      inputs: [image, float32s([2, 5], [0, 0, 0, 4, 4, 0, 2, 2, 6, 6])],
    },
  ],
  bench,
)
conform(
  deformConv,
  [
    {
      opset: 19,
      name: 'of groups',
      attributes: { group: 2, offset_group: 1, pads: [1, 1, 1, 1] },
      inputs: [image, { shape: [4, 1, 3, 3] }, { shape: [1, 18, 4, 4] }],
    },
    { inputs: [image, { shape: [3, 2, 2, 2] }, { shape: [1, 8, 3, 3] }, { shape: [3] }, { shape: [1, 4, 3, 3] }] },
  ],
  bench,
)
