import { SinterError } from '../base/errors.ts'
import { check } from '../graph/check.ts'
import type { Graph } from '../graph/graph.ts'
import { decode } from '../onnx/decode.ts'
import { encode } from '../onnx/encode.ts'

/**
 * A model as a graph and as the bytes that an engine loads, whichever of the two it is given as, after a check of its
 * structure: engines may end the process over what is broken.
 * @throws SinterError `invalid-model` if the bytes are no model, `invalid-graph` with `details.problems` if it is broken.
 */
export function validated(model: Graph | Uint8Array): { readonly graph: Graph; readonly bytes: Uint8Array } {
  const graph = model instanceof Uint8Array ? decode(model) : model
  const problems = check(graph)
  if (problems.length > 0) {
    const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    throw new SinterError('invalid-graph', `The graph '${graph.name}' is broken: ${problems[0]!.message}${rest}`, {
      problems,
    })
  }
  return { graph, bytes: model instanceof Uint8Array ? model : encode(graph) }
}
