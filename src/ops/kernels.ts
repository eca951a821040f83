import type { DType } from '../base/dtype.ts'

const halfAndSingle: readonly DType[] = ['float32', 'float16']
const floats: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16']
const bytes: readonly DType[] = ['float32', 'float64', 'float16', 'int8', 'uint8']

/** Types of the first input that onnxruntime has kernels for on CPUs, where the standard allows more. */
const kernels: Readonly<Record<string, readonly DType[]>> = {
  Gemm: floats,
  DepthToSpace: bytes,
  SpaceToDepth: bytes,
  Gelu: halfAndSingle,
  HardSigmoid: halfAndSingle,
  HardSwish: halfAndSingle,
  InstanceNormalization: halfAndSingle,
  Mish: halfAndSingle,
}

/**
 * Whether the engine runs an operator on elements of a type: asked before one is put in the place of nodes that it runs
 * for sure. Operators that nothing is turned into need no line here.
 */
export function hasKernel(op: string, dtype: DType): boolean {
  return kernels[op]?.includes(dtype) ?? true
}
