import { float32s, fromNumbers, int64s, tensor } from '../../base/tensor.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as features from './features.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [3, 4] }
const row = { shape: [4] }
const wholes = fromNumbers('int64', [2, 3], [1, 2, 7, 2, 1, 0])

conform(
  features.arrayFeatureExtractor,
  [
    { name: 'of rows', inputs: [x, int64s([2, 0])] },
    { name: 'of a vector', inputs: [row, int64s([1, 2, 2])] },
    { name: 'by a matrix', inputs: [x, fromNumbers('int64', [1, 2], [3, 3])] },
    { name: 'of classes', inputs: [tensor('string', [3], ['a', 'b', 'c']), int64s([2, 1])] },
  ],
  bench,
)
conform(features.binarizer, [{ attributes: { threshold: 0.5 }, inputs: [x] }], bench)
conform(
  features.featureVectorizer,
  [
    { name: 'matrices', attributes: { inputdimensions: [4, 2] }, inputs: [x, { shape: [3, 2] }] },
    {
      name: 'of integers',
      attributes: { inputdimensions: [4] },
      inputs: [{ shape: [3, 4], dtype: 'int64', low: 0, high: 9 }],
    },
  ],
  bench,
)
conform(
  features.imputer,
  [
    {
      name: 'floats',
      attributes: { imputed_value_floats: [1, 2, 3, 4], replaced_value_float: Number.NaN },
      inputs: [float32s([1, 4], [Number.NaN, 1, 5, Number.NaN])],
    },
    {
      name: 'integers',
      attributes: { imputed_value_int64s: [8], replaced_value_int64: 1 },
      inputs: [wholes],
    },
  ],
  bench,
)
conform(
  features.normalizer,
  ['MAX', 'L1', 'L2'].map(norm => ({ attributes: { norm }, inputs: [x] })),
  bench,
)
conform(
  features.scaler,
  [
    { name: 'by column', attributes: { offset: [1, 2, 3, 4], scale: [2, 0.5, 3, 1.5] }, inputs: [x] },
    { name: 'by one number', attributes: { offset: [0.5], scale: [2] }, inputs: [x] },
    { name: 'of a vector', attributes: { offset: [1, 2, 3, 4], scale: [2, 0.5, 3, 1.5] }, inputs: [row] },
    { name: 'of integers', attributes: { offset: [3], scale: [0.1] }, inputs: [wholes] },
  ],
  bench,
)
