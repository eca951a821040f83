import { contentIds } from '../base/content.ts'
import type { Tensor } from '../base/tensor.ts'
import { dropUnused, mapBodies, renameReads } from '../graph/edit.ts'
import { type Attribute, type Body, bodiesOf, type Graph, type Node } from '../graph/graph.ts'
import { operatorOf } from '../ops/index.ts'
import { keyOf, schemaOf } from '../ops/spec.ts'
import { pass } from './pass.ts'

/**
 * Computes once what several nodes would compute alike: same operator, same attributes, same inputs, where constants are
 * the same if their contents are (common subexpression elimination). Equal constants of nodes that stay apart stay apart
 * too: parameters that start out equal are not tied by that. Operators that draw random numbers, those of unknown sets,
 * and nodes with bodies are left alone; within bodies, what a node computes that is computed around them is taken from there.
 */
export const shareEqual = pass('share-equal', graph => {
  const idOf = contentIds()
  const shared = shareIn(graph, { opset: graph.opset, idOf, constantId: () => undefined, twinOf: () => undefined })
  return shared === graph ? graph : dropUnused(shared)
})

/** The same for graphs whose equal constants have one name already: no constant is read. */
export const shareEqualByName = pass('share-equal', graph => {
  const idOf = contentIds()
  return shareIn(graph, { opset: graph.opset, idOf, constantId: undefined, twinOf: () => undefined })
})

/** What is known around a body. */
interface Around {
  readonly opset: Graph['opset']
  readonly idOf: (t: Tensor) => number
  /** The number of a constant's contents, by its name; undefined as a whole where names say enough. */
  readonly constantId: ((name: string) => number | undefined) | undefined
  /** The node that computed something first, by its key. */
  twinOf(key: string): Node | undefined
}

function shareIn<B extends Body>(body: B, around: Around): B {
  const { opset, idOf, constantId } = around
  const inputs = new Set(body.inputs.map(({ name }) => name))
  const outputs = new Set(body.outputs.map(({ name }) => name))
  const idIn = (name: string) => {
    if (inputs.has(name)) return undefined
    const constant = body.initializers.get(name)
    return constant ? idOf(constant) : constantId?.(name)
  }
  const shared = new Map<string, string>()
  const first = new Map<string, Node>()
  const inner: Around = {
    opset,
    idOf,
    constantId: constantId && idIn,
    twinOf: key => first.get(key) ?? around.twinOf(key),
  }
  const rename = (name: string) => shared.get(name) ?? name
  let changed = false
  const nodes: Node[] = []
  for (const old of body.nodes) {
    // Readers go over to the first node's values as they come, so that equal chains are found in one walk.
    let node = shared.size > 0 ? renameReads(old, rename) : old
    if (bodiesOf(node).length > 0) {
      const attributes = mapBodies(node, one => shareIn(one, inner))
      if (attributes !== node.attributes) node = { ...node, attributes }
    }
    changed ||= node !== old
    const key = keyFor(node, opset, idOf, constantId && idIn)
    const twin = key === undefined ? undefined : inner.twinOf(key)
    if (!twin) {
      if (key !== undefined) first.set(key, node)
      nodes.push(node)
      continue
    }
    node.outputs.forEach((name, i) => {
      if (name !== '') shared.set(name, twin.outputs[i]!)
    })
    // It must stay as the maker of an output.
    if (node.outputs.some(name => outputs.has(name))) nodes.push(node)
    else changed = true
  }
  return changed ? { ...body, nodes } : body
}

/**
 * Text that is equal for nodes that compute the same; undefined for those that cannot be compared. Values are told by their
 * names, but for constants that `constantId` numbers.
 */
export function keyFor(
  node: Node,
  opset: Graph['opset'],
  idOf: (t: Tensor) => number,
  constantId: ((name: string) => number | undefined) | undefined,
): string | undefined {
  if (bodiesOf(node).length > 0 || !isRepeatable(node, opset)) return undefined
  const attributes = attributesKey(node, idOf)
  if (attributes === undefined) return undefined
  const reads = node.inputs.map(name => {
    const id = constantId?.(name)
    return id === undefined ? `=${name}` : `#${id}`
  })
  if (reads.length === 2 && operatorOf(node)?.commutative) reads.sort()
  const made = node.outputs.map(name => (name === '' ? 0 : 1)).join('')
  return [keyOf(node), node.overload ?? '', attributes, made, ...reads].join('\n')
}

/** Whether equal inputs give equal outputs. By the standard, whatever draws random numbers has an attribute `seed`. */
export function isRepeatable(node: Node, opset: Graph['opset']): boolean {
  const schema = schemaOf(node, opset[node.domain] ?? 1)
  return schema !== undefined && !('seed' in schema.attributes)
}

/** Text that is equal for equal attributes; undefined where they cannot be compared. */
function attributesKey({ attributes }: Node, idOf: (t: Tensor) => number): string | undefined {
  const parts: string[] = []
  for (const name of Object.keys(attributes).sort()) {
    const value = valueKey(attributes[name]!, idOf)
    if (value === undefined) return undefined
    parts.push(`${name}=${value}`)
  }
  return parts.join(';')
}

function valueKey(attribute: Attribute, idOf: (t: Tensor) => number): string | undefined {
  switch (attribute.type) {
    case 'int':
    case 'float':
      return numberKey(attribute.value)
    case 'ints':
    case 'floats':
      return (attribute.value as readonly (number | bigint)[]).map(numberKey).join()
    case 'string':
    case 'strings':
      return JSON.stringify(attribute.value)
    case 'tensor':
      return `#${idOf(attribute.value)}`
    default:
      return undefined
  }
}

function numberKey(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value)
}
