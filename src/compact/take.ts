import { arrayLength } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount } from '../base/shape.ts'
import { allocate, type Tensor, tensor } from '../base/tensor.ts'

/**
 * The slices of a tensor at some indices of an axis, in their order.
 * @throws SinterError `not-supported` for types whose elements share bytes (4 bits and less).
 */
export function take(t: Tensor, axis: number, indices: readonly number[]): Tensor {
  const width = arrayLength(t.dtype, 1)
  if (arrayLength(t.dtype, 2) !== 2 * width) {
    throw new SinterError('not-supported', `A ${t.dtype} tensor cannot be cut: its elements share bytes.`)
  }
  const size = t.shape[axis]!
  const inner = elementCount(t.shape.slice(axis + 1)) * width
  const outer = elementCount(t.shape.slice(0, axis))
  const shape = t.shape.with(axis, indices.length)
  if (t.dtype === 'string') {
    const texts = t.data as readonly string[]
    const blocks = Array.from({ length: outer }, (_, o) =>
      indices.flatMap(i => texts.slice((o * size + i) * inner, (o * size + i + 1) * inner)),
    )
    return tensor(t.dtype, shape, blocks.flat())
  }
  const source = t.data as Float32Array
  const target = allocate(t.dtype, elementCount(shape)) as Float32Array
  let at = 0
  for (let o = 0; o < outer; o++) {
    for (const i of indices) {
      const start = (o * size + i) * inner
      if (inner === 1) target[at] = source[start]!
      else target.set(source.subarray(start, start + inner), at)
      at += inner
    }
  }
  return tensor(t.dtype, shape, target as never)
}
