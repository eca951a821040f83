import { float32s, fromNumbers, scalar } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import * as quantize from './quantize.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const x = { shape: [2, 3, 4] }
const bytes = { shape: [2, 3, 4], dtype: 'int8', low: -100, high: 100 } as const
const scales = float32s([3], [0.1, 0.2, 0.5])
const zeros = fromNumbers('int8', [3], [0, 3, -2])
const scale = scalar('float32', 0.1)
const zero = scalar('uint8', 100)
const unsigned = (...shape: number[]) => ({ shape, dtype: 'uint8', low: 0, high: 255 }) as const

conform(
  quantize.quantizeLinear,
  [
    { inputs: [x, scale] },
    { name: 'by channel', inputs: [x, scales, zeros] },
    { attributes: { output_dtype: 3 }, inputs: [x, scale] },
  ],
  bench,
)
conform(
  quantize.dequantizeLinear,
  [{ inputs: [bytes, scale] }, { name: 'by channel', inputs: [bytes, scales, zeros] }],
  bench,
)
conform(quantize.dynamicQuantizeLinear, [{ inputs: [x], outputs: 3 }], bench)
conform(quantize.matMulInteger, [{ inputs: [unsigned(2, 3), unsigned(3, 4)] }], bench)
conform(quantize.convInteger, [{ inputs: [unsigned(1, 2, 5, 5), unsigned(3, 2, 3, 3)] }], bench)
conform(
  quantize.qLinearMatMul,
  [{ inputs: [unsigned(2, 3), scale, zero, unsigned(3, 4), scale, zero, scale, zero] }],
  bench,
)
conform(
  quantize.qLinearConv,
  [
    {
      attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
      inputs: [unsigned(1, 2, 5, 5), scale, zero, unsigned(3, 2, 3, 3), scale, zero, scale, zero],
    },
  ],
  bench,
)
