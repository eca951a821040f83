import type { ValueType } from '../../base/shape.ts'
import type { Tensor } from '../../base/tensor.ts'
import { node as toNode } from '../../graph/edit.ts'
import { type Body, definedBy, type Node, type SparseTensor } from '../../graph/graph.ts'
import { renameValues } from '../../graph/rename.ts'

/** What of a body is to stand in the body around it. */
export interface Inlined {
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Tensor>
  readonly sparseInitializers: ReadonlyMap<string, SparseTensor>
  readonly types: ReadonlyMap<string, ValueType>
}

/**
 * A body's nodes as they run around it. Values keep their names where `isFree` says that nothing else has them, and get
 * others of `fresh` else.
 * @param inputs Names of the values that stand for the body's inputs, in order.
 * @param outputs Names that the body's outputs get, in order; '' for those that are not wanted. Each is made by an Identity.
 */
export function inlineBody(
  body: Body,
  inputs: readonly string[],
  outputs: readonly string[],
  names: { isFree(name: string): boolean; fresh(hint: string): string },
): Inlined {
  const renames = new Map<string, string>()
  for (const name of definedBy(body)) if (name !== '' && !names.isFree(name)) renames.set(name, names.fresh(name))
  body.inputs.forEach(({ name }, i) => {
    renames.set(name, inputs[i]!)
  })
  const renamed = renameValues(body, name => renames.get(name) ?? name)
  const given = outputs.flatMap((name, i) =>
    name === '' ? [] : [toNode({ op: 'Identity', inputs: [renamed.outputs[i]!.name], outputs: [name] })],
  )
  return {
    nodes: [...renamed.nodes.map(node => namedApart(node, names)), ...given],
    initializers: renamed.initializers,
    sparseInitializers: renamed.sparseInitializers ?? new Map(),
    types: renamed.types,
  }
}

/** A node under a name of its own: engines refuse two of one name. */
function namedApart(node: Node, names: { isFree(name: string): boolean; fresh(hint: string): string }): Node {
  return node.name === '' || names.isFree(nodeKey(node)) ? node : { ...node, name: names.fresh(node.name) }
}

/** Nodes are counted apart from values, which may go by the same name. */
const nodeKey = ({ name }: Node) => `\n${name}`

/** How many values and nodes of a graph, in all its bodies, go by each name: bodies that do not see each other may share names. */
export function definitions(body: Body, counts: Map<string, number> = new Map()): Map<string, number> {
  for (const name of definedBy(body)) counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const node of body.nodes) {
    counts.set(nodeKey(node), (counts.get(nodeKey(node)) ?? 0) + 1)
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.type === 'graph') definitions(attribute.value, counts)
      else if (attribute.type === 'graphs') for (const inner of attribute.value) definitions(inner, counts)
    }
  }
  return counts
}

/** A body with what was inlined put in the places of nodes. */
export function withInlined<B extends Body>(body: B, nodes: readonly Node[], inlined: readonly Inlined[]): B {
  const add = <T>(own: ReadonlyMap<string, T>, kind: (one: Inlined) => ReadonlyMap<string, T>) =>
    new Map([...own, ...inlined.flatMap(one => [...kind(one)])])
  const sparse = add(body.sparseInitializers ?? new Map<string, SparseTensor>(), one => one.sparseInitializers)
  return {
    ...body,
    nodes,
    initializers: add(body.initializers, one => one.initializers),
    types: add(body.types, one => one.types),
    ...(sparse.size > 0 ? { sparseInitializers: sparse } : {}),
  }
}
