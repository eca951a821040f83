import { arrayLength, byteLength, type DataOf, type DType } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatShape } from '../base/shape.ts'
import { lazyTensor, type Tensor } from '../base/tensor.ts'
import type { SparseTensor } from '../graph/graph.ts'
import { dtypeOf } from './dtypes.ts'
import {
  type SparseTensorProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
} from './generated/onnx_pb.ts'
import { type ExternalData, invalid, quote, type Reading, unsupported } from './reading.ts'
import { recordOf, restOf } from './rest.ts'
import { isNumberList, SparseTensorSchema, TensorSchema } from './schema.ts'
import { listOf, typedData, viewAs } from './typed-data.ts'

/** What of a tensor is not its dtype, shape and data: its name and documentation. */
export const tensorRest = restOf(
  TensorSchema,
  ['dims', 'dataType', 'segment', 'stringData', 'rawData', 'externalData', 'dataLocation'],
  isNumberList,
)

const sparseOnlyRest = restOf(SparseTensorSchema, ['values', 'indices', 'dims'])

/** The same for a sparse tensor, its name being that of its values; `more` overrides. */
export function sparseRest(proto: SparseTensorProto, more?: Partial<SparseTensorProto>): SparseTensorProto | undefined {
  const values = proto.values && tensorRest(proto.values)
  const indices = proto.indices && tensorRest(proto.indices)
  if (!values && !indices && !more) return sparseOnlyRest(proto)
  return sparseOnlyRest(proto, { ...(values && { values }), ...(indices && { indices }), ...more })
}

/**
 * A tensor whose data is a view on the file's bytes where they are aligned and in the form that memory has; a copy
 * otherwise. External data is looked up now and read when it is first used.
 */
export function decodeTensor(reading: Reading, proto: TensorProto, where: string): Tensor {
  const known = reading.tensors.get(proto)
  if (known) return known
  const tensor = decodeNew(reading, proto, where)
  reading.tensors.set(proto, tensor)
  return tensor
}

function decodeNew(reading: Reading, proto: TensorProto, where: string): Tensor {
  const place = proto.name === '' ? where : `${where} ${quote(proto.name)}`
  if (proto.segment) throw unsupported(reading, place, 'is one segment of a tensor, which nothing writes any more')
  const dtype = decodeDType(reading, proto.dataType, place)
  const shape = decodeDims(reading, proto.dims, place)
  const count = countElements(reading, shape, place)
  if (isExternal(reading, proto, place)) return decodeExternal(reading, proto, dtype, shape, count, place)
  const claim = (found: number, unit: string, expected: number) => {
    if (found !== expected)
      throw invalid(reading, place, `holds ${found} ${unit} where ${dtype}${formatShape(shape)} has ${expected}`)
  }
  if (dtype === 'string') {
    claim(proto.stringData.length, 'strings', count)
    return { dtype, shape, data: proto.stringData.map((bytes, i) => decodeText(reading, bytes, `${place} text ${i}`)) }
  }
  const typed = typedData(proto)
  if (Object.hasOwn(proto, 'rawData') && (proto.rawData.length > 0 || typed.length === 0)) {
    if (typed.length > 0) throw invalid(reading, place, 'holds its data twice, raw and typed')
    claim(proto.rawData.length, 'bytes', byteLength(dtype, count))
    return { dtype, shape, data: viewAs(dtype, proto.rawData) as DataOf[DType] }
  }
  if (typed.length > 0 && typed.list !== listOf(dtype))
    throw invalid(reading, place, `is ${dtype}, but holds its data in ${typed.list} instead of ${listOf(dtype)}`)
  claim(typed.length, 'values', arrayLength(dtype, count))
  return { dtype, shape, data: typed.decode(dtype) as DataOf[DType] }
}

