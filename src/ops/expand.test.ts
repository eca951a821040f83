import { int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { expand, tile } from './expand.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }

conform(
  expand,
  [
    { inputs: [{ shape: [3, 1] }, int64s([2, 3, 4])] },
    { name: 'to less', inputs: [{ shape: [2, 3] }, int64s([1])] },
    { name: 'contents', inputs: [int64s([7]), int64s([3])] },
  ],
  bench,
)
conform(
  tile,
  [
    { inputs: [{ shape: [2, 3] }, int64s([1, 2])] },
    { name: 'every axis', inputs: [{ shape: [2, 3] }, int64s([2, 3])] },
    { name: 'contents', inputs: [int64s([7, 8]), int64s([2])] },
  ],
  bench,
)
