import { create } from '@bufbuild/protobuf'
import { SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { assertNesting } from '../graph/nesting.ts'
import { encodeBody } from './encode-graph.ts'
import { type ModelProto, OperatorSetIdProtoSchema } from './generated/onnx_pb.ts'
import { concatenate, maxMessageBytes, serialize } from './pieces.ts'
import { entriesOf, restored } from './rest.ts'
import { ModelSchema } from './schema.ts'
import { type ExternalFile, unwritable } from './writing.ts'

export interface EncodeOptions {
  /** Tensors that are not written into the model, but refer to a data file beside it (see `layOut`). */
  readonly external?: ExternalFile
}

/**
 * Writes a graph as an ONNX model, with what `decode` kept of the file that it was read from. Tensors are written as
 * raw bytes; the numbers of attributes are rounded to float32. A graph made here gets the version of the format that
 * came with its operator set, and one that was read no newer than that needs.
 *
 * @throws SinterError `invalid-graph` for what no ONNX file can say, such as a tensor whose data does not fit its shape;
 * `not-supported` if the model is beyond the 2 GiB that a protobuf file can have.
 */
export function encode(graph: Graph, options: EncodeOptions = {}): Uint8Array {
  const { pieces, byteLength } = encodePieces(graph, options)
  return concatenate(pieces, byteLength)
}

/** The same in pieces, for writing one after the other: tensors' bytes are not copied. */
export function encodePieces(
  graph: Graph,
  options: EncodeOptions = {},
): { readonly pieces: readonly Uint8Array[]; readonly byteLength: number } {
  assertNesting(graph)
  const encoded = serialize(ModelSchema, encodeModel(graph, options.external))
  if (encoded.byteLength > maxMessageBytes) {
    throw new SinterError(
      'not-supported',
      'The model takes more than the 2 GiB that an ONNX file can have. Write it with external data.',
    )
  }
  return encoded
}

function encodeModel(graph: Graph, external: ExternalFile | undefined): ModelProto {
  const proto = restored(ModelSchema, graph.modelExtra)
  proto.irVersion = encodeVersion(irVersionOf(graph), 'The version of the format')
  proto.opsetImport = Object.entries(graph.opset).map(([domain, number]) => {
    const version = encodeVersion(number, `The version of the operator set '${domain}'`)
    return create(OperatorSetIdProtoSchema, { ...(domain !== '' && { domain }), version })
  })
  if (graph.producer?.name) proto.producerName = graph.producer.name
  if (graph.producer?.version) proto.producerVersion = graph.producer.version
  proto.metadataProps = entriesOf(graph.metadata)
  proto.graph = encodeBody({ external }, graph, `The graph '${graph.name}'`)
  return proto
}

function encodeVersion(version: number, where: string): bigint {
  if (!Number.isSafeInteger(version) || version < 0) throw unwritable(where, `is ${version}`)
  return BigInt(version)
}

/** The version of the format that came with each opset: from `VERSION_TABLE` of the `onnx` Python package. */
const irVersionByOpset: readonly (readonly [opset: number, irVersion: number])[] = [
  [28, 14],
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
]

/** What every engine in use reads; nothing is gained by going below it. */
const widelyRead = 10

/**
 * The graph's own version, but no newer than its opset needs: tools stamp files with the newest that they know, which
 * engines then refuse. Before version 4 initializers had to be inputs, too.
 */
function irVersionOf({ irVersion, opset, inputs, initializers }: Graph): number {
  const cameWith = irVersionByOpset.find(([from]) => (opset[''] ?? 1) >= from)?.[1] ?? 8
  if (irVersion === undefined) return cameWith
  if (irVersion >= 4) return Math.min(irVersion, Math.max(cameWith, widelyRead))
  const names = new Set(inputs.map(value => value.name))
  return [...initializers.keys()].every(name => names.has(name)) ? irVersion : 4
}