/** A tensor in coordinate format. The coordinates themselves are not looked at. */
export function decodeSparse(reading: Reading, proto: SparseTensorProto, where: string): SparseTensor {
  if (!proto.values || !proto.indices) throw invalid(reading, where, 'lacks its values or its indices')
  const indices = decodeTensor(reading, proto.indices, `${where}.indices`)
  if (indices.dtype !== 'int64') throw invalid(reading, `${where}.indices`, `are ${indices.dtype}, not int64`)
  return {
    shape: decodeDims(reading, proto.dims, where),
    values: decodeTensor(reading, proto.values, `${where}.values`),
    indices: indices as Tensor<'int64'>,
  }
}

function decodeDType(reading: Reading, dataType: number, place: string): DType {
  const dtype = dtypeOf(dataType)
  if (dtype) return dtype
  if (dataType === TensorProto_DataType.FLOAT6E2M3 || dataType === TensorProto_DataType.FLOAT6E3M2)
    throw unsupported(reading, place, 'holds 6-bit floats, which Sinter has no type for')
  throw invalid(reading, place, dataType === 0 ? 'has no element type' : `has an unknown element type, ${dataType}`)
}

function decodeDims(reading: Reading, dims: readonly bigint[], place: string): readonly number[] {
  return dims.map(dim => {
    const size = Number(dim)
    if (size < 0 || !Number.isSafeInteger(size)) throw invalid(reading, place, `has a dimension of size ${dim}`)
    return size
  })
}

function countElements(reading: Reading, shape: readonly number[], place: string): number {
  if (shape.includes(0)) return 0
  let count = 1
  // Complex numbers take 16 bytes each: the number of bytes must stay exact, too.
  for (const size of shape) {
    count *= size
    if (count > Number.MAX_SAFE_INTEGER / 16)
      throw invalid(reading, place, `claims more elements than any file holds, ${formatShape(shape)}`)
  }
  return count
}

/** Bytes that the standard says are UTF-8. */
export function decodeText(reading: Reading, bytes: Uint8Array, where: string): string {
  const text = utf8(bytes)
  if (text === undefined) throw invalid(reading, where, 'is not valid UTF-8')
  return text
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as text; undefined if they are not UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}

function isExternal(reading: Reading, proto: TensorProto, place: string): boolean {
  // An enum value that the format does not have is among the unknown fields.
  if (proto.$unknown?.some(field => field.no === 14)) throw invalid(reading, place, 'has an unknown data location')
  return proto.dataLocation === TensorProto_DataLocation.EXTERNAL
}

function decodeExternal<D extends DType>(
  reading: Reading,
  proto: TensorProto,
  dtype: D,
  shape: readonly number[],
  count: number,
  place: string,
): Tensor<D> {
  const { location, offset = '0', length } = recordOf(proto.externalData)
  if (!location) throw invalid(reading, place, 'has external data, but does not say in which file')
  if (dtype === 'string') throw invalid(reading, place, 'has external data, which strings cannot have')
  if (!reading.external) {
    throw new SinterError(
      'invalid-argument',
      `${reading.file}: the data of ${place} is in a file of its own, ${quote(location)}. ` +
        "Read the model by its path, or pass the option 'external' that finds that file's bytes.",
      { file: reading.file, where: place, location },
    )
  }
  const expected = byteLength(dtype, count)
  const from = wholeNumber(offset)
  if (from === undefined) throw invalid(reading, place, `has external data at the offset ${quote(offset)}`)
  if (length !== undefined && wholeNumber(length) !== expected) {
    throw invalid(
      reading,
      place,
      `has ${quote(length)} bytes of external data; ${dtype}${formatShape(shape)} has ${expected}`,
    )
  }
  const found = reading.external(location)
  const source = found instanceof Uint8Array ? sourceOf(found) : found
  if (from + expected > source.byteLength) {
    throw invalid(
      reading,
      place,
      `has its data at bytes ${from} to ${from + expected} of ${quote(location)}, which has ${source.byteLength} bytes`,
    )
  }
  return lazyTensor(dtype, shape, () => viewAs(dtype, source.read(from, expected)) as DataOf[D])
}

function sourceOf(bytes: Uint8Array): ExternalData {
  return { byteLength: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) }
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
