import { create } from '@bufbuild/protobuf'
import type { Body, Node, Value } from '../graph/graph.ts'
import { describe } from '../graph/graph.ts'
import { encodeAttribute } from './encode-attribute.ts'
import { encodeSparse, encodeTensor } from './encode-tensor.ts'
import type { GraphProto, NodeProto, ValueInfoProto } from './generated/onnx_pb.ts'
import { restored } from './rest.ts'
import { GraphSchema, NodeSchema, SparseTensorSchema, TensorSchema, ValueInfoSchema } from './schema.ts'
import { decodeType, typeOr } from './types.ts'
import type { Writing } from './writing.ts'

/** A graph, or a body inside of one. `where` says which, for messages. */
export function encodeBody(writing: Writing, body: Body, where: string): GraphProto {
  const proto = restored(GraphSchema, body.extra)
  const rests = {
    initializer: new Map(proto.initializer.map(rest => [rest.name, rest])),
    sparse: new Map(proto.sparseInitializer.map(rest => [rest.values?.name ?? '', rest])),
    valueInfo: proto.valueInfo,
  }
  if (body.name !== '') proto.name = body.name
  proto.input = body.inputs.map(value => encodeValue(value, `${where}: the input '${value.name}'`))
  proto.output = body.outputs.map(value => encodeValue(value, `${where}: the output '${value.name}'`))
  proto.node = body.nodes.map(node => encodeNode(writing, node, `${where}: ${describe(node)}`))
  proto.initializer = Array.from(body.initializers, ([name, tensor]) => {
    const rest = rests.initializer.get(name) ?? create(TensorSchema, { name })
    return encodeTensor(writing, tensor, `${where}: the initializer '${name}'`, rest)
  })
  proto.sparseInitializer = Array.from(body.sparseInitializers ?? [], ([name, sparse]) => {
    const rest = rests.sparse.get(name) ?? create(SparseTensorSchema, { values: create(TensorSchema, { name }) })
    return encodeSparse(writing, sparse, `${where}: the initializer '${name}'`, rest)
  })
  proto.valueInfo = encodeTypes(body, rests.valueInfo, where)
  return proto
}

/** Types of values in between; those that Sinter does not know stand in the rest, and stay while their value does. */
function encodeTypes(body: Body, rests: readonly ValueInfoProto[], where: string): ValueInfoProto[] {
  const known = new Map(rests.map(rest => [rest.name, rest]))
  const typed = Array.from(body.types, ([name, type]) => {
    const proto = known.get(name) ?? create(ValueInfoSchema, { name })
    return Object.assign(proto, { type: typeOr(proto.type, type, `${where}: the value '${name}'`) })
  })
  if (rests.length === 0) return typed
  const made = new Set(body.nodes.flatMap(node => node.outputs))
  const untyped = rests.filter(({ name, type }) => !body.types.has(name) && !decodeType(type) && made.has(name))
  return [...typed, ...untyped]
}

function encodeValue({ name, type, extra }: Value, where: string): ValueInfoProto {
  const proto = restored(ValueInfoSchema, extra)
  proto.name = name
  const encoded = typeOr(proto.type, type, where)
  if (encoded) proto.type = encoded
  else delete proto.type
  return proto
}

function encodeNode(writing: Writing, node: Node, where: string): NodeProto {
  const proto = restored(NodeSchema, node.extra)
  proto.input = [...node.inputs]
  proto.output = [...node.outputs]
  proto.opType = node.op
  if (node.name !== '') proto.name = node.name
  if (node.domain !== '') proto.domain = node.domain
  if (node.overload) proto.overload = node.overload
  proto.attribute = Object.entries(node.attributes).map(([name, attribute]) => {
    const place = `${where}, attribute '${name}'`
    return encodeAttribute(writing, name, attribute, place, (body, at) => encodeBody(writing, body, at))
  })
  return proto
}
