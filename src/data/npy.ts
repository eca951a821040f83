import { unzipSync } from 'fflate'
import { arrayLength, byteLength, type DType, type TypedArray } from '../base/dtype.ts'
import { messageOf, SinterError } from '../base/errors.ts'
import { elementCount, formatShape } from '../base/shape.ts'
import { allocate, type Tensor, tensor } from '../base/tensor.ts'
import { arrayOver, type ByteOrder } from './array-over.ts'

/** NumPy's type letters and sizes in bytes. */
const types: Readonly<Record<string, Exclude<DType, 'string'>>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  c8: 'complex64',
  c16: 'complex128',
}

/**
 * Reads one array saved by NumPy: format versions 1.0 to 3.0 of `numpy.lib.format`, either byte order; arrays in
 * Fortran order are turned into row-major order.
 * @param name what to call the file in errors.
 * @throws SinterError `invalid-data` where it is damaged, `not-supported` for text, dates, records and Python objects.
 */
export function parseNpy(bytes: Uint8Array, name: string): Tensor {
  const { descr, fortran, shape, end } = parseHeader(bytes, name)
  const [, sign = '', letters = ''] = /^([<>=|]?)(\w+)$/.exec(descr) ?? []
  const dtype = types[letters]
  if (!dtype) {
    const known = Object.values(types).join(', ')
    throw new SinterError('not-supported', `${name} holds '${descr}' elements; Sinter reads ${known}.`, {
      file: name,
      descr,
    })
  }
  const claimed = byteLength(dtype, elementCount(shape))
  const actual = bytes.length - end
  if (claimed !== actual) {
    throw invalid(name, `${dtype}${formatShape(shape)} takes ${claimed} bytes, but ${actual} follow the header`)
  }
  const order: ByteOrder = sign === '>' ? 'big' : 'little'
  const data = arrayOver(bytes.subarray(end), dtype, order) as never
  return fortran ? fromColumnMajor(dtype, shape, data) : tensor(dtype, shape, data)
}

/**
 * Reads the arrays of a `.npz` archive (`numpy.savez`, `numpy.savez_compressed`) by their names.
 * @throws SinterError as `parseNpy` does, and `invalid-data` where the archive is damaged.
 */
export function parseNpz(bytes: Uint8Array, name: string): Readonly<Record<string, Tensor>> {
  let files: Readonly<Record<string, Uint8Array>>
  try {
    files = unzipSync(bytes, {
      filter: file => {
        // The unpacker allocates what the archive claims; deflate cannot shrink below 1/1032 of it.
        if (file.originalSize > 1032 * file.size + 1032) throw new Error(`'${file.name}' claims an impossible size`)
        return file.name.endsWith('.npy')
      },
    })
  } catch (error) {
    throw invalid(name, `the archive cannot be unpacked: ${messageOf(error)}`, error)
  }
  return Object.fromEntries(
    Object.entries(files).map(([file, content]) => [
      file.slice(0, -'.npy'.length),
      parseNpy(content, `${name} (${file})`),
    ]),
  )
}

interface Header {
  readonly descr: string
  readonly fortran: boolean
  readonly shape: readonly number[]
  /** Where the elements start. */
  readonly end: number
}

/** The header is a Python dictionary literal with exactly three keys, after a magic string, a version and a length. */
function parseHeader(bytes: Uint8Array, name: string): Header {
  const magic = '\x93NUMPY'
  const major = bytes[6] ?? 0
  const start = major === 1 ? 10 : 12
  if ([...magic].some((char, i) => bytes[i] !== char.charCodeAt(0))) {
    throw invalid(name, 'it does not start as a .npy file does')
  }
  if (major < 1 || major > 3) throw invalid(name, `its format version is ${major}; 1, 2 and 3 are known`)
  if (start > bytes.length) throw invalid(name, 'it ends within its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const end = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (end > bytes.length) throw invalid(name, 'it ends within its header')
  const text = new TextDecoder().decode(bytes.subarray(start, end))

  const entry = (key: string, value: RegExp) => new RegExp(`['"]${key}['"]\\s*:\\s*${value.source}`).exec(text)?.[1]
  const descr = entry('descr', /(\[[\s\S]*?\]|'[^']*'|"[^"]*")/)
  const fortran = entry('fortran_order', /(True|False)/)
  const dims = entry('shape', /\(([\d\s,L]*)\)/)
  if (descr === undefined || fortran === undefined || dims === undefined) {
    throw invalid(name, `its header is not understood: ${text.trim().slice(0, 200)}`)
  }
  const shape = dims.split(',').flatMap(size => (size.trim() ? [Number.parseInt(size, 10)] : []))
  if (!Number.isSafeInteger(elementCount(shape))) throw invalid(name, `its shape ${formatShape(shape)} is impossible`)
  return { descr: descr.replace(/^['"]|['"]$/g, ''), fortran: fortran === 'True', shape, end }
}

/** The first index varies fastest in `data`; in the result the last one does. */
function fromColumnMajor<D extends DType>(dtype: D, shape: readonly number[], data: TypedArray): Tensor<D> {
  const count = elementCount(shape)
  const result = allocate(dtype, count) as TypedArray
  const width = arrayLength(dtype, 1) // complex numbers take two entries
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)))
  const index = shape.map(() => 0)
  for (let to = 0, from = 0; to < count; to++) {
    for (let part = 0; part < width; part++) result[to * width + part] = data[from * width + part]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return tensor(dtype, shape, result as never)
}

function invalid(name: string, reason: string, cause?: unknown): SinterError {
  return new SinterError('invalid-data', `${name} cannot be read as a NumPy file: ${reason}.`, { file: name }, cause)
}
