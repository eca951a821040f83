import { fromNumbers, scalar } from '../../base/tensor.ts'
import { eachPair } from '../../read/index-map.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conform } from '../testing/conform.ts'
import * as conv from './conv.ts'
import * as quantized from './quantized.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const bytes = (...shape: number[]) => ({ shape, dtype: 'uint8', low: 0, high: 255 }) as const
const signed = (...shape: number[]) => ({ shape, dtype: 'int8', low: -100, high: 100 }) as const
const scale = scalar('float32', 0.1)
const zero = scalar('uint8', 100)
const origin = scalar('int8', 3)

conform(
  quantized.qLinearAdd,
  [
    { name: 'of one shape', inputs: [bytes(2, 3), scale, zero, bytes(2, 3), scale, zero, scale, zero] },
    { name: 'broadcast', inputs: [signed(2, 1, 4), scale, origin, signed(3, 1), scale, origin, scale, origin] },
  ],
  bench,
)
conform(
  quantized.qLinearMul,
  [{ name: 'broadcast', inputs: [bytes(2, 3), scale, zero, bytes(3), scale, zero, scale, zero] }],
  bench,
)
conform(
  quantized.qLinearLeakyRelu,
  [{ attributes: { alpha: 0.2 }, inputs: [bytes(2, 3), scale, zero, scale, zero] }],
  bench,
)
conform(quantized.qLinearSigmoid, [{ inputs: [signed(2, 3), scale, origin, scale, origin] }], bench)
conform(
  quantized.qLinearSoftmax,
  [{ attributes: { axis: 1, opset: 13 }, inputs: [bytes(2, 3), scale, zero, scale, zero] }],
  bench,
)
conform(
  quantized.qLinearWhere,
  [
    {
      name: 'broadcast',
      inputs: [{ shape: [2, 1], dtype: 'bool' }, bytes(1, 3), scale, zero, bytes(2, 3), scale, zero, scale, zero],
    },
  ],
  bench,
)
conform(
  quantized.qLinearConcat,
  [
    { attributes: { axis: 1 }, inputs: [scale, zero, bytes(2, 3), scale, zero, bytes(2, 5), scale, zero] },
    { attributes: { axis: -1 }, inputs: [scale, zero, bytes(2, 3), scale, zero] },
  ],
  bench,
)
conform(quantized.quantizeLinear, [{ name: 'by one scale', inputs: [{ shape: [2, 3] }, scale, origin] }], bench)
conform(quantized.dequantizeLinear, [{ name: 'by one scale', inputs: [bytes(2, 3), scale, zero] }], bench)

conform(
  conv.fusedConv,
  [
    {
      attributes: { activation: 'Relu', pads: [1, 1, 1, 1], strides: [2, 2] },
      inputs: [{ shape: [2, 3, 5, 6] }, { shape: [4, 3, 3, 3] }, { shape: [4] }],
    },
    {
      name: 'with what is added',
      attributes: { activation: 'LeakyRelu', activation_params: [0.1], group: 2, auto_pad: 'SAME_UPPER' },
      inputs: [{ shape: [2, 4, 5, 6] }, { shape: [4, 2, 3, 3] }, { shape: [4] }, { shape: [2, 4, 5, 6] }],
    },
  ],
  bench,
)
const image = bytes(1, 5, 6, 3)
conform(
  conv.qLinearConv,
  [
    {
      name: 'of images with the channels last',
      attributes: { channels_last: 1, pads: [1, 0, 1, 0], kernel_shape: [3, 3] },
      inputs: [image, scale, zero, bytes(4, 3, 3, 3), scale, zero, scale, zero],
    },
    {
      name: 'of images with the channels in front',
      attributes: { strides: [2, 2] },
      inputs: [bytes(1, 3, 5, 6), scale, zero, bytes(4, 3, 3, 3), scale, zero, scale, zero],
    },
  ],
  bench,
)
conform(
  conv.nhwcMaxPool,
  [{ attributes: { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 0] }, inputs: [image] }],
  bench,
)
conform(
  conv.qLinearAveragePool,
  [0, 1].map(last => ({
    attributes: { channels_last: last, kernel_shape: [2, 2], strides: [2, 1] },
    inputs: [image, scale, zero, scale, zero],
  })),
  bench,
)
conform(
  conv.qLinearGlobalAveragePool,
  [0, 1].map(last => ({ attributes: { channels_last: last }, inputs: [image, scale, zero, scale, zero] })),
  bench,
)
conform(
  conv.maxpoolWithMask,
  [
    {
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      inputs: [{ shape: [1, 2, 4, 6] }, fromNumbers('int32', [1, 2, 4, 6], new Array(48).fill(1))],
    },
  ],
  bench,
)
conform(
  conv.convTransposeWithDynamicPads,
  [
    {
      attributes: { strides: [2, 2] },
      inputs: [{ shape: [1, 2, 4, 3] }, { shape: [2, 3, 3, 3] }, fromNumbers('int64', [4], [1, 0, 1, 0])],
      skip: { infer: 'fed pads leave the sizes open' },
    },
  ],
  bench,
)
