import { create } from '@bufbuild/protobuf'
import type { Attribute, Body } from '../graph/graph.ts'
import { encodeSparse, encodeTensor } from './encode-tensor.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
} from './generated/onnx_pb.ts'
import { restored } from './rest.ts'
import { AttributeSchema } from './schema.ts'
import { typeOr } from './types.ts'
import { unwritable, type Writing } from './writing.ts'

/** Encodes the body of an attribute that is a graph. */
export type EncodeBody = (body: Body, where: string) => GraphProto

/** An attribute under its name. What its rest says of another value than it has now is left out. */
export function encodeAttribute(
  writing: Writing,
  name: string,
  attribute: Attribute,
  where: string,
  encodeBody: EncodeBody,
): AttributeProto {
  const rest = restored(AttributeSchema, attribute.extra)
  const proto = create(AttributeSchema, { name })
  Object.assign(proto, encodeValue(writing, attribute, rest, where, encodeBody))
  if (rest.docString !== '') proto.docString = rest.docString
  if (rest.$unknown) proto.$unknown = rest.$unknown
  return proto
}

function encodeValue(
  writing: Writing,
  attribute: Attribute,
  rest: AttributeProto,
  where: string,
  encodeBody: EncodeBody,
): Partial<AttributeProto> {
  const utf8 = new TextEncoder()
  const at = (i: number) => `${where}[${i}]`
  /** An element's rest, if there is one for each element still. */
  const restAt = <T>(rests: readonly T[], { length }: { readonly length: number }, i: number): T | undefined =>
    rests.length === length ? rests[i] : undefined
  switch (attribute.type) {
    case 'float':
      return { type: AttributeType.FLOAT, f: encodeFloat(attribute.value, where) }
    case 'int':
      return { type: AttributeType.INT, i: encodeInt(attribute.value, where) }
    case 'string':
      return { type: AttributeType.STRING, s: utf8.encode(attribute.value) }
    case 'bytes':
      return { type: AttributeType.STRING, s: attribute.value }
    case 'tensor':
      return { type: AttributeType.TENSOR, t: encodeTensor(writing, attribute.value, where, rest.t) }
    case 'sparse':
      return {
        type: AttributeType.SPARSE_TENSOR,
        sparseTensor: encodeSparse(writing, attribute.value, where, rest.sparseTensor),
      }
    case 'graph':
      return { type: AttributeType.GRAPH, g: encodeBody(attribute.value, where) }
    case 'type':
      return { type: AttributeType.TYPE_PROTO, tp: typeOr(rest.tp, attribute.value, where) }
    case 'floats':
      return { type: AttributeType.FLOATS, floats: attribute.value.map(v => encodeFloat(v, where)) }
    case 'ints':
      return { type: AttributeType.INTS, ints: attribute.value.map(v => encodeInt(v, where)) }
    case 'strings':
      return { type: AttributeType.STRINGS, strings: attribute.value.map(v => utf8.encode(v)) }
    case 'tensors': {
      const { value } = attribute
      const tensors = value.map((v, i) => encodeTensor(writing, v, at(i), restAt(rest.tensors, value, i)))
      return { type: AttributeType.TENSORS, tensors }
    }
    case 'sparses': {
      const { value } = attribute
      const sparseTensors = value.map((v, i) => encodeSparse(writing, v, at(i), restAt(rest.sparseTensors, value, i)))
      return { type: AttributeType.SPARSE_TENSORS, sparseTensors }
    }
    case 'graphs':
      return { type: AttributeType.GRAPHS, graphs: attribute.value.map((v, i) => encodeBody(v, at(i))) }
    case 'types': {
      const { value } = attribute
      const typeProtos = value.map((v, i) => typeOr(restAt(rest.typeProtos, value, i), v, at(i)))
      return { type: AttributeType.TYPE_PROTOS, typeProtos }
    }
  }
}

/** Files hold float32: any finite number but those beyond its range can be rounded to it. */
function encodeFloat(value: number, where: string): number {
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    throw unwritable(where, `is ${value}, which is beyond float32`)
  return value
}

function encodeInt(value: number | bigint, where: string): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw unwritable(where, `is ${value}, not an integer`)
  const integer = BigInt(value)
  if (BigInt.asIntN(64, integer) !== integer) throw unwritable(where, `is ${value}, which is beyond int64`)
  return integer
}
