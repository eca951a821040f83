import { arrayLength, arrayOf, byteLength, type DType } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount } from '../base/shape.ts'
import { bytesOf, type Tensor } from '../base/tensor.ts'

/** Element types by safetensors' names. */
const names: readonly (readonly [string, DType])[] = [
  ['F32', 'float32'],
  ['F64', 'float64'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I8', 'int8'],
  ['I16', 'int16'],
  ['I32', 'int32'],
  ['I64', 'int64'],
  ['U8', 'uint8'],
  ['U16', 'uint16'],
  ['U32', 'uint32'],
  ['U64', 'uint64'],
  ['BOOL', 'bool'],
]
const nameOf = new Map(names.map(([name, dtype]) => [dtype, name]))
const dtypeOf = new Map(names)

/** A header larger than this is not one (the reference implementation's limit). */
const headerLimit = 100_000_000

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: Readonly<Record<string, string>>
}

/** Tensors and texts as a safetensors file (little-endian, 8-byte aligned). */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  // Widest elements first: then every tensor starts at a multiple of its element's size.
  const entries = [...tensors].sort(([, a], [, b]) => byteLength(b.dtype, 1) - byteLength(a.dtype, 1))
  let offset = 0
  for (const [name, { dtype, shape }] of entries) {
    const kind = nameOf.get(dtype)
    if (!kind)
      throw new SinterError('not-supported', `safetensors has no type for the ${dtype} tensor '${name}'.`, {
        name,
        dtype,
      })
    const end = offset + byteLength(dtype, elementCount(shape))
    header[name] = { dtype: kind, shape, data_offsets: [offset, end] }
    offset = end
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const start = 8 + Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(start + offset).fill(0x20, 8, start)
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true)
  file.set(text, 8)
  let at = start
  for (const [, value] of entries) {
    const bytes = bytesOf(value)
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

/**
 * Reads a safetensors file; tensors are views on its bytes.
 * @throws SinterError `invalid-data` if the file is damaged or not one.
 */
export function decodeSafetensors(file: Uint8Array, source = 'the file'): Safetensors {
  const bad = (what: string) =>
    new SinterError('invalid-data', `${source} is not a valid safetensors file: ${what}.`, { source })
  if (file.length < 8) throw bad('it is shorter than its header')
  const bytes = file.byteOffset % 8 === 0 ? file : file.slice()
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  if (length > headerLimit || 8 + length > bytes.length) throw bad('its header is longer than the file')
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)))
  } catch {
    throw bad('its header is not JSON')
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw bad('its header is not an object')
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, unknown>
  const data = bytes.subarray(8 + length)
  const tensors = new Map(Object.entries(entries).map(([name, entry]) => [name, tensorAt(name, entry, data, bad)]))
  return { tensors, metadata: metadata as Record<string, string> }
}

function tensorAt(name: string, entry: unknown, data: Uint8Array, bad: (what: string) => SinterError): Tensor {
  const {
    dtype: kind,
    shape,
    data_offsets: offsets,
  } = (entry ?? {}) as { dtype?: string; shape?: number[]; data_offsets?: number[] }
  const dtype = dtypeOf.get(kind ?? '')
  const whole = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every(n => Number.isSafeInteger(n) && n >= 0)
  if (!dtype || !whole(shape) || !whole(offsets) || offsets.length !== 2)
    throw bad(`the entry of '${name}' is malformed`)
  const [begin, end] = offsets as [number, number]
  const elements = elementCount(shape)
  if (begin > end || end > data.length || end - begin !== byteLength(dtype, elements))
    throw bad(`the data of '${name}' does not fit its shape`)
  const own = data.subarray(begin, end)
  const TypedArray = arrayOf(dtype)!
  const aligned = own.byteOffset % byteLength(dtype, 1) === 0 ? own : own.slice()
  return {
    dtype,
    shape,
    data: new TypedArray(aligned.buffer, aligned.byteOffset, arrayLength(dtype, elements)),
  } as Tensor
}
