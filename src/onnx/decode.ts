import { fromBinary } from '@bufbuild/protobuf'
import { messageOf, SinterError } from '../base/errors.ts'
import { type Body, bodiesOf, type Graph } from '../graph/graph.ts'
import { decodeBody } from './decode-graph.ts'
import { Inliner, type SameOperator, topLevel } from './functions.ts'
import { type ModelProto, ModelProtoSchema } from './generated/onnx_pb.ts'
import { guessFormat } from './guess-format.ts'
import { opsetOf } from './opset.ts'
import { type ExternalResolver, invalid, type Reading } from './reading.ts'
import { extraOf, recordOf, restOf } from './rest.ts'
import { ModelSchema } from './schema.ts'
import { inspectWire, type WireReport } from './wire.ts'

export interface DecodeOptions {
  /** The file's name, for messages. */
  readonly name?: string
  /** Finds the bytes of external data by its location. Without it, models that have external data are refused. */
  readonly external?: ExternalResolver
  /**
   * Whether an operator means the same in two versions of its set, for functions that import another version than the
   * model. By default only equal versions do.
   */
  readonly sameOperator?: SameOperator
}

const modelRest = restOf(ModelSchema, [
  'irVersion',
  'opsetImport',
  'producerName',
  'producerVersion',
  'docString',
  'graph',
  'metadataProps',
  'functions',
])

/**
 * Reads an ONNX model. Tensors are views on `bytes` where they are aligned, so the bytes must not change afterwards.
 *
 * What the file says is kept, what Sinter does not interpret as `Extra`, but for these: local functions are inlined,
 * nodes that stand out of order are sorted, 'ai.onnx' becomes '', sizes below 0 in types are unknown, texts that are
 * explicitly empty count as absent, and of a key or operator set that stands twice one is kept.
 *
 * @throws SinterError `invalid-model` for what is no ONNX model, is damaged or contradicts itself; `not-supported` for
 * 6-bit floats, opaque types in attributes and functions whose operator sets differ from the model's;
 * `invalid-argument` for external data without `external`.
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): Graph {
  if (!(bytes instanceof Uint8Array)) throw new SinterError('invalid-argument', 'decode takes the bytes of a model.')
  const reading: Reading = { file: options.name ?? 'The model', external: options.external, tensors: new WeakMap() }
  // A Buffer's methods differ from those of the Uint8Array that it extends.
  const { model, weights } = parse(reading, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const { graph: proto } = model
  const irVersion = Number(model.irVersion)
  if (!proto || (irVersion === 0 && model.opsetImport.length === 0)) throw notAModel(reading, bytes)
  if (!Number.isSafeInteger(irVersion)) throw invalid(reading, 'ir_version', `is ${model.irVersion}`)

  const opset = decodeOpset(reading, model)
  const functions = model.functions.map((f, i) => ({ proto: f, weight: weights.get('functions')?.[i] ?? 0 }))
  const inliner = new Inliner(reading, functions, proto, opset, options.sameOperator ?? (() => false))
  const body = decodeBody({ ...reading, inliner }, proto, 'graph', topLevel)
  for (const domain of unusedDomains(inliner, body)) delete opset[domain]

  const { producerName: name, producerVersion: version } = model
  const modelExtra = extraOf(ModelSchema, { docString: model.docString }, modelRest(model))
  return {
    ...body,
    opset,
    metadata: recordOf(model.metadataProps),
    ...((name !== '' || version !== '') && { producer: { name, version } }),
    ...(irVersion !== 0 && { irVersion }),
    ...(modelExtra && { modelExtra }),
  }
}

function parse(reading: Reading, bytes: Uint8Array): { model: ModelProto; weights: WireReport['weights'] } {
  const { fault, weights } = inspectWire(ModelProtoSchema, bytes)
  if (fault) {
    if (fault.where === '' || guessFormat(bytes)) throw notAModel(reading, bytes, fault.problem)
    throw invalid(reading, `${fault.where} (at byte ${fault.offset})`, fault.problem)
  }
  try {
    return { model: fromBinary(ModelSchema, bytes), weights }
  } catch (error) {
    throw notAModel(reading, bytes, messageOf(error))
  }
}

function notAModel({ file }: Reading, bytes: Uint8Array, problem?: string): SinterError {
  const format = guessFormat(bytes)
  return new SinterError(
    'invalid-model',
    `${file} is not an ONNX model${format ? `: it looks like ${format.name}` : ''}. ` +
      (format?.advice ?? 'Check that it was downloaded and copied whole.'),
    { file, ...(problem !== undefined && { problem }) },
  )
}

function decodeOpset(reading: Reading, { opsetImport, irVersion }: ModelProto): Record<string, number> {
  opsetImport.forEach(({ version }, i) => {
    if (version < 0n || !Number.isSafeInteger(Number(version)))
      throw invalid(reading, `opset_import[${i}]`, `has the version ${version}`)
  })
  // Operator sets came with version 3 of the format; models before it mean the first one.
  if (opsetImport.length === 0 && irVersion < 3n) return { '': 1 }
  if (opsetImport.length === 0) throw invalid(reading, 'opset_import', 'is missing: it says which operators are meant')
  return opsetOf(opsetImport)
}

/** Domains that held nothing but functions, which are inlined now. */
function unusedDomains(inliner: Inliner, body: Body): ReadonlySet<string> {
  const unused = new Set(inliner.domains)
  const open: Body[] = unused.size > 0 ? [body] : []
  for (let current = open.pop(); current; current = open.pop()) {
    for (const node of current.nodes) {
      unused.delete(node.domain)
      open.push(...bodiesOf(node))
    }
  }
  unused.delete('')
  return unused
}
