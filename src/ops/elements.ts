import { type DType, isInteger } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount } from '../base/shape.ts'
import { allocate, fromNumbers, numbers, type Tensor } from '../base/tensor.ts'

/** Elements on their way through a computation: floats as numbers, integers as bigints (exact), booleans as 0 or 1. */
export type Elements = readonly number[] | readonly bigint[]

const packed: ReadonlySet<DType> = new Set(['int4', 'uint4', 'int2', 'uint2', 'float4e2m1', 'complex64', 'complex128'])

/** Whether elements of a type can be computed with here: strings, packed and 8-bit float types cannot. */
export function isComputable(dtype: DType): boolean {
  return dtype !== 'string' && !packed.has(dtype) && !dtype.startsWith('float8')
}

/** An integer tensor's elements. */
export function integersOf(t: Tensor): bigint[] {
  return t.dtype === 'int64' || t.dtype === 'uint64'
    ? Array.from(t.data as BigInt64Array)
    : Array.from(numbers(t), v => BigInt(v))
}

export function elementsOf(t: Tensor): number[] | bigint[] {
  return isInteger(t.dtype) ? integersOf(t) : Array.from(numbers(t))
}

// Math.min and Math.max of integers.
export function smaller(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

export function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}

/** Makes a tensor of results: floats are rounded to the type, integers wrap around as the type's arithmetic does. */
export function tensorOf(
  dtype: DType,
  shape: readonly number[],
  values: readonly (number | bigint | boolean)[],
): Tensor {
  if (!isInteger(dtype)) return fromNumbers(dtype, shape, values.map(Number))
  const data = allocate(dtype, elementCount(shape))
  const bits = Number(/\d+/.exec(dtype)![0])
  const wrap = dtype.startsWith('u') ? BigInt.asUintN : BigInt.asIntN
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array
  values.forEach((value, i) => {
    const wrapped = wrap(bits, typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value))))
    if (wide) data[i] = wrapped
    else (data as Int32Array)[i] = Number(wrapped)
  })
  return { dtype, shape, data }
}

/** How far apart neighbours along each axis lie in row-major order. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]!
  }
  return strides
}

/** Calls `visit` with each position of a shape in row-major order. The array is reused: copy it to keep it. */
export function eachPosition(
  shape: readonly number[],
  visit: (position: readonly number[], flat: number) => void,
): void {
  const count = elementCount(shape)
  const position = shape.map(() => 0)
  for (let flat = 0; flat < count; flat++) {
    visit(position, flat)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++position[axis]! < shape[axis]!) break
      position[axis] = 0
    }
  }
}

/** For each position of `shape`, where in a tensor of shape `from` its element comes from; -1 for nowhere. */
export function sources(
  shape: readonly number[],
  from: readonly number[],
  origin: (position: readonly number[]) => readonly number[] | undefined,
): Int32Array {
  const strides = stridesOf(from)
  const index = new Int32Array(elementCount(shape))
  eachPosition(shape, (position, flat) => {
    const at = origin(position)
    index[flat] = at ? at.reduce((sum, i, axis) => sum + i * strides[axis]!, 0) : -1
  })
  return index
}

/** The sources of a tensor of shape `from` that is broadcast to `shape`. */
export function broadcastSources(shape: readonly number[], from: readonly number[]): Int32Array {
  const lead = shape.length - from.length
  return sources(shape, from, position => from.map((size, axis) => (size === 1 ? 0 : position[axis + lead]!)))
}

/** A tensor whose elements are others of `t` (`fill`, a one-element tensor, where the source is -1). Any unpacked type. */
export function take(t: Tensor, shape: readonly number[], index: ArrayLike<number>, fill?: Tensor): Tensor {
  if (packed.has(t.dtype)) {
    throw new SinterError('not-supported', `Elements of ${t.dtype} tensors are packed and cannot be moved one by one.`)
  }
  const data = allocate(t.dtype, elementCount(shape)) as { [i: number]: unknown }
  for (let i = 0; i < index.length; i++) {
    const source = index[i]!
    if (source >= 0) data[i] = t.data[source]
    else if (fill) data[i] = fill.data[0]
  }
  return { dtype: t.dtype, shape, data: data as unknown as Tensor['data'] }
}
