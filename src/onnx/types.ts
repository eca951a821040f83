import { create } from '@bufbuild/protobuf'
import type { Dim, TensorType, ValueType } from '../base/shape.ts'
import { dataTypeOf, dtypeOf } from './dtypes.ts'
import {
  type TensorShapeProto,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_MapSchema,
  TypeProto_OptionalSchema,
  TypeProto_SequenceSchema,
  TypeProto_SparseTensorSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
} from './generated/onnx_pb.ts'
import { unwritable } from './writing.ts'

/** The type that a message says; undefined where it says none that Sinter knows (an opaque type, say). */
export function decodeType(proto: TypeProto | undefined): ValueType | undefined {
  const { value } = proto ?? {}
  switch (value?.case) {
    case 'tensorType': {
      const dtype = dtypeOf(value.value.elemType)
      return dtype && { dtype, shape: decodeShape(value.value.shape) }
    }
    case 'sparseTensorType': {
      const dtype = dtypeOf(value.value.elemType)
      return dtype && { sparse: { dtype, shape: decodeShape(value.value.shape) } }
    }
    case 'sequenceType': {
      const sequence = decodeType(value.value.elemType)
      return sequence && { sequence }
    }
    case 'optionalType': {
      const optional = decodeType(value.value.elemType)
      return optional && { optional }
    }
    case 'mapType': {
      const key = dtypeOf(value.value.keyType)
      const type = decodeType(value.value.valueType)
      return key && type && { key, value: type }
    }
    default:
      return undefined
  }
}

function decodeShape(proto: TensorShapeProto | undefined): readonly Dim[] | undefined {
  return proto?.dim.map(decodeDim)
}

/** Sizes below 0 or beyond 2^53, which some exporters write for a dimension they do not know, count as unknown. */
function decodeDim({ value }: TensorShapeProto_Dimension): Dim {
  if (value.case === 'dimParam') return value.value
  const size = value.case === 'dimValue' ? Number(value.value) : -1
  return size >= 0 && Number.isSafeInteger(size) ? size : ''
}

/** Whether a message says more than `decodeType` tells: denotations, unknown fields, types that Sinter does not know. */
export function saysMore(proto: TypeProto): boolean {
  const { value } = proto
  if (proto.$unknown || proto.denotation !== '' || value.value?.$unknown) return true
  switch (value.case) {
    case 'tensorType':
    case 'sparseTensorType': {
      const { elemType, shape } = value.value
      if (!dtypeOf(elemType) || shape?.$unknown) return true
      return shape?.dim.some(dim => dim.denotation !== '' || dim.$unknown) ?? false
    }
    case 'sequenceType':
    case 'optionalType':
      return !value.value.elemType || saysMore(value.value.elemType)
    case 'mapType':
      return !dtypeOf(value.value.keyType) || !value.value.valueType || saysMore(value.value.valueType)
    default:
      return true
  }
}

/** The message for a type. `where` says whose it is, for messages. */
export function encodeType(type: ValueType, where: string): TypeProto {
  return create(TypeProtoSchema, { value: encodeValue(type, where) })
}

function encodeValue(type: ValueType, where: string): TypeProto['value'] {
  if ('dtype' in type) return { case: 'tensorType', value: create(TypeProto_TensorSchema, tensorFields(type, where)) }
  if ('sparse' in type) {
    const fields = tensorFields(type.sparse, where)
    return { case: 'sparseTensorType', value: create(TypeProto_SparseTensorSchema, fields) }
  }
  if ('sequence' in type) {
    const elemType = encodeType(type.sequence, where)
    return { case: 'sequenceType', value: create(TypeProto_SequenceSchema, { elemType }) }
  }
  if ('optional' in type) {
    const elemType = encodeType(type.optional, where)
    return { case: 'optionalType', value: create(TypeProto_OptionalSchema, { elemType }) }
  }
  const map = { keyType: dataTypeOf(type.key), valueType: encodeType(type.value, where) }
  return { case: 'mapType', value: create(TypeProto_MapSchema, map) }
}

function tensorFields({ dtype, shape }: TensorType, where: string) {
  const elemType = dataTypeOf(dtype)
  if (!shape) return { elemType }
  return { elemType, shape: create(TensorShapeProtoSchema, { dim: shape.map(dim => encodeDim(dim, where)) }) }
}

function encodeDim(dim: Dim, where: string): TensorShapeProto_Dimension {
  if (dim === '') return create(TensorShapeProto_DimensionSchema)
  if (typeof dim === 'string')
    return create(TensorShapeProto_DimensionSchema, { value: { case: 'dimParam', value: dim } })
  if (!Number.isSafeInteger(dim) || dim < 0) throw unwritable(where, `has a dimension of size ${dim}`)
  return create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(dim) } })
}

/** Whether two types are the same, name by name. */
function sameType(a: ValueType | undefined, b: ValueType | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The message for a type: the one it was read from, with its denotations, as long as that says the same. */
export function typeOr(read: TypeProto | undefined, type: ValueType, where: string): TypeProto
export function typeOr(read: TypeProto | undefined, type: ValueType | undefined, where: string): TypeProto | undefined
export function typeOr(read: TypeProto | undefined, type: ValueType | undefined, where: string): TypeProto | undefined {
  if (read && sameType(decodeType(read), type)) return read
  return type && encodeType(type, where)
}
