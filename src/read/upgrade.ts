import { type Draft, edit, mapBodies } from '../graph/edit.ts'
import { type Body, describe, dialect, type Graph, type Node } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'
import { upgradeNode } from '../ops/upgrade.ts'
import { infer, scopeInside, scopeOf } from './infer.ts'

export interface Refusal {
  /** The node in words. */
  readonly node: string
  readonly why: string
}

export interface Upgraded {
  /** The graph in the newer opset; the one given if a node refuses, or if nothing is older. */
  readonly graph: Graph
  /** What cannot be upgraded. The whole graph stays then: it can be of one opset only. */
  readonly refused: readonly Refusal[]
}

/**
 * Rewrites a graph and the bodies inside of it to a newer opset, by the steps in the operators' records. Node by node it
 * computes what it did; values keep their names.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function upgrade(graph: Graph, to: number = dialect): Upgraded {
  const from = graph.opset['']
  if (from === undefined || from >= to) return { graph, refused: [] }
  const refused: Refusal[] = []
  const upgraded = edit(
    graph,
    draft => {
      const scope = scopeOf(graph, infer(graph))
      for (const node of graph.nodes) {
        const nodes = upgradedNodes(node, graph, scope, to, draft, refused)
        if (nodes.length === 1 && nodes[0] === node) continue
        draft.remove(node)
        draft.add(...nodes)
      }
    },
    { keepUnused: true },
  )
  if (refused.length > 0) return { graph, refused }
  return { graph: { ...upgraded, opset: { ...graph.opset, '': to } }, refused }
}

function upgradedNodes(
  node: Node,
  graph: Graph,
  scope: Scope,
  to: number,
  draft: Draft,
  refused: Refusal[],
): readonly Node[] {
  const attributes = mapBodies(node, body =>
    upgradedBody(body, graph, scopeInside(graph, body, scope), to, draft, refused),
  )
  const inner = attributes === node.attributes ? node : { ...node, attributes }
  // Constants that a body's nodes need stand in the graph around it, under names that nothing else has.
  const result = upgradeNode(inner, scope, to, draft)
  if ('nodes' in result) return result.nodes
  refused.push({ node: describe(node), why: result.refused })
  return [node]
}

function upgradedBody(body: Body, graph: Graph, scope: Scope, to: number, draft: Draft, refused: Refusal[]): Body {
  const nodes = body.nodes.flatMap(node => upgradedNodes(node, graph, scope, to, draft, refused))
  return nodes.every((node, i) => node === body.nodes[i]) ? body : { ...body, nodes }
}
