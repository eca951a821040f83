/** Element types, by the names that the ONNX standard and NumPy use. */
export const dtypes = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
  'complex64',
  'complex128',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'float8e8m0',
  'float4e2m1',
  'int4',
  'uint4',
  'int2',
  'uint2',
] as const

export type DType = (typeof dtypes)[number]

/**
 * How the elements of each type are held in memory. Types that JavaScript has no array for are held as
 * their bits: 16-bit floats in a Uint16Array, 8-bit floats in a Uint8Array, 4- and 2-bit types packed as ONNX
 * packs them (low bits first), complex numbers as interleaved real and imaginary parts.
 */
export interface DataOf {
  float32: Float32Array
  float64: Float64Array
  float16: Uint16Array
  bfloat16: Uint16Array
  int8: Int8Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  uint8: Uint8Array
  uint16: Uint16Array
  uint32: Uint32Array
  uint64: BigUint64Array
  bool: Uint8Array
  string: readonly string[]
  complex64: Float32Array
  complex128: Float64Array
  float8e4m3fn: Uint8Array
  float8e4m3fnuz: Uint8Array
  float8e5m2: Uint8Array
  float8e5m2fnuz: Uint8Array
  float8e8m0: Uint8Array
  float4e2m1: Uint8Array
  int4: Uint8Array
  uint4: Uint8Array
  int2: Uint8Array
  uint2: Uint8Array
}

export type TypedArray = Exclude<DataOf[DType], readonly string[]>
type TypedArrayConstructor = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TypedArray

interface Storage {
  /** Bits per element as ONNX stores it. */
  readonly bits: number
  /** Array elements per tensor element, where that is a whole number. */
  readonly array: TypedArrayConstructor | undefined
}

const storage: Readonly<Record<DType, Storage>> = {
  float32: { bits: 32, array: Float32Array },
  float64: { bits: 64, array: Float64Array },
  float16: { bits: 16, array: Uint16Array },
  bfloat16: { bits: 16, array: Uint16Array },
  int8: { bits: 8, array: Int8Array },
  int16: { bits: 16, array: Int16Array },
  int32: { bits: 32, array: Int32Array },
  int64: { bits: 64, array: BigInt64Array },
  uint8: { bits: 8, array: Uint8Array },
  uint16: { bits: 16, array: Uint16Array },
  uint32: { bits: 32, array: Uint32Array },
  uint64: { bits: 64, array: BigUint64Array },
  bool: { bits: 8, array: Uint8Array },
  string: { bits: 0, array: undefined },
  complex64: { bits: 64, array: Float32Array },
  complex128: { bits: 128, array: Float64Array },
  float8e4m3fn: { bits: 8, array: Uint8Array },
  float8e4m3fnuz: { bits: 8, array: Uint8Array },
  float8e5m2: { bits: 8, array: Uint8Array },
  float8e5m2fnuz: { bits: 8, array: Uint8Array },
  float8e8m0: { bits: 8, array: Uint8Array },
  float4e2m1: { bits: 4, array: Uint8Array },
  int4: { bits: 4, array: Uint8Array },
  uint4: { bits: 4, array: Uint8Array },
  int2: { bits: 2, array: Uint8Array },
  uint2: { bits: 2, array: Uint8Array },
}

/** Bytes that `elements` elements of a type take in an ONNX file; 0 for strings, whose size depends on the text. */
export function byteLength(dtype: DType, elements: number): number {
  return Math.ceil((storage[dtype].bits * elements) / 8)
}

/** The array class that holds a type's elements; undefined for strings. */
export function arrayOf(dtype: DType): TypedArrayConstructor | undefined {
  return storage[dtype].array
}

/** How many entries of the array hold `elements` elements: complex types take two each, packed types share bytes. */
export function arrayLength(dtype: DType, elements: number): number {
  const { bits, array } = storage[dtype]
  if (!array) return elements
  const { BYTES_PER_ELEMENT } = array as unknown as { BYTES_PER_ELEMENT: number }
  return Math.ceil((elements * bits) / 8 / BYTES_PER_ELEMENT)
}

/** Types whose elements are plain numbers in a JavaScript typed array. */
export type NumberDType = 'float32' | 'float64' | 'int8' | 'int16' | 'int32' | 'uint8' | 'uint16' | 'uint32' | 'bool'

export function isFloat(dtype: DType): boolean {
  return /^b?float/.test(dtype)
}

export function isInteger(dtype: DType): boolean {
  return /^u?int/.test(dtype)
}
