import { SinterError } from '../base/errors.ts'
import type { ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Attribute, Body, Node, SparseTensor, Value } from '../graph/graph.ts'
import { sortNodes } from '../graph/view.ts'
import { decodeAttribute } from './decode-attribute.ts'
import { decodeSparse, decodeTensor, sparseRest, tensorRest } from './decode-tensor.ts'
import type { Contents, Inliner, Scope } from './functions.ts'
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from './generated/onnx_pb.ts'
import { domainOf } from './opset.ts'
import { invalid, quote, type Reading } from './reading.ts'
import { extraOf, restOf } from './rest.ts'
import { GraphSchema, NodeSchema, ValueInfoSchema } from './schema.ts'
import { decodeType, saysMore } from './types.ts'

/** The reading of one model: what stays the same in all of its graphs. */
export interface ModelReading extends Reading {
  readonly inliner: Inliner
}

const graphRest = restOf(GraphSchema, [
  'node',
  'name',
  'initializer',
  'sparseInitializer',
  'docString',
  'input',
  'output',
  'valueInfo',
  'metadataProps',
])
const nodeRest = restOf(NodeSchema, [
  'input',
  'output',
  'name',
  'opType',
  'domain',
  'overload',
  'attribute',
  'docString',
  'metadataProps',
])
const valueRest = restOf(ValueInfoSchema, ['name', 'type', 'docString', 'metadataProps'])
const documentedRest = restOf(ValueInfoSchema, ['name', 'type'])

/** A graph, or a body inside of one, its functions inlined. `where` is its path. */
export function decodeBody(reading: ModelReading, proto: GraphProto, where: string, around: Scope): Body {
  const scope = around.inside(() => definedNames(proto))
  const types = new Map<string, ValueType>()
  for (const { name, type } of proto.valueInfo) {
    const known = decodeType(type)
    if (known && name !== '') types.set(scope.value(name), known)
  }
  const initializers = new Map<string, Tensor>()
  const sparseInitializers = new Map<string, SparseTensor>()
  const define = <T>(into: Map<string, T>, name: string, at: string, value: () => T) => {
    if (name === '') throw invalid(reading, at, 'has no name')
    const actual = scope.value(name)
    if (initializers.has(actual) || sparseInitializers.has(actual))
      throw invalid(reading, `${at} ${quote(name)}`, 'is the second initializer of that name')
    into.set(actual, value())
  }
  proto.initializer.forEach((tensor, i) => {
    const at = `${where}.initializer[${i}]`
    define(initializers, tensor.name, at, () => decodeTensor(reading, tensor, at))
  })
  proto.sparseInitializer.forEach((sparse, i) => {
    const at = `${where}.sparse_initializer[${i}]`
    define(sparseInitializers, sparse.values?.name ?? '', at, () => decodeSparse(reading, sparse, at))
  })
  const nodes = decodeNodes(reading, proto.node, where, scope, types)
  const extra = extraOf(GraphSchema, proto, graphRest(proto, keepDetails(proto, scope)))
  return {
    name: proto.name,
    inputs: proto.input.map(value => decodeValue(value, scope)),
    outputs: proto.output.map(value => decodeValue(value, scope)),
    nodes: inOrder(nodes),
    initializers,
    ...(sparseInitializers.size > 0 && { sparseInitializers }),
    types,
    ...(extra && { extra }),
  }
}

function* definedNames(proto: GraphProto): Iterable<string> {
  for (const { name } of proto.input) yield name
  for (const { name } of proto.initializer) yield name
  for (const { values } of proto.sparseInitializer) yield values?.name ?? ''
  for (const { output } of proto.node) yield* output
}

function decodeNodes(
  reading: ModelReading,
  protos: readonly NodeProto[],
  where: string,
  scope: Scope,
  types: Map<string, ValueType>,
): Node[] {
  const contents: Contents = {
    nodes: (inner, at, innerScope) => decodeNodes(reading, inner, at, innerScope, types),
    attributes: (inner, at) => decodeAttributes(reading, inner, at, scope),
    types,
  }
  return protos.flatMap((proto, i) => {
    const at = `${where}.node[${i}]${proto.name === '' ? '' : ` ${quote(proto.name)}`}`
    const node = decodeNode(reading, proto, at, scope)
    scope.admit(node, at)
    return reading.inliner.expand(node, at, contents)
  })
}

