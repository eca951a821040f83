import { brokenGraph, check } from '../graph/check.ts'
import type { Graph } from '../graph/graph.ts'
import { decode } from '../onnx/decode.ts'

/**
 * A model as a graph whose structure is sound: engines may end the process over what is broken.
 * @throws SinterError `invalid-model` if the bytes are no model, `invalid-graph` with `details.problems` if it is broken.
 */
export function validated(model: Graph | Uint8Array): Graph {
  const graph = model instanceof Uint8Array ? decode(model) : model
  const problems = check(graph)
  if (problems.length > 0) throw brokenGraph(graph.name, problems)
  return graph
}
