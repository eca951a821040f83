import { fromNumbers, int64s, tensor } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as comparison from './comparison.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const shape = [2, 3]
const flags = fromNumbers('bool', [2, 1], [1, 0])

for (const record of [
  comparison.equal,
  comparison.greater,
  comparison.greaterOrEqual,
  comparison.less,
  comparison.lessOrEqual,
]) {
  conform(
    record,
    [{ inputs: [{ shape }, { shape: [3] }] }, { name: 'integers', inputs: [int64s([1, 2, 3]), int64s([3, 2, 1])] }],
    bench,
  )
}
conform(
  comparison.equal,
  [{ name: 'texts', inputs: [tensor('string', [2, 1], ['a', 'b']), tensor('string', [2], ['a', 'c'])] }],
  bench,
)
for (const record of [comparison.and, comparison.or, comparison.xor]) {
  conform(record, [{ inputs: [flags, fromNumbers('bool', [2], [0, 1])] }], bench)
}
conform(comparison.not, [{ inputs: [flags] }], bench)
conform(
  comparison.where,
  [
    { inputs: [{ shape, dtype: 'bool' }, { shape }, { shape }] },
    { name: 'broadcast', inputs: [flags, { shape: [4, 1, 3] }, { shape: [] }] },
    { name: 'integers', inputs: [flags, int64s([1, 2]), int64s([3, 4])] },
    { name: 'texts', inputs: [flags, tensor('string', [], ['a']), tensor('string', [2], ['b', 'c'])] },
  ],
  bench,
)
