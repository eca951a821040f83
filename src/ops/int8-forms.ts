import type { Node } from '../graph/graph.ts'
import { keyOf } from './spec.ts'

/*
 * What onnxruntime's CPU engine can do in 8 bits, by its quantizer's registries and its kernels (QLinearConv,
 * MatMulInteger, QLinearAdd, DynamicQuantizeLSTM, ...; docs: "Quantize ONNX models"). Facts of the engine, not of ONNX.
 */

/** Operators with a kernel that multiplies or adds in 8 bits. */
const computing: ReadonlySet<string> = new Set([
  ...['Conv', 'MatMul', 'Gemm', 'LSTM', 'Add', 'Mul', 'Sigmoid', 'LeakyRelu', 'Softmax', 'Where', 'ReduceMean'],
  ...['AveragePool', 'GlobalAveragePool', 'Concat', 'Gather', 'com.microsoft.Attention'],
  ...['com.microsoft.EmbedLayerNormalization', 'com.microsoft.FusedGemm', 'com.microsoft.FusedConv'],
])

/** Operators that hand 8-bit numbers on as they are, or fall away at the edges of the range. */
const carrying: ReadonlySet<string> = new Set([
  ...['Relu', 'Clip', 'MaxPool', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Split', 'Pad'],
  ...['Resize', 'DepthToSpace', 'SpaceToDepth', 'Identity', 'Expand', 'Tile', 'Dropout', 'ReduceMax', 'ReduceMin'],
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Cast', 'ArgMax', 'TopK'],
])

/** Whether a node can work on 8-bit numbers; undefined where it stays in floating point. */
export function int8Form(node: Pick<Node, 'op' | 'domain'>): 'computes' | 'carries' | undefined {
  const key = keyOf(node)
  if (computing.has(key) || /(^|\.)(QLinear|Q[A-Z])|Integer$|^com\.microsoft\.\w*(Quantize|NBits)/.test(key))
    return 'computes'
  return carrying.has(key) ? 'carries' : undefined
}
