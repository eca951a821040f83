import { messageOf, SinterError } from '../base/errors.ts'
import { type Dim, isTensorType, type Shape, type ValueType } from '../base/shape.ts'
import { type Body, bodiesOf, describe, type Graph, type Node, readsOf } from '../graph/graph.ts'
import { assertNesting } from '../graph/nesting.ts'
import { view } from '../graph/view.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import { typeOfConstant } from '../ops/contents.ts'
import { constantOf } from '../ops/generate.ts'
import type { InferredType } from '../ops/operator.ts'

/** Types of a graph's values by name; a value of which nothing is known is missing. */
export type Types = ReadonlyMap<string, ValueType | InferredType>

export interface InferOptions {
  /** Sizes for symbolic dimensions, by symbol: `{ N: 64 }`. `*` stands for every symbol not named. */
  readonly bind?: Readonly<Record<string, number>>
}

const unbound = new WeakMap<Graph, Types>()

/**
 * The types of every value of a graph, as far as they follow from its inputs, initializers and operators. What the file
 * itself says of a value is used where inference knows less.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function infer(graph: Graph, options: InferOptions = {}): Types {
  const bind = options.bind && namedSizes(graph, options.bind)
  if (!bind) {
    const known = unbound.get(graph)
    if (known) return known
  }
  assertNesting(graph)
  const types = new Map<string, ValueType>()
  inferInto(types, graph, scopeOf(graph, types, bind), bind)
  if (!bind) unbound.set(graph, types)
  return types
}

/**
 * `*` spelled out for the symbols of the graph's inputs. Symbols that a file states for values in between must not
 * become a size by it: they follow from the inputs'.
 */
function namedSizes(graph: Graph, { '*': rest, ...named }: Readonly<Record<string, number>>): Record<string, number> {
  if (rest === undefined) return named
  const sizes: Record<string, number> = {}
  for (const { type } of graph.inputs) {
    for (const dim of (isTensorType(type) && type.shape) || []) if (typeof dim === 'string') sizes[dim] = rest
  }
  return { ...sizes, ...named }
}

/** A scope over a graph whose types are being, or have been, inferred into `types`. */
export function scopeOf(
  graph: Graph,
  types: Types,
  bind?: InferOptions['bind'],
  around?: Scope,
  body: Body = graph,
): Scope {
  const { producer } = view(body)
  const scope: Scope = {
    opset: domain => graph.opset[domain] ?? 1,
    type: name => types.get(name) ?? around?.type(name),
    constant(name) {
      const value = body.initializers.get(name) ?? constantOf(producer(name))
      return value ?? (view(body).defines(name) ? undefined : around?.constant(name))
    },
    inferBody(inner, inputs) {
      const within = scopeWithin(graph, inner, inputs, scope, bind)
      return inner.outputs.map(({ name }) => within.type(name))
    },
  }
  return scope
}

/** The scope inside of a body: its values' types inferred from its inputs' and from what it captures from around it. */
export function scopeWithin(
  graph: Graph,
  body: Body,
  inputs: readonly (ValueType | undefined)[],
  around: Scope,
  bind?: InferOptions['bind'],
): Scope {
  const local = new Map<string, ValueType>()
  body.inputs.forEach((value, i) => {
    const type = inputs[i] ?? (value.type && bound(value.type, bind))
    if (type) local.set(value.name, type)
  })
  const scope = scopeOf(graph, local, bind, around, body)
  inferInto(local, body, scope, bind)
  return scope
}

/** The same inside of a body of which no more is known than it states; where its nodes do not fit, only what it captures. */
export function scopeInside(graph: Graph, body: Body, around: Scope, bind?: InferOptions['bind']): Scope {
  try {
    return scopeWithin(graph, body, [], around, bind)
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
    const stated = body.inputs.flatMap(({ name, type }) => (type ? [[name, type] as const] : []))
    return scopeOf(graph, new Map([...body.types, ...stated]), bind, around, body)
  }
}

function inferInto(types: Map<string, ValueType>, body: Body, scope: Scope, bind?: InferOptions['bind']): void {
  for (const { name, type } of body.inputs) if (type && !types.has(name)) types.set(name, bound(type, bind))
  for (const [name, value] of body.initializers) types.set(name, typeOfConstant(value))
  const outputs = new Map(body.outputs.map(({ name, type }) => [name, type]))
  const stated = (name: string) => body.types.get(name) ?? outputs.get(name)
  for (const node of body.nodes) {
    const found = bind ? inferStated(node, scope, stated, bind) : inferAgain(node, scope, stated)
    for (let i = 0; i < found.length; i++) {
      const name = node.outputs[i]!
      if (name !== '' && found[i]) types.set(name, found[i]!)
    }
  }
}

