import type { DType } from '../base/dtype.ts'
import { type Dim, elementCount } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import type { InferredType } from './operator.ts'

/** At most this many elements are followed as shape arithmetic; of floats (a Resize's scales) fewer. */
const most = { integers: 1024, floats: 8 }

const followed: Readonly<Partial<Record<DType, number>>> = {
  int64: most.integers,
  int32: most.integers,
  bool: most.integers,
  float32: most.floats,
  float64: most.floats,
}

const typesOfConstants = new WeakMap<Tensor, InferredType>()

/** A constant's type, with its contents if it is a small vector or scalar. The same object each time. */
export function typeOfConstant(t: Tensor): InferredType {
  const known = typesOfConstants.get(t)
  if (known) return known
  const { dtype, shape } = t
  const small = shape.length <= 1 && elementCount(shape) <= (followed[dtype] ?? -1)
  const type = small ? { dtype, shape, value: Array.from(numbers(t)) as Dim[] } : { dtype, shape }
  typesOfConstants.set(t, type)
  return type
}

/** A type with its contents, where these are known, few, and of a rank and type that are followed. */
export function withContents({ dtype, shape }: InferredType, value: readonly Dim[] | undefined): InferredType {
  const rounded = dtype === 'float32' ? value?.map(dim => (typeof dim === 'number' ? Math.fround(dim) : dim)) : value
  const small = rounded && shape && shape.length <= 1 && dtype in followed && rounded.length <= most.integers
  return small ? { dtype, shape, value: rounded } : { dtype, shape }
}
