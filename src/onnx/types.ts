import { create } from '@bufbuild/protobuf'
import type { Dim, ValueType } from '../base/shape.ts'
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

export function encodeType(type: ValueType): TypeProto {
  return create(TypeProtoSchema, { value: encodeValue(type) })
}

function encodeValue(type: ValueType): TypeProto['value'] {
  if ('dtype' in type) return { case: 'tensorType', value: create(TypeProto_TensorSchema, encodeTensorType(type)) }
  if ('sparse' in type) {
    return { case: 'sparseTensorType', value: create(TypeProto_SparseTensorSchema, encodeTensorType(type.sparse)) }
  }
  if ('sequence' in type) {
    const elemType = encodeType(type.sequence)
    return { case: 'sequenceType', value: create(TypeProto_SequenceSchema, { elemType }) }
  }
  if ('optional' in type) {
    const elemType = encodeType(type.optional)
    return { case: 'optionalType', value: create(TypeProto_OptionalSchema, { elemType }) }
  }
  const map = { keyType: dataTypeOf(type.key), valueType: encodeType(type.value) }
  return { case: 'mapType', value: create(TypeProto_MapSchema, map) }
}

function encodeTensorType({ dtype, shape }: Extract<ValueType, { dtype: unknown }>) {
  const elemType = dataTypeOf(dtype)
  return shape ? { elemType, shape: create(TensorShapeProtoSchema, { dim: shape.map(encodeDim) }) } : { elemType }
}

function encodeDim(dim: Dim): TensorShapeProto_Dimension {
  if (dim === '') return create(TensorShapeProto_DimensionSchema)
  return create(TensorShapeProto_DimensionSchema, {
    value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
  })
}

/** Whether two types are the same, name by name. */
function sameType(a: ValueType | undefined, b: ValueType | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The message for a type: the one it was read from, with its denotations, as long as that says the same. */
export function typeOr(read: TypeProto | undefined, type: ValueType): TypeProto
export function typeOr(read: TypeProto | undefined, type: ValueType | undefined): TypeProto | undefined
export function typeOr(read: TypeProto | undefined, type: ValueType | undefined): TypeProto | undefined {
  if (read && sameType(decodeType(read), type)) return read
  return type && encodeType(type)
}
