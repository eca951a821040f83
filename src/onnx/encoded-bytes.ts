import { isLazy } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { encodePieces } from './encode.ts'
import { layOut, tensorBytesOf } from './external.ts'

/** Above this many bytes of tensors their data is not looked at: what they take is known from their shapes. */
const bulky = 2 ** 28

/**
 * Bytes that a graph takes as a file, external data included. Exact but for the references to external data where tensors
 * are large or have not been read from their files.
 * @throws SinterError as `encode` does.
 */
export function encodedBytes(graph: Graph): number {
  const lazy = [...graph.initializers.values()].some(isLazy)
  if (!lazy && tensorBytesOf(graph) < bulky) return encodePieces(graph).byteLength
  const { ranges } = layOut(graph)
  const { byteLength } = encodePieces(graph, { external: { location: 'data', ranges } })
  return [...ranges.values()].reduce((sum, { length }) => sum + length, byteLength)
}
