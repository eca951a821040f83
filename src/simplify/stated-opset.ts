import { type Body, bodiesOf, dialect, type Graph } from '../graph/graph.ts'
import { type Pass, pass, titleOf } from '../rewrite/pass.ts'

/**
 * A pass for graphs that state no opset of the standard, as those of other domains alone need not: what it builds is of
 * the dialect, and the graph says so if any of it stays.
 */
export function withStatedOpset(run: Pass): Pass {
  return pass(titleOf(run), (graph, trace) => {
    if (graph.opset[''] !== undefined) return run(graph, trace)
    const stated: Graph = { ...graph, opset: { ...graph.opset, '': dialect } }
    const made = run(stated, trace)
    if (made === stated) return graph
    return usesStandard(made) ? made : { ...made, opset: graph.opset }
  })
}

function usesStandard(body: Body): boolean {
  return body.nodes.some(node => node.domain === '' || bodiesOf(node).some(usesStandard))
}
