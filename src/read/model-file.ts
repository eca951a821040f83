import type { Graph } from '../graph/graph.ts'
import { readModel, type WriteOptions, writeModel } from '../onnx/files.ts'
import { assertValid } from './check.ts'
import { inDialect } from './in-dialect.ts'

/**
 * Opens an ONNX file: read, checked, and brought to the opset that Sinter works in. A graph with a node that has no form
 * there stays in its own opset.
 * @throws SinterError `not-found`, `io`, `invalid-model` where there is no model to read; `invalid-path` for external
 *   data outside of its folder; `invalid-graph`, with `details.problems`, for one that breaks the rules of ONNX.
 */
export async function load(path: string): Promise<Graph> {
  const graph = await readModel(path)
  assertValid(graph)
  return inDialect(graph).graph
}

/**
 * Writes a graph as an ONNX file: whole or not at all. Beyond 2 GB its tensors go to a file beside it.
 * @returns the files written: the model's, and that of its tensors where there is one.
 * @throws SinterError `invalid-graph` for a graph that breaks the rules of ONNX (nothing is written); `not-found` if the
 *   folder does not exist; `io`.
 */
export async function save(path: string, graph: Graph, options: WriteOptions = {}): Promise<readonly string[]> {
  assertValid(graph)
  return await writeModel(path, graph, options)
}
