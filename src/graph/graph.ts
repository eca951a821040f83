import { SinterError } from '../base/errors.ts'
import type { ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'

/** What a file carries beside the meaning, kept so that writing gives back what was read. */
export interface Extra {
  readonly doc?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Fields that Sinter does not interpret or the format does not know, as protobuf writes them. */
  readonly unknown?: Uint8Array
}

export type Attribute = AttributeValue & { readonly extra?: Extra }

/** An attribute's value with its type, as ONNX has it. 64-bit integers beyond 2^53 are bigint. */
export type AttributeValue =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: number | bigint }
  | { readonly type: 'string'; readonly value: string }
  /** A string attribute that is not valid UTF-8. */
  | { readonly type: 'bytes'; readonly value: Uint8Array }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'sparse'; readonly value: SparseTensor }
  | { readonly type: 'graph'; readonly value: Body }
  | { readonly type: 'type'; readonly value: ValueType }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'ints'; readonly value: readonly (number | bigint)[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly type: 'sparses'; readonly value: readonly SparseTensor[] }
  | { readonly type: 'graphs'; readonly value: readonly Body[] }
  | { readonly type: 'types'; readonly value: readonly ValueType[] }

/** Coordinate format: `values` of shape [nnz], `indices` int64 of shape [nnz] (linear) or [nnz, rank]. */
export interface SparseTensor {
  readonly shape: readonly number[]
  readonly values: Tensor
  readonly indices: Tensor<'int64'>
}

export interface Value {
  readonly name: string
  readonly type: ValueType | undefined
  readonly extra?: Extra
}

export interface Node {
  readonly op: string
  /** '' is ai.onnx. */
  readonly domain: string
  readonly name: string
  /** '' where an optional input is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
  /** An overload's name, for functions that have several. */
  readonly overload?: string
  readonly extra?: Extra
}

/** A graph, or the body of an If, Loop or Scan, which may also read the names around it. */
export interface Body {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** In an order in which every value is made before it is read. */
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Tensor>
  readonly sparseInitializers?: ReadonlyMap<string, SparseTensor>
  /** Types of values in between, where they are known. */
  readonly types: ReadonlyMap<string, ValueType>
  readonly extra?: Extra
}

/**
 * A model: immutable plain data. Edges are names, as in ONNX. Change one through `edit`; equal by `===` means unchanged.
 */
export interface Graph extends Body {
  /** Version of each operator set used, by domain ('' is ai.onnx). */
  readonly opset: Readonly<Record<string, number>>
  readonly metadata: Readonly<Record<string, string>>
  readonly producer?: { readonly name: string; readonly version: string }
  readonly irVersion?: number
  /** Fields of the model itself that Sinter does not interpret. */
  readonly modelExtra?: Extra
}

/** The opset that graphs made here are written in, and that older ones are upgraded to on reading. */
export const dialect = 21

/** An empty graph of the dialect. */
export function emptyGraph(name: string): Graph {
  return {
    name,
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map(),
    types: new Map(),
    opset: { '': dialect },
    metadata: {},
  }
}

/** The bodies that a node carries in its attributes (branches of If, bodies of Loop and Scan). */
export function bodiesOf(node: Node): readonly Body[] {
  // Asked of every node again and again, and nearly none has any: nothing is made for those.
  let bodies: Body[] | undefined
  for (const name in node.attributes) {
    const attribute = node.attributes[name]!
    if (attribute.type === 'graph') (bodies ??= []).push(attribute.value)
    else if (attribute.type === 'graphs') (bodies ??= []).push(...attribute.value)
  }
  return bodies ?? noBodies
}

const noBodies: readonly Body[] = []

/** The same, each with the attribute that holds it: `then_branch`, or `branches[1]` in a list. */
export function namedBodiesOf(node: Node): readonly (readonly [name: string, body: Body])[] {
  return Object.entries(node.attributes).flatMap(([name, attribute]) => {
    if (attribute.type === 'graph') return [[name, attribute.value] as const]
    if (attribute.type === 'graphs') return attribute.value.map((body, i) => [`${name}[${i}]`, body] as const)
    return []
  })
}

/** The names that a body gives to values: its inputs, its initializers, and what its nodes make. */
export function definedBy(body: Body): ReadonlySet<string> {
  const names = new Set([...body.initializers.keys(), ...(body.sparseInitializers?.keys() ?? [])])
  for (const { name } of body.inputs) names.add(name)
  for (const node of body.nodes) for (const name of node.outputs) names.add(name)
  return names
}

const captures = new WeakMap<Body, ReadonlySet<string>>()

/** Names that a body reads but does not define: what an If, Loop or Scan captures from around it. */
export function capturesOf(body: Body): ReadonlySet<string> {
  const known = captures.get(body)
  if (known) return known
  const found = findCaptures(body)
  captures.set(body, found)
  return found
}

function findCaptures(body: Body): ReadonlySet<string> {
  const defined = definedBy(body)
  const captured = new Set<string>()
  const read = (name: string) => {
    if (name !== '' && !defined.has(name)) captured.add(name)
  }
  for (const node of body.nodes) {
    for (const name of node.inputs) read(name)
    for (const inner of bodiesOf(node)) for (const name of capturesOf(inner)) read(name)
  }
  for (const { name } of body.outputs) read(name)
  return captured
}

/** Every name that a node reads: its inputs, and what its bodies capture. */
export function readsOf(node: Node): readonly string[] {
  const bodies = bodiesOf(node)
  if (bodies.length === 0 && !node.inputs.includes('')) return node.inputs
  const names = node.inputs.filter(name => name !== '')
  for (const body of bodies) for (const name of capturesOf(body)) names.push(name)
  return names
}

/** Inputs that a caller must feed: those without an initializer of the same name. */
export function requiredInputs(graph: Body): readonly Value[] {
  const { inputs, initializers, sparseInitializers } = graph
  return inputs.filter(({ name }) => !initializers.has(name) && !sparseInitializers?.has(name))
}

/** The one value of a list, for graphs that must have exactly one input or output. */
export function only(values: readonly Value[], what: string): Value {
  if (values.length !== 1) {
    const names = values.map(value => value.name)
    throw new SinterError(
      'not-supported',
      `Expected exactly one ${what}, found ${names.length}: ${names.join(', ')}.`,
      { names },
    )
  }
  return values[0]!
}

/** `Conv 'conv1'`, or by its first output where the node has no name. For messages. */
export function describe(node: Node): string {
  const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`
  const output = node.outputs.find(name => name !== '')
  return node.name !== '' ? `${op} '${node.name}'` : `${op} that makes '${output ?? '?'}'`
}
