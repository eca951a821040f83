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
  const index = new Int32Array(elementCount(shape))
  eachRun(shape, broadcastStrides(shape, from), 0, (at, source, count, step) => {
    for (let i = 0; i < count; i++) index[at + i] = source + i * step
  })
  return index
}

/** How far apart neighbours lie in a tensor of shape `from` that is broadcast to `shape`: 0 where an axis repeats it. */
export function broadcastStrides(shape: readonly number[], from: readonly number[]): number[] {
  const lead = shape.length - from.length
  const strides = stridesOf(from)
  return shape.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : strides[axis - lead]!))
}

/**
 * Walks a shape in row-major order in runs along its last axis, for data that lies `strides` apart from `offset` on. Axes
 * that lie in memory as one are walked as one, so that what is in one piece comes in long runs.
 */
export function eachRun(
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  visit: (at: number, source: number, count: number, step: number) => void,
): void {
  const total = elementCount(shape)
  if (total === 0) return
  const sizes: number[] = []
  const steps: number[] = []
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue
    if (sizes.length > 0 && steps.at(-1) === strides[axis]! * size) {
      sizes[sizes.length - 1]! *= size
      steps[steps.length - 1] = strides[axis]!
    } else {
      sizes.push(size)
      steps.push(strides[axis]!)
    }
  }
  const count = sizes.pop() ?? 1
  const step = steps.pop() ?? 0
  const position = new Int32Array(sizes.length)
  let source = offset
  for (let at = 0; at < total; at += count) {
    visit(at, source, count, step)
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      source += steps[axis]!
      if (++position[axis]! < sizes[axis]!) break
      source -= sizes[axis]! * steps[axis]!
      position[axis] = 0
    }
  }
}

/** The tensor of a shape whose neighbours lie `strides` apart in another's data, from `offset` on. Any unpacked type. */
export function strided(t: Tensor, shape: readonly number[], strides: readonly number[], offset = 0): Tensor {
  refusePacked(t)
  const data = allocate(t.dtype, elementCount(shape)) as { [i: number]: unknown }
  const from = t.data
  eachRun(shape, strides, offset, (at, source, count, step) => {
    if (step === 1) copyRun(from, source, data, at, count)
    else for (let i = 0; i < count; i++) data[at + i] = from[source + i * step]
  })
  return { dtype: t.dtype, shape, data: data as unknown as Tensor['data'] }
}

/** Copies `count` neighbouring elements into an array of the same kind. */
export function copyRun(from: ArrayLike<unknown>, source: number, to: object, at: number, count: number): void {
  const data = to as { [i: number]: unknown }
  if (count > 32 && !Array.isArray(from)) {
    ;(to as Float32Array).set((from as Float32Array).subarray(source, source + count), at)
  } else {
    for (let i = 0; i < count; i++) data[at + i] = from[source + i]
  }
}

/** @throws SinterError `not-supported` for types whose elements share bytes, or are pairs. */
export function refusePacked({ dtype }: Tensor): void {
  if (!packed.has(dtype)) return
  throw new SinterError('not-supported', `Elements of ${dtype} tensors are packed and cannot be moved one by one.`)
}

/** A tensor whose elements are others of `t` (`fill`, a one-element tensor, where the source is -1). Any unpacked type. */
export function take(t: Tensor, shape: readonly number[], index: ArrayLike<number>, fill?: Tensor): Tensor {
  refusePacked(t)
  const { data: from } = t
  const data = allocate(t.dtype, elementCount(shape)) as { [i: number]: unknown }
  for (let i = 0; i < index.length; i++) {
    const source = index[i]!
    if (source >= 0) data[i] = from[source]
    else if (fill) data[i] = fill.data[0]
  }
  return { dtype: t.dtype, shape, data: data as unknown as Tensor['data'] }
}
