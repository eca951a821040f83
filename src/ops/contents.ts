import type { DType } from '../base/dtype.ts'
import { type Dim, elementCount, isFixed } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import type { InferredType } from './operator.ts'

/** At most this many elements are followed as shape arithmetic; of floats (a Resize's scales) fewer. */
const most = { integers: 1024, floats: 8 }

/** Of more elements no contents are followed. */
export const mostFollowed = most.integers

const followed: Readonly<Partial<Record<DType, number>>> = {
  int64: most.integers,
  int32: most.integers,
  bool: most.integers,
  float32: most.floats,
  float64: most.floats,
}

const typesOfConstants = new WeakMap<Tensor, InferredType>()

/** A constant's type, with its contents if these are few. The same object each time. */
export function typeOfConstant(t: Tensor): InferredType {
  const known = typesOfConstants.get(t)
  if (known) return known
  const { dtype, shape } = t
  const small = elementCount(shape) <= (followed[dtype] ?? -1)
  const type = small ? { dtype, shape, value: Array.from(numbers(t)) as Dim[] } : { dtype, shape }
  typesOfConstants.set(t, type)
  return type
}

/** Whether contents of a type are followed. */
export function isFollowed(dtype: DType): boolean {
  return dtype in followed
}

/** A type with its contents, where these are known, few, and of a type that is followed. */
export function withContents({ dtype, shape }: InferredType, value: readonly Dim[] | undefined): InferredType {
  if (!value || !shape || !isFollowed(dtype) || value.length > most.integers) return { dtype, shape }
  // What is in a vector says how long it is.
  const whole = shape.length === 1 ? [value.length] : shape
  if (!isFixed(whole) || elementCount(whole) !== value.length) return { dtype, shape }
  return { dtype, shape: whole, value: value.map(dim => (typeof dim === 'number' ? rounded(dtype, dim) : dim)) }
}

/** A number as a type holds it; nothing is known of an integer that would not fit. */
function rounded(dtype: DType, value: number): Dim {
  if (dtype === 'float32') return Math.fround(value)
  return dtype === 'int32' && value !== (value | 0) ? '' : value
}
