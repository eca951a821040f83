import { mapBodies } from '../graph/edit.ts'
import type { Attribute, Body, Extra, Graph, Node, Value } from '../graph/graph.ts'

/**
 * A graph without what nobody needs to run it: documentation, metadata, the producer's name, and the types of values in
 * between, which follow from the rest. What the format has beside these stays.
 */
export function stripMetadata(graph: Graph): Graph {
  const { producer: _, modelExtra, ...rest } = stripBody(graph)
  return { ...rest, metadata: {}, ...kept('modelExtra', modelExtra) }
}

function stripBody<B extends Body>(body: B): B {
  const { extra, ...rest } = body
  const stripped = {
    ...rest,
    inputs: body.inputs.map(bare),
    outputs: body.outputs.map(bare),
    nodes: body.nodes.map(stripNode),
    types: new Map(),
    ...kept('extra', extra),
  }
  return stripped as unknown as B
}

function stripNode(node: Node): Node {
  const { extra, ...rest } = node
  const attributes = Object.fromEntries(
    Object.entries(mapBodies(node, stripBody)).map(([name, one]) => [name, bare(one)]),
  )
  return { ...rest, attributes, ...kept('extra', extra) }
}

function bare<T extends Value | Attribute>(one: T): T {
  const { extra, ...rest } = one
  return { ...rest, ...kept('extra', extra) } as T
}

/** Fields that Sinter does not interpret may mean something to others. */
function kept<K extends string>(key: K, extra: Extra | undefined): { readonly [name in K]?: Extra } {
  return (extra?.unknown ? { [key]: { unknown: extra.unknown } } : {}) as { readonly [name in K]?: Extra }
}
