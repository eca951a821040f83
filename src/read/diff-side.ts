import { formatType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import {
  type Attribute,
  type Body,
  bodiesOf,
  capturesOf,
  type Graph,
  type Node,
  requiredInputs,
} from '../graph/graph.ts'
import { constantOf } from '../ops/generate.ts'
import { operatorOf } from '../ops/index.ts'
import { attributesOf, keyOf } from '../ops/spec.ts'

/** One place where a value is read. */
export interface Use {
  readonly node: Node
  readonly port: number
}

/** One of two graphs that are compared: its nodes without those that only hold constants, and look-ups over them. */
export interface Side {
  readonly graph: Graph
  readonly nodes: readonly Node[]
  /** What a caller must feed. */
  readonly inputs: readonly string[]
  constant(name: string): Tensor | undefined
  producer(name: string): { readonly node: Node; readonly index: number } | undefined
  uses(name: string): readonly Use[]
  /** What a node reads: its inputs, then what its bodies capture. */
  operands(node: Node): readonly string[]
  /** A node without its operands: operator and attributes, defaults filled in, tensors and bodies by their contents. */
  form(node: Node): string
}

/** @param idOf numbers tensors by content, the same for both sides. */
export function sideOf(graph: Graph, idOf: (t: Tensor) => number): Side {
  const constants = new Map<string, Tensor>(graph.initializers)
  const nodes: Node[] = []
  const producers = new Map<string, { node: Node; index: number }>()
  const uses = new Map<string, Use[]>()
  const fed = new Set(requiredInputs(graph).map(({ name }) => name))
  for (const node of graph.nodes) {
    const value = constantOf(node)
    if (value) {
      constants.set(node.outputs[0]!, value)
      continue
    }
    nodes.push(node)
    node.outputs.forEach((name, index) => {
      if (name !== '') producers.set(name, { node, index })
    })
    operandsOf(node).forEach((name, port) => {
      if (name === '') return
      const list = uses.get(name)
      if (list) list.push({ node, port })
      else uses.set(name, [{ node, port }])
    })
  }
  const forms = new Map<Node, string>()
  return {
    graph,
    nodes,
    inputs: [...fed],
    constant: name => constants.get(name),
    producer: name => producers.get(name),
    uses: name => uses.get(name) ?? [],
    operands: operandsOf,
    form(node) {
      const known = forms.get(node)
      if (known !== undefined) return known
      const form = formOf(node, graph, idOf)
      forms.set(node, form)
      return form
    },
  }
}

function operandsOf(node: Node): readonly string[] {
  const bodies = bodiesOf(node)
  if (bodies.length === 0) return node.inputs
  return [...node.inputs, ...new Set(bodies.flatMap(body => [...capturesOf(body)]))]
}

export function isCommutative(node: Node): boolean {
  return operatorOf(node)?.commutative ?? false
}

function formOf(node: Node, graph: Graph, idOf: (t: Tensor) => number): string {
  const attributes = Object.entries(attributesOf(node, graph.opset[node.domain] ?? 1))
    .map(([name, value]) => `${name}=${attributeText(node.attributes[name], value, graph, idOf)}`)
    .sort()
  return `${keyOf(node)}(${attributes.join(';')})`
}

function attributeText(
  attribute: Attribute | undefined,
  value: unknown,
  graph: Graph,
  idOf: (t: Tensor) => number,
): string {
  const tensorText = (t: Tensor) => `tensor ${idOf(t)}`
  if (attribute?.type === 'tensor') return tensorText(attribute.value)
  if (attribute?.type === 'tensors') return attribute.value.map(tensorText).join(' ')
  if (attribute?.type === 'graph') return bodyText(attribute.value, graph, idOf)
  if (attribute?.type === 'graphs') return attribute.value.map(body => bodyText(body, graph, idOf)).join(' ')
  if (attribute?.type === 'type') return formatType(attribute.value)
  return JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one))
}

/** What a body computes, whatever its values are called: names by the order in which they appear. */
function bodyText(body: Body, graph: Graph, idOf: (t: Tensor) => number): string {
  const ids = new Map<string, string>([['', '']])
  const idOfName = (name: string) => {
    const known = ids.get(name)
    if (known !== undefined) return known
    const made = `around${ids.size}`
    ids.set(name, made)
    return made
  }
  for (const [i, { name }] of body.inputs.entries()) ids.set(name, `in${i}`)
  for (const [name, value] of body.initializers) ids.set(name, `tensor ${idOf(value)}`)
  const lines: string[] = []
  for (const node of body.nodes) {
    const value = constantOf(node)
    if (value) {
      ids.set(node.outputs[0]!, `tensor ${idOf(value)}`)
      continue
    }
    const reads = operandsOf(node).map(idOfName)
    for (const [i, name] of node.outputs.entries()) ids.set(name, `node${lines.length}.${i}`)
    lines.push(`${formOf(node, graph, idOf)}<${reads}>`)
  }
  return `{${lines.join('|')}=>${body.outputs.map(({ name }) => idOfName(name))}}`
}
