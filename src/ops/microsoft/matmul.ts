import type { DType } from '../../base/dtype.ts'
import type { Dim } from '../../base/shape.ts'
import { numbersIn } from '../axes.ts'
import { productCost } from '../channels.ts'
import { gemm, matMul } from '../linear.ts'
import type { Call, InferredType, TypedCall } from '../operator.ts'
import { fused, inferAs } from './fused.ts'

// Matrix products: with operands transposed on the way, with an activation after, and with quantized weights.

interface Transposes {
  readonly transA: number
  readonly transB: number
  readonly transBatchA?: number
  readonly transBatchB?: number
}

/** A product's operand as it is multiplied: the first axis may stand for the rows, and the last two may be swapped. */
function turned({ dtype, shape }: InferredType, swaps: number, batch = 0): InferredType {
  if (!shape || shape.length < 2) return { dtype, shape }
  const led = batch ? [...shape.slice(1, -1), shape[0]!, shape.at(-1)!] : shape
  return { dtype, shape: swaps ? [...led.slice(0, -2), led.at(-1)!, led.at(-2)!] : led }
}

function operands({ attributes, inputs: [a, b] }: { readonly attributes: Transposes } & Pick<Call, 'inputs'>) {
  const { transA, transB, transBatchA, transBatchB } = attributes
  return [turned(a!, transA, transBatchA), turned(b!, transB, transBatchB)] as const
}

/** Of a product with transposes, the type. */
const transposedProduct = (call: Call<'com.microsoft.FusedMatMul'>) =>
  inferAs(matMul, { ...call, inputs: operands(call) }, {}, [0, 1])

const transposedCost = (call: TypedCall<'com.microsoft.FusedMatMul'>) => {
  const inner = operands(call)[0].shape?.at(-1)
  return productCost(call.outputs[0]?.shape, inner === undefined ? undefined : [inner])
}

const likeFusedMatMul = {
  infer: (call: unknown) => transposedProduct(call as Call<'com.microsoft.FusedMatMul'>),
  cost: (call: unknown) => transposedCost(call as TypedCall<'com.microsoft.FusedMatMul'>),
}

export const fusedMatMul = fused('com.microsoft.FusedMatMul', likeFusedMatMul)
export const fusedMatMulActivation = fused('com.microsoft.FusedMatMulActivation', likeFusedMatMul)
export const transposeMatMul = fused('com.microsoft.TransposeMatMul', likeFusedMatMul)

export const sparseToDenseMatMul = fused('com.microsoft.SparseToDenseMatMul', {
  infer: call => {
    const [a, b] = call.inputTypes
    const dense = b as InferredType | undefined
    const left = a && 'sparse' in a ? a.sparse : (a as InferredType | undefined)
    if (!left || !dense) return [undefined]
    return likeFusedMatMul.infer({ ...call, inputs: [{ dtype: dense.dtype, shape: left.shape }, dense] })
  },
  accepts: 'any',
  // As many as there are elements in the sparse one, which types do not tell.
  cost: () => ({ macs: Number.NaN }),
})

export const fusedGemm = fused('com.microsoft.FusedGemm', {
  infer: call => inferAs(gemm, call, { transA: call.attributes.transA, transB: call.attributes.transB }),
  cost: call => gemm.cost(call as unknown as TypedCall<'Gemm'>),
})

export const gemmFastGelu = fused('com.microsoft.GemmFastGelu', {
  infer: call => inferAs(matMul, call, {}, [0, 1]),
  cost: productOfRows,
})

export const gemmFloat8 = fused('com.microsoft.GemmFloat8', {
  infer: call => {
    const [found] = inferAs(gemm, call, { transA: call.attributes.transA, transB: call.attributes.transB })
    return [{ dtype: call.attributes.dtype === 1 ? 'float32' : call.inputs[0]!.dtype, shape: found!.shape }]
  },
  cost: call => gemm.cost(call as unknown as TypedCall<'Gemm'>),
})

/** Of [..., K] x [K, N] -> [..., N]: K products for each element. */
function productOfRows({ inputs: [a], outputs: [y] }: TypedCall) {
  return productCost(y?.shape, a?.shape?.slice(-1))
}

/** The product with a matrix of so many columns that is packed somehow. */
function withColumns(a: InferredType | undefined, columns: Dim, dtype: DType = a!.dtype): InferredType {
  return { dtype, shape: a?.shape?.with(-1, columns) }
}

export const matMulNBits = fused('com.microsoft.MatMulNBits', {
  infer: ({ attributes: { N }, inputs: [a] }) => [withColumns(a, N)],
  cost: productOfRows,
})

/** Weights [N, K] if `transB`, as they are made, else [K, N]. */
export const matMulBnb4 = fused('com.microsoft.MatMulBnb4', {
  infer: ({ attributes: { N, K, transB }, inputs: [a] }) => [withColumns(a, transB ? N : K)],
  cost: productOfRows,
})

export const matMulFpQ4 = fused('com.microsoft.MatMulFpQ4', {
  infer: call => [withColumns(call.inputs[0], numbersIn(call, 2)?.[1] ?? '')],
  cost: productOfRows,
})

export const matMulNBitsMlp = fused('com.microsoft.MatMulNBitsMlp', {
  infer: ({ node, attributes: { N }, inputs: [a] }) =>
    [withColumns(a, N), { dtype: a!.dtype, shape: a!.shape }].slice(0, node.outputs.length),
  // The gate's product and the other.
  cost: call => ({ macs: 2 * productOfRows(call).macs }),
})

export const matMulNBitsQkv = fused('com.microsoft.MatMulNBitsQkv', {
  infer: ({ node, attributes: { Nq, Nkv }, inputs: [a] }) =>
    [withColumns(a, Nq), withColumns(a, Nkv), withColumns(a, Nkv), { dtype: a!.dtype, shape: a!.shape }].slice(
      0,
      node.outputs.length,
    ),
  cost: ({ inputs: [a], outputs }) => ({
    macs: outputs.slice(0, 3).reduce((sum, y) => sum + productCost(y?.shape, a?.shape?.slice(-1)).macs, 0),
  }),
})

export const dynamicQuantizeMatMul = fused('com.microsoft.DynamicQuantizeMatMul', {
  infer: call => inferAs(matMul, call, {}, [0, 1]),
  cost: productOfRows,
})

export const matMulIntegerToFloat = fused('com.microsoft.MatMulIntegerToFloat', {
  infer: call => [{ ...inferAs(matMul, call, {}, [0, 1])[0]!, dtype: call.inputs[2]!.dtype }],
  cost: productOfRows,
})

export const matMulInteger16 = fused('com.microsoft.MatMulInteger16', {
  infer: call => [{ ...inferAs(matMul, call, {}, [0, 1])[0]!, dtype: 'int32' }],
  cost: productOfRows,
})

/** Quantized if the result's zero point is there, else in floating point. */
export const qGemm = fused('com.microsoft.QGemm', {
  infer: call => {
    const { transA, transB } = call.attributes
    const [found] = inferAs(gemm, call, { transA, transB }, [0, 3])
    return [{ dtype: call.inputs[8]?.dtype ?? 'float32', shape: found!.shape }]
  },
  cost: ({ attributes: { transA }, inputs: [a], outputs: [y] }) => {
    const inner = a?.shape?.[transA ? 0 : 1]
    return productCost(y?.shape, inner === undefined ? undefined : [inner])
  },
})

export const qOrderedMatMul = fused('com.microsoft.QOrderedMatMul', {
  infer: call => inferAs(matMul, call, {}, [0, 2]),
  cost: productOfRows,
})
