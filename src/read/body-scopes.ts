import type { ValueType } from '../base/shape.ts'
import { type Body, bodiesOf, type Graph, type Node } from '../graph/graph.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import { type InferOptions, scopeInside, scopeWithin } from './infer.ts'

/**
 * The scopes inside of a node's bodies, each with the types that the node gives to its body's inputs: the operator itself
 * says, while its outputs are inferred, what its bodies are given. Of an If, a branch that does not fit the values around
 * it is missing, as it is never taken. Bodies of operators that Sinter does not know are taken as they state themselves.
 */
export function bodyScopes(
  graph: Graph,
  node: Node,
  around: Scope,
  bind?: InferOptions['bind'],
): ReadonlyMap<Body, Scope> {
  const scopes = new Map<Body, Scope>()
  const bodies = bodiesOf(node)
  if (bodies.length === 0) return scopes
  inferNode(node, {
    ...around,
    inferBody(body: Body, inputs: readonly (ValueType | undefined)[]) {
      const scope = scopeWithin(graph, body, inputs, around, bind)
      // A loop asks again with what changes between iterations taken back; the last answer holds for all of them.
      scopes.set(body, scope)
      return body.outputs.map(({ name }) => scope.type(name))
    },
  })
  if (scopes.size === 0) for (const body of bodies) scopes.set(body, scopeInside(graph, body, around, bind))
  return scopes
}
