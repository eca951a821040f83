import { SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { downgrade } from './downgrade.ts'
import { upgrade } from './upgrade.ts'

/**
 * A graph in another opset, newer or older, that computes what it did.
 * @throws SinterError `not-supported` if some nodes cannot be said in it; `details.nodes` lists them with the reasons.
 */
export function inOpset(graph: Graph, opset: number): Graph {
  const { graph: made, refused } = opset > (graph.opset[''] ?? opset) ? upgrade(graph, opset) : downgrade(graph, opset)
  if (refused.length === 0) return made
  const shown = refused.slice(0, 10).map(({ node, why }) => `${node}: ${why}`)
  const more = refused.length > 10 ? `, and ${refused.length - 10} more` : ''
  throw new SinterError(
    'not-supported',
    `The model cannot be said in opset ${opset}: ${shown.join('; ')}${more}. Ask for another, or leave the opset out.`,
    { opset, nodes: refused },
  )
}
