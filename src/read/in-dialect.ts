import { dialect, type Graph } from '../graph/graph.ts'
import { downgrade } from './downgrade.ts'
import { type Upgraded, upgrade } from './upgrade.ts'

/**
 * A graph in the opset that Sinter works in: older ones upgraded, and newer ones that use nothing newer brought down. One
 * with a node that refuses stays in its own opset.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function inDialect(graph: Graph): Upgraded {
  return (graph.opset[''] ?? dialect) > dialect ? downgrade(graph, dialect) : upgrade(graph)
}
