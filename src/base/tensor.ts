import { arrayLength, arrayOf, byteLength, type DataOf, type DType, type TypedArray } from './dtype.ts'
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
  let loaded: WeakRef<DataOf[D] & object> | undefined
  return {
    dtype,
    shape,
    get data() {
      const data = loaded?.deref() ?? read()
      loaded = new WeakRef(data)
      return data
    },
  }
}

/** Whether a tensor's data would still have to be read. */
export function isLazy(t: Tensor): boolean {
  return Object.getOwnPropertyDescriptor(t, 'data')?.get !== undefined
}

/** A tensor of zeros (empty strings for `string`). */
export function zeros<D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> {
  return { dtype, shape, data: allocate(dtype, elementCount(shape)) }
}

/** A tensor with one value everywhere; the value is rounded to the type. */
export function full<D extends DType>(dtype: D, shape: readonly number[], value: number): Tensor<D> {
  const { data } = zeros(dtype, shape)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(Math.trunc(value)))
  else if (dtype === 'float16' || dtype === 'bfloat16') (data as Uint16Array).fill(halfBits(dtype, value))
  else (data as Float32Array).fill(value)
  return { dtype, shape, data }
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
  switch (dtype) {
    case 'int64':
    case 'uint64':
      return Array.from(data as BigInt64Array, Number)
    case 'float16':
    case 'bfloat16':
      return Float32Array.from(data as Uint16Array, bits => halfValue(dtype, bits))
    case 'string':
    case 'complex64':
    case 'complex128':
    case 'float8e4m3fn':
    case 'float8e4m3fnuz':
    case 'float8e5m2':
    case 'float8e5m2fnuz':
    case 'float8e8m0':
    case 'float4e2m1':
    case 'int4':
    case 'uint4':
    case 'int2':
    case 'uint2':
      throw new SinterError('not-supported', `A ${dtype} tensor cannot be read as numbers.`, { dtype })
    default:
      return data as Float32Array
  }
}

/** Makes a tensor of a type from JavaScript numbers, rounding to it. */
export function fromNumbers<D extends DType>(dtype: D, shape: readonly number[], values: ArrayLike<number>): Tensor<D> {
  const { data } = zeros(dtype, shape)
  if (data.length !== values.length) return tensor(dtype, shape, { length: values.length } as DataOf[D])
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < values.length; i++) data[i] = BigInt(Math.trunc(values[i]!))
  } else if (dtype === 'float16' || dtype === 'bfloat16') {
    for (let i = 0; i < values.length; i++) (data as Uint16Array)[i] = halfBits(dtype, values[i]!)
  } else {
    ;(data as Float32Array).set(values)
  }
  return { dtype, shape, data }
}

const scratch = new DataView(new ArrayBuffer(4))

/** The number that 16 bits stand for (IEEE 754 binary16, or bfloat16: the upper half of a float32). */
export function halfValue(dtype: 'float16' | 'bfloat16', bits: number): number {
  if (dtype === 'bfloat16') {
    scratch.setUint32(0, bits << 16)
    return scratch.getFloat32(0)
  }
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The nearest 16-bit float's bits, ties to even. */
export function halfBits(dtype: 'float16' | 'bfloat16', value: number): number {
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  if (dtype === 'bfloat16') {
    if (Number.isNaN(value)) return 0x7fc0
    return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
  }
  const sign = (bits >>> 16) & 0x8000
  if (Number.isNaN(value)) return 0x7e00
  const magnitude = Math.abs(value)
  if (magnitude >= 65520) return sign | 0x7c00
  // Scale so that one unit is the spacing of representable numbers around the value, then round to even there.
  const exponent = Math.max(Math.floor(Math.log2(magnitude || 2 ** -24)), -14)
  const scaled = magnitude / 2 ** (exponent - 10)
  const floor = Math.floor(scaled)
  const rounded = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 === 1) ? floor + 1 : floor
  return sign | (exponent === -14 ? rounded : ((exponent + 14) << 10) + rounded)
}
