import { type DType, dtypes, isInteger, type TypedArray } from '../base/dtype.ts'
import { type Dim, elementCount } from '../base/shape.ts'
import { allocate, bytesOf, numbers, type Tensor } from '../base/tensor.ts'
import { dataTypeOf, dtypeOf } from '../onnx/dtypes.ts'
import { elementwiseLinks } from './broadcast.ts'
import { withContents } from './contents.ts'
import { integersOf, isComputable, tensorOf } from './elements.ts'
import { free, type InferredType, no, operator } from './operator.ts'

export const cast = operator('Cast', {
  infer: ({ attributes: { to }, inputs: [x] }) => [castType(x!, typeOf(to))],
  // A cast to or from an integer is never asked: gradients flow between floats only.
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Cast([dy], { to: dataTypeOf(op.type(x!).dtype) })],
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ attributes: { to } }, [x]) => [castTensor(x!, typeOf(to))],
  upgrades: [
    {
      // Types had names where they have numbers now.
      to: 6,
      apply: ({ attributes: { to } }, op, [x]) => [op.Cast([x], { to: dataTypeOf(typeOf(to)) })],
    },
  ],
})

const aliases: Readonly<Record<string, DType>> = { float: 'float32', double: 'float64' }

/** The element type that a number, or in opsets before 6 a name, stands for. */
function typeOf(to: number | string): DType {
  if (typeof to === 'number') return typeNumbered(to)
  const name = to.toLowerCase()
  const dtype = dtypes.find(one => one === (aliases[name] ?? name))
  if (!dtype) throw new Error(`there is no element type '${to}'`)
  return dtype
}

export const castLike = operator('CastLike', {
  infer: ({ inputs: [x, like] }) => [castType(x!, like!.dtype)],
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Cast([dy], { to: dataTypeOf(op.type(x!).dtype) }), null],
  coupling: call => elementwiseLinks(call).filter(({ from }) => from[1] === 0),
  cost: free,
  evaluate: (_, [x, like]) => [castTensor(x!, like!.dtype)],
})

export const bitCast = operator('BitCast', {
  infer: ({ attributes: { to }, inputs: [x] }) => [{ dtype: typeNumbered(to), shape: x!.shape }],
  gradient: no('it works on the bits of numbers'),
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ attributes: { to } }, [x]) => {
    const dtype = typeNumbered(to)
    const made = allocate(dtype, elementCount(x!.shape)) as TypedArray
    bytesOf({ dtype, shape: x!.shape, data: made }).set(bytesOf(x!))
    return [{ dtype, shape: x!.shape, data: made }]
  },
})

export const identity = operator('Identity', {
  infer: ({ inputTypes: [x] }) => [x],
  gradient: ({ dy: [dy] }) => [dy!],
  coupling: elementwiseLinks,
  cost: free,
  evaluate: (_, [x]) => [x!],
  accepts: 'any',
})

export function typeNumbered(number: number): DType {
  const dtype = dtypeOf(number)
  if (dtype === undefined) throw new Error(`there is no element type number ${number}`)
  return dtype
}

function castType({ shape, value }: InferredType, dtype: DType): InferredType {
  const kept = isInteger(dtype) ? value?.map(truncated) : dtype === 'bool' ? value?.map(truth) : value
  return withContents({ dtype, shape }, kept)
}

const truncated = (dim: Dim): Dim => (typeof dim === 'number' ? Math.trunc(dim) : dim)
const truth = (dim: Dim): Dim => (typeof dim === 'number' ? Number(dim !== 0) : '')

/** @throws Error for types that cannot be computed with here (strings, packed and 8-bit floats). */
function castTensor(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x
  if (!isComputable(dtype)) throw new Error(`a cast to ${dtype} is left to the runtime`)
  if (dtype === 'bool')
    return tensorOf(
      dtype,
      x.shape,
      Array.from(numbers(x), v => v !== 0),
    )
  if (isInteger(dtype) && isInteger(x.dtype)) return tensorOf(dtype, x.shape, integersOf(x))
  return tensorOf(dtype, x.shape, Array.from(numbers(x)))
}
