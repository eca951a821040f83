import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { conform } from './testing/conform.ts'
import { depthToSpace, spaceToDepth, transpose } from './transpose.ts'

const bench = { backend: onnxruntimeNode, eachPair }

conform(
  transpose,
  [
    { inputs: [{ shape: [2, 3, 4] }] },
    ...[
      [0, 2, 1],
      [2, 0, 1],
    ].map(perm => ({ attributes: { perm }, inputs: [{ shape: [2, 3, 4] }] })),
  ],
  bench,
)
const x = { shape: [1, 8, 2, 3] }
conform(
  depthToSpace,
  [
    { attributes: { blocksize: 2 }, inputs: [x] },
    { attributes: { blocksize: 2, mode: 'CRD' }, inputs: [x] },
  ],
  bench,
)
conform(spaceToDepth, [{ attributes: { blocksize: 2 }, inputs: [{ shape: [1, 2, 4, 6] }] }], bench)
