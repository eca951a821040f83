import { arrayOf, type DType, type TypedArray } from '../base/dtype.ts'
import type { TensorProto } from './generated/onnx_pb.ts'
import { numberLists } from './schema.ts'

/** A tensor's elements as the format's lists of numbers have them, not decoded yet. */
export interface TypedData {
  /** Which list it is; undefined if there is none. */
  readonly list: keyof typeof numberLists | undefined
  /** How many numbers it has. */
  readonly length: number
  /** Its numbers in an array of a type's own, cut to the type's bits, so that 200 and -56 are the same int8. */
  decode(dtype: DType): TypedArray
}

const names = new Map(
  Object.entries(numberLists).map(([name, number]) => [number as number, name as TypedData['list']]),
)
const fixedWidth: Readonly<Record<string, number>> = { float_data: 4, double_data: 8 }

/** The list that the standard has for a type's elements, where they are not raw bytes. */
export function listOf(dtype: DType): keyof typeof numberLists {
  if (dtype === 'float32' || dtype === 'complex64') return 'float_data'
  if (dtype === 'float64' || dtype === 'complex128') return 'double_data'
  if (dtype === 'int64') return 'int64_data'
  return dtype === 'uint32' || dtype === 'uint64' ? 'uint64_data' : 'int32_data'
}

/** The first list of numbers that a tensor has; a well-formed one has one at most. */
export function typedData(proto: TensorProto): TypedData {
  const fields = proto.$unknown?.filter(field => names.has(field.no)) ?? []
  const number = fields[0]?.no
  const list = names.get(number ?? 0)
  const pieces = fields
    .filter(field => field.no === number)
    .map(({ wireType, data }) => (wireType === 2 ? payload(data) : data))
  const bytes = pieces.length === 1 ? pieces[0]! : concatenate(pieces)
  const width = list && fixedWidth[list]
  return {
    list,
    length: width ? bytes.length / width : countVarints(bytes),
    decode: dtype => (width ? viewAs(dtype, bytes) : decodeVarints(dtype, bytes)),
  }
}

/** Bytes as an array of a type: a view where they are aligned, else a copy. */
export function viewAs(dtype: DType, bytes: Uint8Array): TypedArray {
  const ArrayClass = arrayOf(dtype)!
  const width = (ArrayClass as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes)
  return new ArrayClass(aligned.buffer, aligned.byteOffset, bytes.length / width)
}

/** What follows the length that a packed field begins with. */
function payload(data: Uint8Array): Uint8Array {
  return data.subarray(data.findIndex(byte => byte < 0x80) + 1)
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

function countVarints(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) if (byte < 0x80) count++
  return count
}

function decodeVarints(dtype: DType, bytes: Uint8Array): TypedArray {
  const count = countVarints(bytes)
  const wide = dtype === 'int64' || dtype === 'uint64'
  // 64-bit integers are written as their halves, low half first: making bigints of them would take far longer.
  const words = wide ? new Int32Array(2 * count) : undefined
  const array = words
    ? undefined
    : (new (arrayOf(dtype) as unknown as new (n: number) => TypedArray)(count) as Int32Array)
  for (let i = 0, at = 0; i < count; i++) {
    let low = 0
    let high = 0
    for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
      byte = bytes[at++]!
      const bits = byte & 0x7f
      if (shift < 32) low |= bits << shift
      if (shift > 28) high |= bits << (shift - 32)
      else if (shift === 28) high = bits >> 4
    }
    if (words) {
      words[2 * i] = low
      words[2 * i + 1] = high
    } else array![i] = dtype === 'bool' ? Number((low | high) !== 0) : low
  }
  return words ? viewAs(dtype, new Uint8Array(words.buffer)) : array!
}
