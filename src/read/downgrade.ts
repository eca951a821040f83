import { dropUnused, mapBodies } from '../graph/edit.ts'
import { type Body, describe, type Graph, type Node } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'
import { downgradeNode } from '../ops/downgrade.ts'
import { infer, scopeInside, scopeOf } from './infer.ts'
import type { Refusal, Upgraded } from './upgrade.ts'

/**
 * Rewrites a graph and the bodies inside of it to an older opset, node by node; values keep their names. What an older
 * form cannot say is refused, and the graph stays as it is then. `all` lists every node that refuses, not just the first.
 */
export function downgrade(graph: Graph, to: number, { all = true }: { readonly all?: boolean } = {}): Upgraded {
  const from = graph.opset['']
  if (from === undefined || from <= to) return { graph, refused: [] }
  const refused: Refusal[] = []
  const inBody = <B extends Body>(body: B, scope: Scope): B => {
    const nodes = body.nodes.map((node): Node => {
      if (refused.length > 0 && !all) return node
      const attributes = mapBodies(node, inner => inBody(inner, scopeInside(graph, inner, scope)))
      const whole = attributes === node.attributes ? node : { ...node, attributes }
      const result = downgradeNode(whole, scope, to)
      if ('node' in result) return result.node
      refused.push({ node: describe(node), why: result.refused })
      return node
    })
    // Constants that have become attributes are read no more.
    return nodes.every((node, i) => node === body.nodes[i]) ? body : dropUnused({ ...body, nodes })
  }
  const older = inBody(graph, scopeOf(graph, infer(graph)))
  return refused.length > 0 ? { graph, refused } : { graph: { ...older, opset: { ...graph.opset, '': to } }, refused }
}
