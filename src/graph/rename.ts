import type { Tensor } from '../base/tensor.ts'
import { mapBodies } from './edit.ts'
import type { Body, Node, Value } from './graph.ts'

/**
 * The graph with every value under the name that `rename` gives it, in the bodies of its nodes too. Different names must
 * stay different; the empty name of an omitted input or output is left alone.
 */
export function renameValues<B extends Body>(body: B, rename: (name: string) => string): B {
  const known = (name: string) => (name === '' ? '' : rename(name))
  const value = (one: Value): Value => ({ ...one, name: known(one.name) })
  const keys = <T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...map].map(([name, item]) => [known(name), item]))
  const nodes = body.nodes.map(
    (node): Node => ({
      ...node,
      inputs: node.inputs.map(known),
      outputs: node.outputs.map(known),
      attributes: mapBodies(node, inner => renameValues(inner, rename)),
    }),
  )
  return {
    ...body,
    inputs: body.inputs.map(value),
    outputs: body.outputs.map(value),
    nodes,
    initializers: keys<Tensor>(body.initializers),
    types: keys(body.types),
    ...(body.sparseInitializers ? { sparseInitializers: keys(body.sparseInitializers) } : {}),
  }
}
