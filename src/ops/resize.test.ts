import { float32s, int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { resize, upsample } from './resize.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [1, 2, 4, 5] }

function scaled(scales: readonly number[], attributes: Sample['attributes'], shape = x.shape): Sample {
  const name = `[${shape}] by [${scales}], ${Object.values(attributes ?? {}).join(', ')}`
  return { name, attributes: attributes ?? {}, inputs: [{ shape }, null, float32s([scales.length], scales)] }
}

const coordinates = ['asymmetric', 'half_pixel', 'pytorch_half_pixel', 'align_corners', 'half_pixel_symmetric']
const factors = [
  [1, 1, 2, 2],
  [1, 1, 3, 1.5],
  [1, 1, 0.5, 0.7],
]
const samples: Sample[] = factors.flatMap(scales =>
  coordinates.flatMap(coordinate_transformation_mode => [
    ...['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil'].map(nearest_mode =>
      scaled(scales, { mode: 'nearest', coordinate_transformation_mode, nearest_mode }),
    ),
    scaled(scales, { mode: 'linear', coordinate_transformation_mode }),
    scaled(scales, { mode: 'cubic', coordinate_transformation_mode }),
  ]),
)

conform(
  resize,
  [
    ...samples,
    scaled([1, 1, 1.7, 2.3], { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: -0.5 }),
    scaled([1, 1, 2], { mode: 'nearest' }, [1, 2, 6]),
    scaled([1, 1, 2], { mode: 'linear' }, [1, 2, 6]),
    scaled([1, 1, 2, 1.5, 2], { mode: 'linear' }, [1, 2, 3, 2, 3]),
    scaled([2, 2], { mode: 'nearest' }, [3, 4]),
    { name: 'to sizes', attributes: { mode: 'linear' }, inputs: [x, null, null, int64s([1, 2, 7, 3])] },
    {
      name: 'to sizes of some axes, none larger',
      attributes: { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' },
      inputs: [x, null, null, int64s([7, 9])],
    },
    {
      name: 'to sizes of some axes, none smaller',
      attributes: { mode: 'cubic', axes: [3, 2], keep_aspect_ratio_policy: 'not_smaller' },
      inputs: [x, null, null, int64s([9, 7])],
    },
    {
      name: 'smoothed against aliasing',
      attributes: { mode: 'linear', antialias: 1 },
      inputs: [x, null, float32s([4], [1, 1, 0.5, 0.5])],
      skip: { gradient: 'the rule refuses it' },
    },
    {
      name: 'a crop',
      attributes: { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' },
      inputs: [x, float32s([8], [0, 0, 0.2, 0.2, 1, 1, 0.8, 0.9]), null, int64s([1, 2, 3, 3])],
      skip: { gradient: 'the rule refuses it' },
    },
    ...['nearest', 'linear'].flatMap(mode =>
      [
        [1, 1, 2, 1.5],
        [1, 1, 0.7, 0.3],
        [1, 1, 1.6, 0.6],
      ].map(scales => ({
        opset: 10,
        name: `${mode} by ${scales}`,
        attributes: { mode },
        inputs: [{ shape: [1, 2, 7, 9] }, float32s([4], scales)],
      })),
    ),
    ...['floor', 'round_prefer_floor'].flatMap(nearest_mode =>
      [2, 1.5, 0.5].map(scale => ({
        opset: 11,
        attributes: { mode: 'nearest', nearest_mode, coordinate_transformation_mode: 'tf_half_pixel_for_nn' },
        inputs: [x, float32s([0], []), float32s([4], [1, 1, scale, scale])],
      })),
    ),
    { opset: 11, attributes: { mode: 'cubic' }, inputs: [x, float32s([0], []), float32s([4], [1, 1, 2, 3])] },
    { opset: 13, attributes: { mode: 'linear' }, inputs: [x, null, null, int64s([1, 2, 5, 7])] },
  ],
  bench,
)

const modes = ['nearest', 'linear']
conform(
  upsample,
  [
    ...modes.map(mode => ({ opset: 9, attributes: { mode }, inputs: [x, float32s([4], [1, 1, 2, 3])] })),
    ...modes.map(mode => ({ opset: 7, attributes: { mode, scales: [1, 1, 2, 1.5] }, inputs: [x] })),
  ],
  bench,
)
