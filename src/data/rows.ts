import { arrayLength, byteLength, type DataOf, type DType, type TypedArray } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount, formatType, sameShape } from '../base/shape.ts'
import { allocate, type Tensor } from '../base/tensor.ts'

/**
 * Copies the named rows of a tensor [N, ...], in the order asked for; a row may be asked for more than once.
 * @returns a tensor [rows.length, ...] of the same type.
 * @throws SinterError `invalid-argument` for a row outside of 0..N-1, or a type that packs several elements in a byte
 * where a row does not end on a byte.
 */
export function takeRows<D extends DType>(source: Tensor<D>, rows: ArrayLike<number>): Tensor<D> {
  const [size, ...rest] = rowsAndShape(source)
  checkRows(rows, size)
  const width = rowLength(source.dtype, rest)
  const shape = [rows.length, ...rest]
  const data = allocate(source.dtype, elementCount(shape))
  if (Array.isArray(source.data)) copyStrings(source.data, data as string[], rows, width)
  else copyRuns(source.data as TypedArray, data as TypedArray, rows, width)
  return { dtype: source.dtype, shape, data }
}

/** Tensors of one type and row shape on top of each other: [a, ...] and [b, ...] make [a + b, ...]. */
export function stackRows<D extends DType>(tensors: readonly Tensor<D>[]): Tensor<D> {
  const [first] = tensors
  if (!first) throw new SinterError('invalid-argument', 'There are no tensors to stack.')
  const [, ...rest] = rowsAndShape(first)
  const odd = tensors.find(t => t.dtype !== first.dtype || !sameShape(t.shape.slice(1), rest))
  if (odd) {
    throw new SinterError(
      'invalid-argument',
      `Rows of ${formatType(first)} and ${formatType(odd)} cannot be stacked: they must be alike.`,
    )
  }
  const shape = [tensors.reduce((sum, t) => sum + t.shape[0]!, 0), ...rest]
  rowLength(first.dtype, rest)
  if (first.dtype === 'string') {
    const data = tensors.flatMap(t => t.data as readonly string[])
    return { dtype: first.dtype, shape, data: data as readonly string[] as DataOf[D] }
  }
  const data = allocate(first.dtype, elementCount(shape))
  let at = 0
  for (const t of tensors) {
    ;(data as TypedArray).set(t.data as never, at)
    at += t.data.length
  }
  return { dtype: first.dtype, shape, data }
}

/** 0..size-1. */
export function allRows(size: number): Uint32Array {
  return Uint32Array.from({ length: size }, (_, i) => i)
}

/** @throws SinterError `invalid-argument` naming the first entry that is not a row of a set of `size` rows. */
export function checkRows(rows: ArrayLike<number>, size: number): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (!(row >= 0 && row < size && Number.isInteger(row))) {
      throw new SinterError('invalid-argument', `There is no row ${row}: rows are numbered 0 to ${size - 1}.`, {
        row,
        position: i,
        size,
      })
    }
  }
}

function rowsAndShape({ dtype, shape }: Tensor): readonly [number, ...number[]] {
  const [size, ...rest] = shape
  if (size === undefined) {
    throw new SinterError(
      'invalid-argument',
      `A ${dtype} tensor of rank 0 has no rows; its first dimension counts them.`,
    )
  }
  return [size, ...rest]
}

/** Array entries per row. */
function rowLength(dtype: DType, shape: readonly number[]): number {
  const elements = elementCount(shape)
  if (dtype !== 'string' && byteLength(dtype, 8 * elements) !== 8 * byteLength(dtype, elements)) {
    throw new SinterError('invalid-argument', `Rows of ${elements} ${dtype} elements do not end on a byte.`, {
      dtype,
      shape,
    })
  }
  return arrayLength(dtype, elements)
}

function copyStrings(from: readonly string[], to: string[], rows: ArrayLike<number>, width: number): void {
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < width; j++) to[i * width + j] = from[rows[i]! * width + j]!
  }
}

/** Neighbouring rows are copied together: reading a set in order is one copy per call. */
function copyRuns(from: TypedArray, to: TypedArray, rows: ArrayLike<number>, width: number): void {
  for (let start = 0, end: number; start < rows.length; start = end) {
    const first = rows[start]!
    end = start + 1
    while (end < rows.length && rows[end] === first + (end - start)) end++
    if (width === 1 && end === start + 1) to[start] = from[first]!
    else to.set(from.subarray(first * width, (first + end - start) * width) as never, start * width)
  }
}
