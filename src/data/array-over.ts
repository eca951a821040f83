import { arrayOf, type DType, type TypedArray } from '../base/dtype.ts'

export type ByteOrder = 'little' | 'big'

/**
 * The elements that a file holds as raw bytes: a view of them where they are aligned and in this machine's order
 * (little-endian, as on everything onnxruntime runs on), else a copy.
 * @param bytes a whole number of array entries of the type.
 */
export function arrayOver(bytes: Uint8Array, dtype: Exclude<DType, 'string'>, order: ByteOrder): TypedArray {
  const array = arrayOf(dtype) as unknown as typeof Uint8Array // any of them: the elements are only passed on
  const width = array.BYTES_PER_ELEMENT
  const foreign = order === 'big' && width > 1
  const own = foreign || bytes.byteOffset % width ? bytes.slice() : bytes
  if (foreign) {
    for (let start = 0; start < own.length; start += width) own.subarray(start, start + width).reverse()
  }
  return new array(own.buffer as ArrayBuffer, own.byteOffset, own.length / width)
}
