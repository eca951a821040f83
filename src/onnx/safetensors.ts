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

const metadataName = '__metadata__'

/**
 * Tensors and texts as a safetensors file (little-endian, 8-byte aligned).
 * @throws SinterError `not-supported` for a tensor of a type, or of a name, that the format has no place for.
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const header = new Map<string, unknown>([[metadataName, metadata]])
  // Widest elements first: then every tensor starts at a multiple of its element's size.
  const entries = [...tensors].sort(([, a], [, b]) => byteLength(b.dtype, 1) - byteLength(a.dtype, 1))
  let offset = 0
  for (const [name, { dtype, shape }] of entries) {
    if (name === metadataName)
      throw new SinterError('not-supported', `safetensors keeps the name '${name}' for itself: rename the tensor.`, {
        name,
      })
    const kind = nameOf.get(dtype)
    if (!kind)
      throw new SinterError('not-supported', `safetensors has no type for the ${dtype} tensor '${name}'.`, {
        name,
        dtype,
      })
    const end = offset + byteLength(dtype, elementCount(shape))
    header.set(name, { dtype: kind, shape, data_offsets: [offset, end] })
    offset = end
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
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
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
  if (length > headerLimit) throw bad(`its header of ${length} bytes is longer than any can be`)
  if (8 + length > file.length) throw bad('its header is longer than the file')
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + length)))
  } catch {
    throw bad('its header is not JSON')
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw bad('its header is not an object')
  const { [metadataName]: metadata = {}, ...entries } = header as Record<string, unknown>
  if (!isTexts(metadata)) throw bad('its metadata is not texts by name')
  const data = file.subarray(8 + length)
  const found = Object.entries(entries).map(([name, entry]) => tensorAt(name, entry, data, bad))
  // As the format asks: every byte is in one tensor. A file that was cut or joined does not pass for a whole one.
  let end = 0
  for (const { range } of found.toSorted((a, b) => a.range[0] - b.range[0] || a.range[1] - b.range[1])) {
    if (range[0] !== end) throw bad('its tensors overlap, or leave bytes between them')
    end = range[1]
  }
  if (end !== data.length) throw bad('there are bytes behind its tensors')
  return { tensors: new Map(found.map(({ name, value }) => [name, value])), metadata }
}

function isTexts(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every(text => typeof text === 'string')
}

interface Found {
  readonly name: string
  readonly value: Tensor
  readonly range: readonly [begin: number, end: number]
}

function tensorAt(name: string, entry: unknown, data: Uint8Array, bad: (what: string) => SinterError): Found {
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
  // Not `slice`: that of a Buffer is a view.
  const aligned = own.byteOffset % byteLength(dtype, 1) === 0 ? own : new Uint8Array(own)
  const view = new TypedArray(aligned.buffer, aligned.byteOffset, arrayLength(dtype, elements))
  return { name, value: { dtype, shape, data: view } as Tensor, range: [begin, end] }
}
