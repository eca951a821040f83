import { SinterError } from '../../base/errors.ts'
import { mapBodies, namesOf } from '../../graph/edit.ts'
import { freshNames } from '../../graph/fresh-names.ts'
import { type Body, bodiesOf, type Graph, type Node } from '../../graph/graph.ts'
import type { Scope } from '../../ops/call.ts'
import { keyOf } from '../../ops/spec.ts'
import { infer, scopeInside, scopeOf, scopeWithin } from '../../read/infer.ts'
import { pass } from '../../rewrite/pass.ts'
import { definitions, type Inlined, inlineBody, withInlined } from './inline-body.ts'

/**
 * Puts in an If's place its one branch whose shapes fit, where those of the other do not: sizes that inputs are pinned to
 * may be such that a branch fails whenever it is taken (a model for two sampling rates on chunks of one of them). What ran
 * before gives what it gave. Engines refuse to load a graph with such a branch, taken or not.
 */
export const dropFailingBranches = pass('drop-failing-branches', graph => {
  if (!graph.nodes.some(node => bodiesOf(node).length > 0)) return graph
  const types = attempt(() => infer(graph))
  if (!types) return graph
  const counts = definitions(graph)
  const names = { isFree: (name: string) => counts.get(name) === 1, fresh: freshNames(namesOf(graph)) }

  function dropIn<B extends Body>(body: B, scope: Scope): B {
    const inlined: Inlined[] = []
    const nodes: Node[] = []
    for (const node of body.nodes) {
      const branch = onlyFitting(node, graph, scope)
      if (branch) {
        const one = inlineBody(dropIn(branch, scopeWithin(graph, branch, [], scope)), [], node.outputs, names)
        inlined.push(one)
        for (const inner of one.nodes) nodes.push(inner)
        continue
      }
      const attributes = mapBodies(node, inner => dropIn(inner, scopeInside(graph, inner, scope)))
      nodes.push(attributes === node.attributes ? node : { ...node, attributes })
    }
    const same = nodes.length === body.nodes.length && nodes.every((node, i) => node === body.nodes[i])
    return same ? body : withInlined(body, nodes, inlined)
  }
  return dropIn(graph, scopeOf(graph, types))
})

/** The branch of an If that fits what is around it, where the other does not. */
function onlyFitting(node: Node, graph: Graph, scope: Scope): Body | undefined {
  if (keyOf(node) !== 'If') return undefined
  const { then_branch: then, else_branch: otherwise } = node.attributes
  if (then?.type !== 'graph' || otherwise?.type !== 'graph') return undefined
  const fitting = [then.value, otherwise.value].filter(
    branch => attempt(() => scopeWithin(graph, branch, [], scope)) !== undefined,
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (error instanceof SinterError) return undefined
    throw error
  }
}
