import {
  arrayLength,
  arrayOf,
  byteLength,
  type DataOf,
  type DType,
  type NumberDType,
  type TypedArray,
} from './dtype.ts'
import { SinterError } from './errors.ts'
import { elementCount, formatShape } from './shape.ts'

/** Dense numbers (or strings) of one type, row-major. Shared by reference everywhere, so never written to once made. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D
  readonly shape: readonly number[]
  readonly data: DataOf[D]
}

/** Wraps an array without copying it, after checking that its length is what the shape asks for. */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: DataOf[D]): Tensor<D> {
  const expected = arrayLength(dtype, elementCount(shape))
  if (data.length !== expected) {
    throw new SinterError(
      'invalid-argument',
      `A ${dtype} tensor of shape ${formatShape(shape)} needs ${expected} array elements, not ${data.length}.`,
      { dtype, shape, expected, actual: data.length },
    )
  }
  return { dtype, shape, data }
}

/**
 * A tensor whose data is read when it is first asked for, and again should nothing have held on to it in between.
 * `read` must give the same elements each time.
 */
export function lazyTensor<D extends DType>(dtype: D, shape: readonly number[], read: () => DataOf[D]): Tensor<D> {
  const bytes = dtype === 'string' ? 0 : byteLength(dtype, elementCount(shape))
  let loaded: WeakRef<DataOf[D] & object> | undefined
  return {
    dtype,
    shape,
    get data() {
      if (bytes >= heavyBytes) return recentOr(read)
      const data = loaded?.deref() ?? read()
      loaded = new WeakRef(data)
      return data
    },
  }
}

/**
 * From here on data is held by `recent` alone: a WeakRef keeps what it was asked for until the code that runs returns, and
 * a pass over all weights does not return in between.
 */
const heavyBytes = 2 ** 20

/** What was read last, by what reads it. */
const recent: { readonly read: () => unknown; readonly data: unknown }[] = []

function recentOr<T>(read: () => T): T {
  const at = recent.findIndex(one => one.read === read)
  const [found] = at < 0 ? [{ read, data: read() }] : recent.splice(at, 1)
  recent.unshift(found!)
  recent.length = Math.min(recent.length, 2)
  return found!.data as T
}

/**
 * A tensor computed of others: kept where these are in memory, and made again when it is asked for where one of them has to
 * be read. `make` must give the same elements each time.
 */
export function derivedTensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  from: readonly Tensor[],
  make: () => DataOf[D],
): Tensor<D> {
  return from.some(isLazy) ? lazyTensor(dtype, shape, make) : tensor(dtype, shape, make())
}

/** Whether a tensor's data would still have to be read. */
export function isLazy(t: Tensor): boolean {
  return Object.getOwnPropertyDescriptor(t, 'data')?.get !== undefined
}

/** A tensor of zeros (empty strings for `string`). */
export function zeros<D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> {
  return { dtype, shape, data: allocate(dtype, elementCount(shape)) }
}

/**
 * A tensor with one value everywhere, rounded to the type.
 * @throws SinterError as `fromNumbers` does.
 */
export function full<D extends DType>(dtype: D, shape: readonly number[], value: number): Tensor<D> {
  const made = zeros(dtype, shape)
  const [rounded] = fromNumbers(dtype, [1], [value]).data as unknown as readonly [never]
  ;(made.data as unknown as Float32Array).fill(rounded)
  return made
}

/** A rank-0 tensor. */
export function scalar<D extends DType>(dtype: D, value: number): Tensor<D> {
  return full(dtype, [], value)
}

/** A 1-D int64 tensor, the way ONNX wants axes, shapes and pads. */
export function int64s(values: readonly number[]): Tensor<'int64'> {
  return { dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values, v => BigInt(v)) }
}

export function float32s(shape: readonly number[], values: ArrayLike<number>): Tensor<'float32'> {
  return tensor('float32', shape, values instanceof Float32Array ? values : Float32Array.from(values))
}

export function allocate<D extends DType>(dtype: D, elements: number): DataOf[D] {
  const length = arrayLength(dtype, elements)
  const array = arrayOf(dtype) as (new (length: number) => TypedArray) | undefined
  return (array ? new array(length) : new Array<string>(length).fill('')) as DataOf[D]
}

/** The same elements under another shape, without a copy. */
export function reshape<D extends DType>(t: Tensor<D>, shape: readonly number[]): Tensor<D> {
  return tensor(t.dtype, shape, t.data)
}

/** Bytes that the elements take in a file. */
export function tensorBytes(t: Tensor): number {
  if (t.dtype !== 'string') return byteLength(t.dtype, elementCount(t.shape))
  return (t.data as readonly string[]).reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0)
}

/** Raw bytes of the elements, as a view on the same memory. Strings have none. */
export function bytesOf(t: Tensor): Uint8Array {
  if (Array.isArray(t.data)) throw new SinterError('invalid-argument', 'A string tensor has no raw bytes.')
  const { buffer, byteOffset, byteLength: length } = t.data as TypedArray
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, length)
}

