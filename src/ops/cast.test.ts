import { expect, test } from 'vitest'
import { fromNumbers, int64s } from '../base/tensor.ts'
import { dataTypeOf } from '../onnx/dtypes.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as casts from './cast.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const shape = [2, 3]
const to = (dtype: Parameters<typeof dataTypeOf>[0]) => ({ to: dataTypeOf(dtype) })

conform(
  casts.cast,
  [
    { name: 'to float64', attributes: to('float64'), inputs: [{ shape }] },
    { name: 'to float32', attributes: to('float32'), inputs: [{ shape }] },
    { name: 'to float16', attributes: to('float16'), inputs: [fromNumbers('float32', [3], [0.1, -7.3, 65519])] },
    { name: 'floats to int64', attributes: to('int64'), inputs: [fromNumbers('float32', [3], [0.9, -7.3, 3])] },
    { name: 'integers to floats', attributes: to('float32'), inputs: [int64s([3, -2])] },
    { name: 'int64 to int32', attributes: to('int32'), inputs: [int64s([3, -2])] },
    { name: 'int64 to uint8', attributes: to('uint8'), inputs: [int64s([300, -2])] },
    { name: 'to bool', attributes: to('bool'), inputs: [fromNumbers('float32', [3], [0, 0.5, -1])] },
    { name: 'from bool', attributes: to('float32'), inputs: [fromNumbers('bool', [2], [0, 1])] },
  ],
  bench,
)
conform(
  casts.castLike,
  [{ inputs: [{ shape }, fromNumbers('float64', [], [0])] }, { inputs: [{ shape }, int64s([1])] }],
  bench,
)
conform(casts.identity, [{ inputs: [{ shape }] }, { inputs: [int64s([1])] }], bench)

test('bits are read as another type of their width', () => {
  const evaluate = casts.bitCast.evaluate as Exclude<typeof casts.bitCast.evaluate, { no: string }>
  const call = { attributes: { to: dataTypeOf('int32') } } as Parameters<typeof evaluate>[0]
  expect(evaluate(call, [fromNumbers('float32', [2], [1, -2])])).toEqual([
    fromNumbers('int32', [2], [0x3f800000, 0xc0000000 - 2 ** 32]),
  ])
})