function decodeNode(reading: ModelReading, proto: NodeProto, where: string, scope: Scope): Node {
  if (proto.opType === '') throw invalid(reading, where, 'names no operator')
  const extra = extraOf(NodeSchema, proto, nodeRest(proto))
  return {
    op: proto.opType,
    domain: domainOf(proto.domain),
    name: scope.node(proto.name),
    inputs: proto.input.map(scope.value),
    outputs: proto.output.map(scope.value),
    attributes: decodeAttributes(reading, proto.attribute, where, scope),
    ...(proto.overload !== '' && { overload: proto.overload }),
    ...(extra && { extra }),
  }
}

function decodeAttributes(
  reading: ModelReading,
  protos: readonly AttributeProto[],
  where: string,
  scope: Scope,
): Readonly<Record<string, Attribute>> {
  const attributes = new Map<string, Attribute>()
  protos.forEach((proto, i) => {
    const at = `${where}.attribute[${i}] ${quote(proto.name)}`
    if (proto.name === '') throw invalid(reading, at, 'has no name')
    if (attributes.has(proto.name)) throw invalid(reading, at, 'is the second attribute of that name')
    const attribute =
      proto.refAttrName === ''
        ? decodeAttribute(reading, proto, at, (body, place) => decodeBody(reading, body, place, scope))
        : referred(reading, proto, at, scope)
    if (attribute) attributes.set(proto.name, attribute)
  })
  return Object.fromEntries(attributes)
}

/** What a reference stands for: an attribute of the call, or its default, or nothing. */
function referred(
  reading: Reading,
  { refAttrName }: AttributeProto,
  where: string,
  scope: Scope,
): Attribute | undefined {
  if (!scope.attributes) throw invalid(reading, where, 'refers to an attribute of a function, but is in none')
  return Object.hasOwn(scope.attributes, refAttrName) ? scope.attributes[refAttrName] : undefined
}

function decodeValue(proto: ValueInfoProto, scope: Scope): Value {
  const extra = extraOf(ValueInfoSchema, proto, valueRest(proto, typeDetails(proto)))
  return { name: scope.value(proto.name), type: decodeType(proto.type), ...(extra && { extra }) }
}

function typeDetails({ type }: ValueInfoProto): Partial<ValueInfoProto> | undefined {
  return type && saysMore(type) ? { type } : undefined
}

/** What else the file says of initializers and values in between, which a body has no place for but its rest. */
function keepDetails(proto: GraphProto, scope: Scope): Partial<GraphProto> | undefined {
  const initializer = proto.initializer.flatMap(tensor => {
    const rest = tensorRest(tensor)
    return rest && saysMoreThanName(rest) ? [Object.assign(rest, { name: scope.value(tensor.name) })] : []
  })
  const sparseInitializer = proto.sparseInitializer.flatMap(sparse => {
    const { values, indices, $unknown } = sparseRest(sparse)!
    if (!saysMoreThanName(values!) && !indices && !$unknown) return []
    values!.name = scope.value(values!.name)
    return [sparseRest(sparse, { values: values! })!]
  })
  const valueInfo = proto.valueInfo.flatMap(value => {
    const rest = documentedRest(value, typeDetails(value))
    return rest ? [Object.assign(rest, { name: scope.value(value.name) })] : []
  })
  if (initializer.length + sparseInitializer.length + valueInfo.length === 0) return undefined
  return { initializer, sparseInitializer, valueInfo }
}

function saysMoreThanName({ docString, metadataProps, $unknown }: TensorProto): boolean {
  return docString !== '' || metadataProps.length > 0 || $unknown !== undefined
}

/** Sorts what a careless exporter left unsorted; a cycle stays as it is, for `check` to report. */
function inOrder(nodes: readonly Node[]): readonly Node[] {
  try {
    return sortNodes(nodes)
  } catch (error) {
    if (error instanceof SinterError && error.code === 'invalid-graph') return nodes
    throw error
  }
}
