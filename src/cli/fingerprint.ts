import { createHash } from 'node:crypto'
import { bytesOf } from '../base/tensor.ts'
import { batches } from '../data/batches.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Graph } from '../graph/graph.ts'
import { encodePieces } from '../onnx/encode.ts'

/** Identifies a training by its model, its data and its options, down to their contents: a SHA-256 in hex digits. */
export async function fingerprintOf(graph: Graph, data: Dataset, options: unknown): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(options))
  for (const piece of encodePieces(graph).pieces) hash.update(piece)
  for await (const batch of batches(data, { size: 1024 })) {
    for (const [field, tensor] of Object.entries(batch)) hash.update(field).update(bytesOf(tensor))
  }
  return hash.digest('hex')
}
