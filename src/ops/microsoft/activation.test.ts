import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as activation from './activation.ts'
import * as normalization from './normalization.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [2, 3, 4] }
const vector = { shape: [4] }
const positive = { shape: [4], low: 0.5, high: 1.5 }

conform(activation.gelu, [{ inputs: [x] }], bench)
conform(activation.fastGelu, [{ inputs: [x] }, { name: 'with a bias', inputs: [x, vector] }], bench)
conform(activation.biasGelu, [{ inputs: [x, vector] }], bench)
conform(activation.quickGelu, [{ inputs: [x] }, { attributes: { alpha: 0.7 }, inputs: [x] }], bench)

conform(
  normalization.simplifiedLayerNormalization,
  [
    { inputs: [x, positive] },
    { name: 'with the deviation', attributes: { axis: 2 }, inputs: [x, positive], outputs: 2 },
  ],
  bench,
)
conform(
  normalization.skipLayerNormalization,
  [
    { inputs: [x, x, positive, vector] },
    { name: 'of one batch for all', inputs: [x, { shape: [1, 3, 4] }, positive, vector, vector] },
  ],
  bench,
)
conform(normalization.skipSimplifiedLayerNormalization, [{ inputs: [x, x, positive] }], bench)
conform(
  normalization.embedLayerNormalization,
  [
    {
      name: 'with segments and a mask',
      inputs: [
        { shape: [2, 3], dtype: 'int32', low: 0, high: 5 },
        { shape: [2, 3], dtype: 'int32', low: 0, high: 2 },
        { shape: [5, 4] },
        { shape: [6, 4] },
        { shape: [2, 4] },
        positive,
        vector,
        { shape: [2, 3], dtype: 'int32', low: 1, high: 2 },
      ],
      outputs: 2,
    },
    {
      name: 'of positions alone, with their sum',
      inputs: [
        { shape: [2, 3], dtype: 'int32', low: 0, high: 5 },
        null,
        { shape: [5, 4] },
        { shape: [6, 4] },
        null,
        positive,
        vector,
      ],
      outputs: 3,
    },
  ],
  bench,
)
