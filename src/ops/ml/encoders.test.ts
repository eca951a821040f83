import { float32s, fromNumbers, tensor } from '../../base/tensor.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as encoders from './encoders.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const texts = tensor('string', [2, 3], ['cat', 'dog', 'cow', 'cat', '', 'dog'])
const wholes = fromNumbers('int64', [2, 3], [1, 2, 7, 2, 1, 0])

conform(
  encoders.labelEncoder,
  [
    { name: 'texts to places', version: 1, attributes: { classes_strings: ['cat', 'dog'] }, inputs: [texts] },
    { name: 'places to texts', version: 1, attributes: { classes_strings: ['cat', 'dog', 'cow'] }, inputs: [wholes] },
    {
      name: 'texts to integers',
      version: 2,
      attributes: { keys_strings: ['cat', 'dog'], values_int64s: [4, 5], default_int64: 9 },
      inputs: [texts],
    },
    {
      name: 'integers to texts',
      version: 2,
      attributes: { keys_int64s: [1, 2, 7], values_strings: ['a', 'b', 'c'] },
      inputs: [wholes],
    },
    {
      name: 'floats to floats',
      version: 2,
      attributes: { keys_floats: [1, -0.5], values_floats: [2.5, 3.5], default_float: -1.5 },
      inputs: [float32s([3], [-0.5, 1, 4])],
    },
    {
      name: 'tensors',
      version: 4,
      attributes: {
        keys_tensor: tensor('string', [2], ['cat', 'dog']),
        values_tensor: fromNumbers('int16', [2], [3, 4]),
        default_tensor: fromNumbers('int16', [1], [7]),
      },
      inputs: [texts],
    },
  ],
  bench,
)
conform(
  encoders.categoryMapper,
  [
    { name: 'texts', attributes: { cats_strings: ['cat', 'dog'], cats_int64s: [1, 2] }, inputs: [texts] },
    { name: 'integers', attributes: { cats_strings: ['cat', 'dog'], cats_int64s: [1, 2] }, inputs: [wholes] },
  ],
  bench,
)
conform(
  encoders.oneHotEncoder,
  [
    { name: 'texts', attributes: { cats_strings: ['cat', 'dog'] }, inputs: [texts] },
    { name: 'integers', attributes: { cats_int64s: [1, 2, 7] }, inputs: [wholes] },
    { name: 'floats', attributes: { cats_int64s: [1, 2, 7] }, inputs: [float32s([3], [1, 7, 2])] },
  ],
  bench,
)
