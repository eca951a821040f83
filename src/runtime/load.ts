import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Engine from 'onnxruntime-node'
import type { Graph } from '../graph/graph.ts'
import { encode } from '../onnx/encode.ts'
import { tensorBytesOf } from '../onnx/external.ts'
import { writeModel } from '../onnx/files.ts'

/** Above this many bytes of tensors a graph goes to the engine through files: protobuf messages end at 2 GiB. */
export const inlineBytes = 2 ** 31 - 2 ** 26

/** Has the engine load a graph: through memory, or, where it is too large for that, a temporary model with external data. */
export async function load(
  engine: typeof Engine,
  graph: Graph,
  settings: Engine.InferenceSession.SessionOptions,
  limit = inlineBytes,
): Promise<Engine.InferenceSession> {
  if (tensorBytesOf(graph) <= limit) return engine.InferenceSession.create(encode(graph), settings)
  const folder = await mkdtemp(join(tmpdir(), 'sinter-model-'))
  try {
    const path = join(folder, 'model.onnx')
    await writeModel(path, graph, { external: 'always' })
    return await engine.InferenceSession.create(path, settings)
  } finally {
    // What the engine has mapped stays readable; where a system forbids removing it now, it is the system's to clean.
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}
