import { expect, test } from 'vitest'
import { int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as image from './image.ts'
import { conform } from './testing/conform.ts'
import { inferOne } from './testing/infer-one.ts'

const bench = { backend: onnxruntimeNode, eachPair }

conform(
  image.col2Im,
  [
    { inputs: [{ shape: [2, 12, 6] }, int64s([4, 3]), int64s([2, 2])] },
    {
      attributes: { pads: [1, 0, 1, 0], strides: [2, 1], dilations: [1, 1] },
      inputs: [{ shape: [1, 8, 9] }, int64s([4, 4]), int64s([2, 2])],
    },
    { name: 'of blocks of one', inputs: [{ shape: [1, 3, 8] }, int64s([2, 4]), int64s([1, 1])] },
  ],
  bench,
)
conform(
  image.centerCropPad,
  [
    { inputs: [{ shape: [5, 4, 3] }, int64s([2, 7, 3])] },
    { attributes: { axes: [-2, 0] }, inputs: [{ shape: [5, 4, 3] }, int64s([9, 8])] },
    { name: 'of an odd rest', attributes: { axes: [1] }, inputs: [{ shape: [1, 7] }, int64s([4])] },
  ],
  bench,
)

test('a decoded image has rows, columns and channels', () => {
  expect(inferOne(image.imageDecoder, [['n']], { dtype: 'uint8' })).toEqual([{ dtype: 'uint8', shape: ['', '', ''] }])
})
