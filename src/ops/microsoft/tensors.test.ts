import { float32s, fromNumbers, int64s, scalar, tensor } from '../../base/tensor.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as recurrent from './recurrent.ts'
import * as tensors from './tensors.ts'
import * as text from './text.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [2, 3, 4] }

conform(
  tensors.trilu,
  [
    { attributes: { upper: 0 }, inputs: [x] },
    { name: 'above', inputs: [x, scalar('int64', 1)] },
  ],
  bench,
)
conform(
  tensors.range,
  [
    {
      name: 'by 1',
      inputs: [scalar('int64', 1), scalar('int64', 5)],
      skip: { symbolic: 'its contents are fixed' },
    },
    { name: 'down', inputs: [scalar('float32', 3), scalar('float32', 0), scalar('float32', -0.5)] },
  ].map(sample => ({ ...sample, skip: { infer: 'a fed range is of a length that is not known' } })),
  bench,
)
conform(tensors.gatherND, [{ name: 'rows', inputs: [x, fromNumbers('int64', [2, 2], [0, 1, 1, 2])] }], bench)
conform(
  tensors.pad,
  [{ inputs: [{ shape: [2, 3] }, int64s([1, 0, 0, 2])], skip: { infer: 'fed pads leave the sizes open' } }],
  bench,
)
conform(tensors.gridSample, [{ inputs: [{ shape: [1, 2, 3, 4] }, { shape: [1, 5, 6, 2] }] }], bench)
conform(tensors.inverse, [{ inputs: [float32s([2, 2, 2], [1, 2, 3, 5, 2, 0, 0, 2])] }], bench)
conform(
  tensors.cropAndResize,
  [
    {
      inputs: [
        { shape: [2, 3, 8, 8] },
        float32s([3, 4], [0, 0, 1, 1, 0.1, 0.1, 0.5, 0.5, 0, 0.5, 1, 1]),
        fromNumbers('int32', [3], [0, 1, 0]),
        fromNumbers('int32', [2], [4, 5]),
      ],
      skip: { infer: 'a fed size is not known' },
    },
  ],
  bench,
)
conform(
  tensors.expandDims,
  [1, -1, 0].map(axis => ({
    name: `axis ${axis}`,
    inputs: [x, scalar('int32', axis)],
    skip: { infer: 'a fed axis leaves the sizes open' },
  })),
  bench,
)
conform(
  tensors.unique,
  [{ inputs: [float32s([5], [1, 2, 1, 3, 2])], outputs: 3, skip: { infer: 'how many differ is not known' } }],
  bench,
)
conform(tensors.cDist, [{ attributes: { metric: 'euclidean' }, inputs: [{ shape: [3, 4] }, { shape: [5, 4] }] }], bench)
conform(
  tensors.gatherBlockQuantized,
  [
    {
      attributes: { gather_axis: 0, quantize_axis: 1, block_size: 16 },
      inputs: [fromNumbers('uint8', [4, 8], new Array(32).fill(35)), int64s([1, 3, 3]), { shape: [4, 1] }],
    },
  ],
  bench,
)
conform(
  text.tokenizer,
  [
    {
      attributes: { mark: 0, pad_value: '#', separators: [' '], mincharnum: 1 },
      inputs: [tensor('string', [2], ['a bc', 'd e f'])],
      skip: { infer: 'how many words there are is not known' },
    },
  ],
  bench,
)
conform(
  text.murmurHash3,
  [
    { inputs: [tensor('string', [2], ['a', 'bc'])] },
    { attributes: { positive: 0 }, inputs: [fromNumbers('int32', [3], [1, 2, 3])] },
  ],
  bench,
)
conform(
  recurrent.dynamicQuantizeLstm,
  [
    {
      attributes: { hidden_size: 4 },
      inputs: [
        { shape: [5, 2, 3] },
        fromNumbers('uint8', [1, 3, 16], new Array(48).fill(130)),
        fromNumbers('uint8', [1, 4, 16], new Array(64).fill(120)),
        { shape: [1, 32] },
        null,
        null,
        null,
        null,
        float32s([1], [0.01]),
        fromNumbers('uint8', [1], [128]),
        float32s([1], [0.01]),
        fromNumbers('uint8', [1], [128]),
      ],
      outputs: 3,
    },
  ],
  bench,
)
