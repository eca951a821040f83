import { fromNumbers, scalar } from '../../base/tensor.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as matmul from './matmul.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const floats = (...shape: number[]) => ({ shape })
const bytes = (...shape: number[]) => ({ shape, dtype: 'uint8', low: 0, high: 255 }) as const
const scale = scalar('float32', 0.1)
const zero = scalar('uint8', 100)

conform(
  matmul.fusedMatMul,
  [
    { attributes: { alpha: 0.5 }, inputs: [floats(2, 3), floats(3, 4)] },
    { attributes: { transA: 1 }, inputs: [floats(5, 3, 2), floats(5, 3, 4)] },
    { attributes: { transB: 1 }, inputs: [floats(5, 2, 3), floats(4, 3)] },
    { attributes: { transA: 1, transB: 1 }, inputs: [floats(3, 2), floats(4, 3)] },
    { attributes: { transBatchA: 1 }, inputs: [floats(2, 5, 3), floats(5, 3, 4)] },
    { attributes: { transBatchB: 1, transB: 1 }, inputs: [floats(5, 2, 3), floats(4, 5, 3)] },
    { name: 'a vector', inputs: [floats(3), floats(3, 4)] },
  ],
  bench,
)
conform(matmul.transposeMatMul, [{ attributes: { transB: 1 }, inputs: [floats(2, 3), floats(4, 3)] }], bench)
conform(
  matmul.fusedGemm,
  [
    { attributes: { activation: 'Relu', transB: 1 }, inputs: [floats(2, 3), floats(4, 3), floats(4)] },
    { attributes: { activation: 'Tanh', transA: 1, alpha: 2 }, inputs: [floats(3, 2), floats(3, 4)] },
  ],
  bench,
)
conform(
  matmul.matMulNBits,
  [
    {
      name: '4 bits',
      attributes: { K: 32, N: 6, bits: 4, block_size: 16 },
      inputs: [floats(2, 3, 32), fromNumbers('uint8', [6, 2, 8], new Array(96).fill(18)), floats(6, 2)],
    },
  ],
  bench,
)
conform(
  matmul.matMulBnb4,
  [
    {
      name: 'blocks of 16',
      attributes: { K: 32, N: 6, block_size: 16, quant_type: 1 },
      inputs: [floats(2, 32), fromNumbers('uint8', [96], new Array(96).fill(18)), floats(12)],
    },
  ],
  bench,
)
conform(
  matmul.dynamicQuantizeMatMul,
  [
    { name: 'without a zero point', inputs: [floats(2, 5, 3), bytes(3, 4), scale] },
    { name: 'with a bias', inputs: [floats(2, 3), bytes(3, 4), scale, zero, floats(4)] },
  ],
  bench,
)
conform(
  matmul.matMulIntegerToFloat,
  [{ name: 'with a bias', inputs: [bytes(2, 5, 3), bytes(3, 4), scale, scale, zero, zero, floats(4)] }],
  bench,
)
conform(
  matmul.qGemm,
  [
    {
      name: 'quantized',
      attributes: { transB: 1 },
      inputs: [bytes(2, 3), scale, zero, bytes(4, 3), scale, zero, null, scale, zero],
    },
    {
      name: 'to floating point',
      attributes: { transA: 1 },
      inputs: [bytes(3, 2), scale, zero, bytes(3, 4), scale, zero],
    },
  ],
  bench,
)
conform(
  matmul.matMulInteger16,
  [
    {
      name: 'rows and columns',
      inputs: [fromNumbers('int16', [2, 3], [1, 2, 3, 4, 5, 6]), fromNumbers('int16', [3, 1], [1, 2, 3])],
    },
  ],
  bench,
)
