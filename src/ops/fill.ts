import { elementCount } from '../base/shape.ts'
import { full } from '../base/tensor.ts'
import type { Ops, Ref } from './build.ts'

/** Elements from which on a constant with one value everywhere is made when the graph is run. */
const many = 1024

/** One value everywhere, in the type of `like`: as a constant, or where that were large, as what takes no space in a file. */
export function filled(op: Ops, like: Ref, shape: readonly number[], value: number): Ref {
  const { dtype } = op.type(like)
  if (elementCount(shape) <= many) return op.constant(full(dtype, shape, value), 'fill')
  return op.ConstantOfShape([op.ints(shape)], { value: full(dtype, [1], value) })
}
