import { fromNumbers, int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as scatters from './scatter.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const indices = (shape: number[], values: number[]) => fromNumbers('int64', shape, values)
const unique: Sample['inputs'] = [{ shape: [3, 4] }, indices([2, 4], [0, 1, 2, 0, 2, 2, -2, -2]), { shape: [2, 4] }]
const reductions = (inputs: Sample['inputs']): Sample[] => [
  { attributes: { reduction: 'add' }, inputs },
  ...['mul', 'max', 'min'].map(reduction => ({
    attributes: { reduction },
    inputs,
    skip: { gradient: 'refused with a reason' },
  })),
]

conform(
  scatters.scatterElements,
  [
    { inputs: unique },
    { attributes: { axis: 1 }, inputs: [{ shape: [2, 3] }, indices([2, 1], [2, 0]), { shape: [2, 1] }] },
    ...reductions([{ shape: [3, 4] }, indices([2, 4], [0, 1, 2, 0, 0, 2, -1, 1]), { shape: [2, 4] }]),
  ],
  bench,
)
conform(scatters.scatter, [{ opset: 9, attributes: { axis: 0 }, inputs: unique }], bench)
conform(
  scatters.scatterND,
  [
    { inputs: [{ shape: [3, 2, 2] }, indices([2, 1], [2, 0]), { shape: [2, 2, 2] }] },
    { name: 'elements', inputs: [int64s([1, 2, 3]), indices([2, 1], [-1, 0]), int64s([9, 8])] },
    ...reductions([{ shape: [3, 2] }, indices([4, 1], [0, 2, 0, 0]), { shape: [4, 2] }]),
  ],
  bench,
)