type Found = readonly (ValueType | undefined)[]

/** What was inferred of a node, and from what: of each value that it reads type and constant, of its outputs what is stated. */
interface Memo {
  readonly opset: number
  readonly given: readonly unknown[]
  readonly found: Found
}

const memos = new WeakMap<Node, Memo>()

/**
 * Infers a node unless all that it reads is as it was the last time, which steps that change a few nodes of a graph leave
 * true of nearly all others. Types and tensors never change, so that the same object says the same.
 */
function inferAgain(node: Node, scope: Scope, stated: (name: string) => ValueType | undefined): Found {
  const opset = scope.opset(node.domain)
  const reads = bodiesOf(node).length > 0 ? readsOf(node) : node.inputs
  const memo = memos.get(node)
  if (memo?.opset === opset && isAsBefore(memo.given, reads, node.outputs, scope, stated)) return memo.found
  const given: unknown[] = []
  for (const name of reads) given.push(scope.type(name), name === '' ? undefined : scope.constant(name))
  for (const name of node.outputs) given.push(stated(name))
  const inferred = inferStated(node, scope, stated)
  // What comes out as it was stays the same object, so that those who read it are not inferred again for that.
  const found = memo && sameTypes(memo.found, inferred) ? memo.found : inferred
  memos.set(node, { opset, given, found })
  return found
}

function sameTypes(a: Found, b: Found): boolean {
  return a.length === b.length && a.every((type, i) => sameType(type, b[i]))
}

function sameType(a: ValueType | undefined, b: ValueType | undefined): boolean {
  if (a === b) return true
  if (!isTensorType(a) || !isTensorType(b) || a.dtype !== b.dtype) return false
  const [value, other] = [(a as InferredType).value, (b as InferredType).value]
  return sameDims(a.shape, b.shape) && sameDims(value, other)
}

function sameDims(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  return a === b || (a !== undefined && a.length === b?.length && a.every((dim, i) => dim === b[i]))
}

function isAsBefore(
  given: readonly unknown[],
  reads: readonly string[],
  outputs: readonly string[],
  scope: Scope,
  stated: (name: string) => ValueType | undefined,
): boolean {
  let at = 0
  for (const name of reads) {
    if (given[at++] !== scope.type(name)) return false
    if (given[at++] !== (name === '' ? undefined : scope.constant(name))) return false
  }
  for (const name of outputs) if (given[at++] !== stated(name)) return false
  return at === given.length
}

/** The types of a node's outputs, completed by what the file states. */
function inferStated(
  node: Node,
  scope: Scope,
  stated: (name: string) => ValueType | undefined,
  bind?: InferOptions['bind'],
): Found {
  try {
    const found = inferNode(node, scope)
    return node.outputs.map((name, i) => {
      const type = stated(name)
      return merged(found[i], type && bound(type, bind))
    })
  } catch (error) {
    if (error instanceof SinterError) throw error
    throw new SinterError('invalid-graph', `${describe(node)}: ${messageOf(error)}`, { node: node.name }, error)
  }
}

/** What inference found, completed by what the file states. */
function merged(found: ValueType | InferredType | undefined, stated: ValueType | undefined): ValueType | undefined {
  if (!found || !stated || !isTensorType(found) || !isTensorType(stated) || !stated.shape) return found ?? stated
  if (!found.shape) return { ...found, shape: stated.shape }
  if (found.shape.length !== stated.shape.length) return found
  // What follows from the inputs counts more than a size that was written down, as exporters do, for one run of them.
  const shape = found.shape.map((dim, i) => (dim === '' ? stated.shape![i]! : dim))
  return { ...found, shape }
}

function bound(type: ValueType, bind: InferOptions['bind']): ValueType {
  if (!bind || !isTensorType(type) || !type.shape) return type
  return { ...type, shape: bindShape(type.shape, bind) }
}

/** A shape with sizes in its symbols' places. */
export function bindShape(shape: Shape, bind: Readonly<Record<string, number>>): Shape {
  return shape.map((dim): Dim => (typeof dim === 'number' ? dim : (bind[dim] ?? bind['*'] ?? dim)))
}
