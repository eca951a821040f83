import { clone, createFileRegistry, type DescMessage } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import * as onnx from './generated/onnx_pb.ts'

/** A tensor's lists of numbers, by their numbers in the format. */
export const numberLists = { float_data: 4, int32_data: 5, int64_data: 7, double_data: 10, uint64_data: 11 } as const

export function isNumberList(fieldNumber: number): boolean {
  return Object.values<number>(numberLists).includes(fieldNumber)
}

/**
 * The format that files are read and written with: the generated one, without the lists of numbers in tensors. They
 * are then among a tensor's unknown fields, as views on the file's bytes, where the generated code would make a
 * JavaScript array of numbers or bigints of them: many times the memory and the time.
 */
const registry = (() => {
  const file = clone(FileDescriptorProtoSchema, onnx.file_onnx.proto)
  const tensor = file.messageType.find(message => message.name === 'TensorProto')!
  tensor.field = tensor.field.filter(field => !Object.hasOwn(numberLists, field.name))
  return createFileRegistry(file, () => undefined)
})()

function lean<D extends DescMessage>(schema: D): D {
  return registry.getMessage(schema.typeName) as D
}

export const ModelSchema = lean(onnx.ModelProtoSchema)
export const GraphSchema = lean(onnx.GraphProtoSchema)
export const NodeSchema = lean(onnx.NodeProtoSchema)
export const AttributeSchema = lean(onnx.AttributeProtoSchema)
export const ValueInfoSchema = lean(onnx.ValueInfoProtoSchema)
export const TensorSchema = lean(onnx.TensorProtoSchema)
export const SparseTensorSchema = lean(onnx.SparseTensorProtoSchema)
export const TypeSchema = lean(onnx.TypeProtoSchema)
