import { elementCount } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { type Body, bodiesOf, type Graph, type Node, readsOf } from '../graph/graph.ts'
import { reachable } from '../graph/view.ts'
import { callOf, type Scope } from '../ops/call.ts'
import { isFollowed, mostFollowed } from '../ops/contents.ts'
import { operatorOf } from '../ops/index.ts'
import { bodyScopes } from '../read/body-scopes.ts'
import { infer, scopeOf } from '../read/infer.ts'
import type { Feeds } from './backend.ts'

/**
 * The inputs whose values could end an engine's process, by the records' `hazard`: integers divided of which the divisor
 * is computed, lengths that are fed. Most graphs have none.
 */
export function hazardousInputs(graph: Graph): readonly string[] {
  const scope = scopeOf(graph, infer(graph))
  const reads = graph.nodes.flatMap(node => (isHazardous(graph, node, scope) ? readsOf(node) : []))
  if (reads.length === 0) return []
  const reached = reachable(graph, reads)
  return graph.inputs.flatMap(({ name }) => (reached.has(name) ? [name] : []))
}

/** Whether a node, or one inside of its bodies, is a hazard. */
function isHazardous(graph: Graph, node: Node, scope: Scope): boolean {
  if (operatorOf(node)?.hazard(callOf(node, scope))) return true
  if (bodiesOf(node).length === 0) return false
  const inside = ([body, within]: [Body, Scope]) => body.nodes.some(one => isHazardous(graph, one, within))
  return Array.from(bodyScopes(graph, node, scope)).some(inside)
}

/** What is fed of some inputs, as far as inference follows it. */
export function followedFeeds(names: readonly string[], feeds: Feeds): ReadonlyMap<string, Tensor> {
  const followed = new Map<string, Tensor>()
  for (const name of names) {
    const fed = feeds[name]
    if (fed && isFollowed(fed.dtype) && elementCount(fed.shape) <= mostFollowed) followed.set(name, fed)
  }
  return followed
}
