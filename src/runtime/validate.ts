import type { Graph } from '../graph/graph.ts'
import { assertValid } from '../read/check.ts'

/** Graphs in which nothing was wrong; a graph never changes. */
const sound = new WeakSet<Graph>()

/**
 * Makes sure that nothing is wrong with a graph as far as Sinter can tell, by its structure and by its operators' rules:
 * engines may end the process over what is broken. A graph is looked at once.
 * @throws SinterError `invalid-graph` with `details.problems` if something is.
 */
export function assertSound(graph: Graph): void {
  if (sound.has(graph)) return
  assertValid(graph)
  sound.add(graph)
}