/**
 * The elements as JavaScript numbers. Integers of 64 bits are converted (exactly up to 2^53); 16-bit floats are decoded.
 * @throws SinterError `not-supported` for strings, complex, packed and 8-bit float types.
 */
export function numbers(t: Tensor): ArrayLike<number> {
  const { dtype, data } = t
  if (is64Bit(dtype)) return Array.from(data as BigInt64Array, Number)
  if (isHalf(dtype)) return Float32Array.from(data as Uint16Array, bits => halfValue(dtype, bits))
  if (isNumber(dtype)) return data as Float32Array
  throw new SinterError('not-supported', `A ${dtype} tensor cannot be read as numbers.`, { dtype })
}

/**
 * Makes a tensor of a type from JavaScript numbers, rounding to it: integers towards 0, and for bool, all but 0 is true.
 * @throws SinterError `invalid-argument` if there are more or fewer numbers than the shape asks for, or one of them is
 *   NaN or infinite where the type is a 64-bit integer; `not-supported` for types that `numbers` does not read.
 */
export function fromNumbers<D extends DType>(dtype: D, shape: readonly number[], values: ArrayLike<number>): Tensor<D> {
  const made = zeros(dtype, shape)
  const { data } = made as { readonly data: unknown }
  const count = elementCount(shape)
  if (values.length !== count) {
    const message = `A tensor of shape ${formatShape(shape)} needs ${count} numbers, not ${values.length}.`
    throw new SinterError('invalid-argument', message, { dtype, shape, expected: count, actual: values.length })
  }
  if (is64Bit(dtype)) write(data as BigInt64Array, values, value => wholeOf(value, dtype))
  else if (isHalf(dtype)) write(data as Uint16Array, values, value => halfBits(dtype, value))
  else if (dtype === 'bool') write(data as Uint8Array, values, value => (value === 0 ? 0 : 1))
  else if (isNumber(dtype)) (data as Float32Array).set(values)
  else throw new SinterError('not-supported', `A ${dtype} tensor cannot be made from numbers.`, { dtype })
  return made
}

function write<T>(data: { [index: number]: T }, values: ArrayLike<number>, convert: (value: number) => T): void {
  for (let i = 0; i < values.length; i++) data[i] = convert(values[i]!)
}

function wholeOf(value: number, dtype: DType): bigint {
  if (Number.isFinite(value)) return BigInt(Math.trunc(value))
  throw new SinterError('invalid-argument', `${value} has no place in a tensor of type ${dtype}.`, { value, dtype })
}

function is64Bit(dtype: DType): dtype is 'int64' | 'uint64' {
  return dtype === 'int64' || dtype === 'uint64'
}

function isHalf(dtype: DType): dtype is 'float16' | 'bfloat16' {
  return dtype === 'float16' || dtype === 'bfloat16'
}

const numberTypes: ReadonlySet<DType> = new Set<NumberDType>([
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'uint8',
  'uint16',
  'uint32',
  'bool',
])

function isNumber(dtype: DType): dtype is NumberDType {
  return numberTypes.has(dtype)
}

/** 16-bit floats: bits of the fraction, and what is added to the exponent to store it (IEEE 754 binary16; bfloat16). */
const halfFormats = { float16: { fraction: 10, bias: 15 }, bfloat16: { fraction: 7, bias: 127 } } as const

/** The number that 16 bits stand for. */
export function halfValue(dtype: 'float16' | 'bfloat16', bits: number): number {
  const { fraction, bias } = halfFormats[dtype]
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits & 0x7fff) >> fraction
  const rest = bits & (2 ** fraction - 1)
  if (exponent === 2 * bias + 1) return rest ? Number.NaN : sign * Number.POSITIVE_INFINITY
  // Numbers below the smallest exponent have its spacing, and no leading 1.
  const significand = exponent === 0 ? rest : rest + 2 ** fraction
  return sign * significand * 2 ** (Math.max(exponent, 1) - bias - fraction)
}

/** The nearest 16-bit float's bits, ties to even; what lies half a step beyond the largest number is infinite. */
export function halfBits(dtype: 'float16' | 'bfloat16', value: number): number {
  const { fraction, bias } = halfFormats[dtype]
  const infinity = (2 * bias + 1) << fraction
  if (Number.isNaN(value)) return infinity | (1 << (fraction - 1))
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), 1 - bias)
  if (exponent > bias) return sign | infinity
  // In units of the spacing of representable numbers around the value.
  const scaled = magnitude * 2 ** (fraction - exponent)
  const floor = Math.floor(scaled)
  const up = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 === 1)
  // Rounding up to the next power of two carries into the exponent, as it should.
  return sign | (((exponent + bias - 1) << fraction) + floor + (up ? 1 : 0))
}
