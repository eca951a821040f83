import { random } from '../../../src/base/random.ts'
import type { Graph } from '../../../src/graph/graph.ts'
import { decode } from '../../../src/onnx/decode.ts'
import { encode } from '../../../src/onnx/encode.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateGraph } from './mutate-graph.ts'
import type { Source } from './sources.ts'

/** One damaged file: the same for the same seed, number and sources. */
export interface Mutation {
  readonly from: string
  readonly bytes: Uint8Array
}

/** The mutation of a number: of a file's bytes, or of the graph in it, or of both. */
export function mutationOf(seed: number, number: number, from: readonly Source[]): Mutation {
  const draw = random(seed).fork(number)
  // Real models and cases take turns, as there are many more cases.
  const group = draw.integer(2) === 0 ? from : from.filter(({ name }) => !name.endsWith('/model.onnx'))
  const source = group[draw.integer(group.length)]!
  const other = from[draw.integer(from.length)]!
  const kind = draw.integer(5)
  let { bytes } = source
  if (kind >= 2)
    bytes = encoded(mutateGraph(decode(new Uint8Array(bytes)), decode(new Uint8Array(other.bytes)), draw)) ?? bytes
  if (kind < 2 || kind === 4) bytes = mutateBytes(bytes, other.bytes, draw)
  return { from: source.name, bytes: bytes === source.bytes ? bytes.slice() : bytes }
}

/** Some mutations cannot be said in a file. */
function encoded(graph: Graph): Uint8Array | undefined {
  try {
    return encode(graph)
  } catch {
    return undefined
  }
}
