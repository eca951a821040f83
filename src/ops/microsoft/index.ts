import * as activation from './activation.ts'
import * as attention from './attention.ts'
import * as conv from './conv.ts'
import * as experts from './experts.ts'
import * as generation from './generation.ts'
import * as matmul from './matmul.ts'
import * as normalization from './normalization.ts'
import * as positions from './positions.ts'
import * as projectingAttention from './projecting-attention.ts'
import * as quantized from './quantized.ts'
import * as recurrent from './recurrent.ts'
import * as tensors from './tensors.ts'
import * as text from './text.ts'

/** The families of onnxruntime's own operators, as optimized and quantized files have them. */
export const ofOnnxruntime: readonly object[] = [
  activation,
  attention,
  conv,
  experts,
  generation,
  matmul,
  normalization,
  positions,
  projectingAttention,
  quantized,
  recurrent,
  tensors,
  text,
]
