import type { Tensor } from '../../base/tensor.ts'
import { mapBodies } from '../../graph/edit.ts'
import { type Body, bodiesOf, type Node } from '../../graph/graph.ts'
import { constantOf } from '../../ops/generate.ts'
import { pass } from '../../rewrite/pass.ts'

/**
 * Makes initializers of what Constant nodes hold, under the same names, in bodies too: some exporters write all weights
 * that way. What is a node cannot be trained, and not every engine prepacks it. Sparse constants stay, and so do those
 * that the graph or a body gives back.
 */
export const liftConstants = pass('lift-constants', liftIn)

function liftIn<B extends Body>(body: B): B {
  const given = new Set(body.outputs.map(({ name }) => name))
  const lifted = new Map<string, Tensor>()
  const nodes: Node[] = []
  let changed = false
  for (const node of body.nodes) {
    const value = constantOf(node)
    const [name] = node.outputs
    if (value && name && !given.has(name)) {
      lifted.set(name, value)
      changed = true
      continue
    }
    const attributes = bodiesOf(node).length === 0 ? node.attributes : mapBodies(node, liftIn)
    changed ||= attributes !== node.attributes
    nodes.push(attributes === node.attributes ? node : { ...node, attributes })
  }
  if (!changed) return body
  return lifted.size === 0
    ? { ...body, nodes }
    : { ...body, nodes, initializers: new Map([...body.initializers, ...lifted]) }
}
