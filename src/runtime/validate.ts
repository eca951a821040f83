import type { Graph } from '../graph/graph.ts'
import { decode } from '../onnx/decode.ts'
import { encode } from '../onnx/encode.ts'

/**
 * A model as a graph and as the bytes that an engine loads, whichever of the two it is given as.
 * @throws SinterError `invalid-model` or `invalid-graph`: engines may end the process over what is broken.
 */
export function validated(model: Graph | Uint8Array): { readonly graph: Graph; readonly bytes: Uint8Array } {
  if (model instanceof Uint8Array) return { graph: decode(model), bytes: model }
  return { graph: model, bytes: encode(model) }
}
