import { create } from '@bufbuild/protobuf'
import type { Attribute, AttributeValue, Body } from '../graph/graph.ts'
import { decodeSparse, decodeTensor, decodeText, sparseRest, tensorRest, utf8 } from './decode-tensor.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
} from './generated/onnx_pb.ts'
import { invalid, type Reading, unsupported } from './reading.ts'
import { extraOf, restOf } from './rest.ts'
import { AttributeSchema, SparseTensorSchema, TensorSchema, TypeSchema } from './schema.ts'
import { decodeType, saysMore } from './types.ts'

/** The field that holds the value, by the type that an attribute says it has. */
const contents = {
  [AttributeType.FLOAT]: 'f',
  [AttributeType.INT]: 'i',
  [AttributeType.STRING]: 's',
  [AttributeType.TENSOR]: 't',
  [AttributeType.GRAPH]: 'g',
  [AttributeType.SPARSE_TENSOR]: 'sparseTensor',
  [AttributeType.TYPE_PROTO]: 'tp',
  [AttributeType.FLOATS]: 'floats',
  [AttributeType.INTS]: 'ints',
  [AttributeType.STRINGS]: 'strings',
  [AttributeType.TENSORS]: 'tensors',
  [AttributeType.GRAPHS]: 'graphs',
  [AttributeType.SPARSE_TENSORS]: 'sparseTensors',
  [AttributeType.TYPE_PROTOS]: 'typeProtos',
} as const

type Content = (typeof contents)[keyof typeof contents]

const attributeRest = restOf(AttributeSchema, ['name', 'refAttrName', 'docString', 'type', ...Object.values(contents)])

/** Decodes the body of an attribute that is a graph. */
export type DecodeBody = (proto: GraphProto, where: string) => Body

/** An attribute that is not a reference. `where` is its path. */
export function decodeAttribute(
  reading: Reading,
  proto: AttributeProto,
  where: string,
  decodeBody: DecodeBody,
): Attribute {
  const content = contentOf(reading, proto, where)
  const value = decodeValue(reading, proto, content, where, decodeBody)
  const extra = extraOf(
    AttributeSchema,
    { docString: proto.docString },
    attributeRest(proto, contentRest(proto, content)),
  )
  return extra ? { ...value, extra } : value
}

/** Which field holds the value: the one of the type, or before IR version 2, which had no types, the one that is set. */
function contentOf(reading: Reading, proto: AttributeProto, where: string): Content {
  if (proto.$unknown?.some(field => field.no === 20))
    throw invalid(reading, where, 'has a type that ONNX does not have')
  const set = Object.values(contents).filter(name => {
    const value = proto[name]
    return Array.isArray(value) ? value.length > 0 : Object.hasOwn(proto, name) && value !== undefined
  })
  const typed = proto.type === AttributeType.UNDEFINED ? undefined : contents[proto.type]
  const content = typed ?? set[0]
  if (content === undefined) throw invalid(reading, where, 'has neither a type nor a value')
  const other = set.find(name => name !== content)
  if (other !== undefined)
    throw invalid(reading, where, `holds a value in '${other}' besides '${content}', which it says it has`)
  return content
}

function decodeValue(
  reading: Reading,
  proto: AttributeProto,
  content: Content,
  where: string,
  decodeBody: DecodeBody,
): AttributeValue {
  const at = (i: number) => `${where}.${content}[${i}]`
  const present = <T>(value: T | undefined): T => {
    if (value === undefined) throw invalid(reading, where, 'lacks the value that its type asks for')
    return value
  }
  switch (content) {
    case 'f':
      return { type: 'float', value: proto.f }
    case 'i':
      return { type: 'int', value: decodeInt(proto.i) }
    case 's': {
      const text = utf8(proto.s)
      return text === undefined ? { type: 'bytes', value: proto.s } : { type: 'string', value: text }
    }
    case 't':
      return { type: 'tensor', value: decodeTensor(reading, present(proto.t), where) }
    case 'g':
      return { type: 'graph', value: decodeBody(present(proto.g), `${where}.g`) }
    case 'sparseTensor':
      return { type: 'sparse', value: decodeSparse(reading, present(proto.sparseTensor), where) }
    case 'tp':
      return { type: 'type', value: decodeKnownType(reading, present(proto.tp), where) }
    case 'floats':
      return { type: 'floats', value: proto.floats }
    case 'ints':
      return { type: 'ints', value: proto.ints.map(decodeInt) }
    case 'strings':
      return { type: 'strings', value: proto.strings.map((bytes, i) => decodeText(reading, bytes, at(i))) }
    case 'tensors':
      return { type: 'tensors', value: proto.tensors.map((t, i) => decodeTensor(reading, t, at(i))) }
    case 'graphs':
      return { type: 'graphs', value: proto.graphs.map((g, i) => decodeBody(g, at(i))) }
    case 'sparseTensors':
      return { type: 'sparses', value: proto.sparseTensors.map((t, i) => decodeSparse(reading, t, at(i))) }
    case 'typeProtos':
      return { type: 'types', value: proto.typeProtos.map((t, i) => decodeKnownType(reading, t, at(i))) }
  }
}

/** What a value's rest is: in lists one for each element, so that they stay aligned. */
function contentRest(proto: AttributeProto, content: Content): Partial<AttributeProto> | undefined {
  switch (content) {
    case 't': {
      const t = proto.t && tensorRest(proto.t)
      return t && { t }
    }
    case 'sparseTensor': {
      const sparseTensor = proto.sparseTensor && sparseRest(proto.sparseTensor)
      return sparseTensor && { sparseTensor }
    }
    case 'tp':
      return proto.tp && saysMore(proto.tp) ? { tp: proto.tp } : undefined
    case 'tensors': {
      const tensors = proto.tensors.map(t => tensorRest(t))
      return tensors.some(Boolean) ? { tensors: tensors.map(t => t ?? create(TensorSchema)) } : undefined
    }
    case 'sparseTensors': {
      const sparseTensors = proto.sparseTensors.map(t => sparseRest(t))
      if (!sparseTensors.some(Boolean)) return undefined
      return { sparseTensors: sparseTensors.map(t => t ?? create(SparseTensorSchema)) }
    }
    case 'typeProtos':
      if (!proto.typeProtos.some(saysMore)) return undefined
      return { typeProtos: proto.typeProtos.map(t => (saysMore(t) ? t : create(TypeSchema))) }
    default:
      return undefined
  }
}

function decodeInt(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function decodeKnownType(reading: Reading, proto: Parameters<typeof saysMore>[0], where: string) {
  const type = decodeType(proto)
  if (!type) throw unsupported(reading, where, 'is an opaque or unknown type')
  return type
}
