import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { det, gemm, matMul } from './linear.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }

function sample(attributes: Sample['attributes'], ...shapes: readonly number[][]): Sample {
  const name = `${shapes.map(shape => `[${shape}]`).join(' ')} ${JSON.stringify(attributes)}`
  return { name, attributes: attributes ?? {}, inputs: shapes.map(shape => ({ shape })) }
}

conform(
  gemm,
  [
    sample({}, [3, 5], [5, 4], [4]),
    sample({}, [3, 5], [5, 4]),
    sample({ transA: 1, alpha: 0.5, beta: 2 }, [5, 3], [5, 4], [3, 1]),
    sample({ transB: 1, beta: 0.5 }, [3, 5], [4, 5], [1, 4]),
    sample({ transA: 1, transB: 1, alpha: 3 }, [5, 3], [4, 5], []),
    sample({ transB: 1 }, [3, 5], [4, 5], [3, 4]),
  ],
  bench,
)

conform(
  matMul,
  [
    [
      [3, 5],
      [5, 4],
    ],
    [
      [2, 3, 5],
      [5, 4],
    ],
    [
      [2, 3, 5],
      [2, 5, 4],
    ],
    [
      [2, 3, 5],
      [1, 5, 4],
    ],
    [
      [3, 5],
      [2, 5, 4],
    ],
    [
      [2, 1, 3, 4],
      [1, 3, 4, 2],
    ],
    [
      [2, 2, 3, 4],
      [2, 4, 2],
    ],
    [
      [1, 3, 5],
      [2, 5, 4],
    ],
    [[5], [5, 4]],
    [[3, 5], [5]],
    [[5], [5]],
    [[2, 3, 5], [5]],
    [[5], [2, 5, 3]],
  ].map(shapes => sample({}, ...shapes)),
  bench,
)

conform(det, [{ inputs: [{ shape: [3, 3] }] }, { name: 'of many', inputs: [{ shape: [2, 3, 4, 4] }] }], bench)
