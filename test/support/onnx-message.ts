import {
  clearField,
  create,
  type DescMessage,
  fromBinary,
  isFieldSet,
  type Message,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf'
import { SinterError } from '../../src/base/errors.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  type GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  type TensorProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts'

export type ModelInit = Exclude<MessageInitShape<typeof ModelProtoSchema>, ModelProto>
export type GraphInit = Exclude<MessageInitShape<typeof GraphProtoSchema>, GraphProto>
export type TensorInit = Exclude<MessageInitShape<typeof TensorProtoSchema>, TensorProto>

/** The bytes of a model as the protobuf library writes it: right or wrong, as its parts say. */
export function modelBytes(graph: GraphInit, more: ModelInit = {}): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 10n, opsetImport: [{ version: 21n }], ...more, graph }),
  )
}

/** The error that a function throws, which must be one of Sinter's. */
export function refusalOf(run: () => unknown): SinterError {
  try {
    run()
  } catch (error) {
    if (error instanceof SinterError) return error
    throw error
  }
  throw new Error('Nothing was refused.')
}

/**
 * A model as the protobuf library reads it, written the way that Sinter writes: raw data instead of lists of numbers,
 * '' for the standard's domain, empty texts left out, sizes below 0 as unknown, types and zeros of attributes said.
 */
export function canonicalMessage(bytes: Uint8Array): ModelProto {
  const model = fromBinary(ModelProtoSchema, bytes)
  if (model.opsetImport.length === 0)
    model.opsetImport.push({ $typeName: 'onnx.OperatorSetIdProto', version: 1n } as never)
  visit(ModelProtoSchema, model)
  return model
}

function visit(schema: DescMessage, message: Message): void {
  const fields = message as unknown as Record<string, unknown>
  if (message.$typeName === 'onnx.TensorProto') rawOnly(message as TensorProto)
  if (message.$typeName === 'onnx.AttributeProto') spellOut(message as AttributeProto)
  for (const field of schema.fields) {
    if (!isFieldSet(message, field)) continue
    const value: unknown = field.oneof
      ? (fields[field.oneof.localName] as { value: unknown }).value
      : fields[field.localName]
    const isEmptyName = value === '' || (field.localName === 'domain' && value === 'ai.onnx')
    if (isEmptyName || (field.localName === 'dimValue' && (value as bigint) < 0n)) clearField(message, field)
    else if (field.message) {
      for (const inner of Array.isArray(value) ? value : [value]) visit(field.message, inner as Message)
    }
  }
}

/** A value that is zero need not stand in the file; reading it gives the zero. */
function spellOut(attribute: AttributeProto): void {
  const { type, f, i, s } = attribute
  if (type === AttributeType.FLOAT) Object.assign(attribute, { f })
  if (type === AttributeType.INT) Object.assign(attribute, { i })
  if (type === AttributeType.STRING) Object.assign(attribute, { s })
}

function rawOnly(tensor: TensorProto): void {
  if (tensor.dataType === DataType.STRING) return
  const numbers = [tensor.floatData, tensor.doubleData, tensor.int32Data, tensor.int64Data, tensor.uint64Data].find(
    list => list.length > 0,
  )
  if (numbers) tensor.rawData = rawBytes(tensor.dataType, numbers)
  else if (!Object.hasOwn(tensor, 'rawData')) tensor.rawData = new Uint8Array(0)
  tensor.floatData = tensor.doubleData = tensor.int32Data = []
  tensor.int64Data = tensor.uint64Data = []
}

function rawBytes(type: number, numbers: readonly number[] | readonly bigint[]): Uint8Array {
  const width = widths[type] ?? 1
  const bytes = new Uint8Array(numbers.length * width)
  const view = new DataView(bytes.buffer)
  numbers.forEach((value: number | bigint, i: number) => {
    if (type === DataType.FLOAT || type === DataType.COMPLEX64) view.setFloat32(4 * i, Number(value), true)
    else if (type === DataType.DOUBLE || type === DataType.COMPLEX128) view.setFloat64(8 * i, Number(value), true)
    else if (width === 8) view.setBigInt64(8 * i, BigInt(value), true)
    else if (width === 4) view.setInt32(4 * i, Number(value), true)
    else if (width === 2) view.setInt16(2 * i, Number(value), true)
    else view.setInt8(i, Number(value))
  })
  return bytes
}

const widths: Readonly<Record<number, number>> = {
  [DataType.FLOAT]: 4,
  [DataType.COMPLEX64]: 4,
  [DataType.DOUBLE]: 8,
  [DataType.COMPLEX128]: 8,
  [DataType.INT64]: 8,
  [DataType.UINT64]: 8,
  [DataType.INT32]: 4,
  [DataType.UINT32]: 4,
  [DataType.INT16]: 2,
  [DataType.UINT16]: 2,
  [DataType.FLOAT16]: 2,
  [DataType.BFLOAT16]: 2,
}
