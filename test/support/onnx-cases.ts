import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { fromBinary } from '@bufbuild/protobuf'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import type { Tensor } from '../../src/base/tensor.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { decode } from '../../src/onnx/decode.ts'
import { decodeTensor } from '../../src/onnx/decode-tensor.ts'
import { TensorSchema } from '../../src/onnx/schema.ts'
import { untar } from './tar.ts'

/** What a case feeds or expects: a tensor, the tensors of a sequence, or undefined for what cannot be read. */
export type CaseValue = Tensor | readonly Tensor[] | undefined

/** One of the cases by which ONNX tests its backends: a model, what it is fed and what must come out. */
export interface OnnxCase {
  readonly name: string
  /** Whether onnxruntime-node is known to pass it; undefined where nobody has asked. */
  readonly runs: boolean | undefined
  /** The model's file. */
  bytes(): Uint8Array
  graph(): Graph
  /** By place. */
  inputs(): readonly CaseValue[]
  outputs(): readonly CaseValue[]
}

export const devCases = '../shared/models/onnx-backend-tests-dev.tar.gz'

/**
 * The cases of a folder or .tar.gz of CASE/model.onnx and CASE/test_data_set_0/*.pb, or why there are none. A file
 * `ort-*-pass.txt` in it lists those that onnxruntime-node passes.
 */
export function onnxCases(path = devCases): readonly OnnxCase[] | string {
  if (!existsSync(path)) return `${path} is not there`
  const files = statSync(path).isDirectory() ? filesOf(path) : archived(path)
  const list = [...files.keys()].find(name => /(^|\/)ort-[^/]*-pass\.txt$/.test(name))
  const passing = list && new Set(new TextDecoder().decode(files.get(list)!()).split('\n').map(trimmed))
  const models = [...files.keys()].filter(name => /(^|\/)model\.onnx$/.test(name)).sort()
  if (models.length === 0) return `${path} holds no CASE/model.onnx`
  return models.map((file): OnnxCase => {
    const folder = file.slice(0, -'model.onnx'.length)
    const name = trimmed(folder)
    const bytes = () => files.get(file)!().slice()
    const values = (kind: string) => {
      const found: CaseValue[] = []
      for (let i = 0; ; i++) {
        const read = files.get(`${folder}test_data_set_0/${kind}_${i}.pb`)
        if (!read) return found
        found.push(caseValueOf(read().slice()))
      }
    }
    return {
      name,
      runs: passing ? passing.has(name) : undefined,
      bytes,
      graph: () => decode(bytes()),
      inputs: () => values('input'),
      outputs: () => values('output'),
    }
  })
}

const trimmed = (name: string) => name.trim().replace(/^\.\//, '').replace(/\/$/, '')

type Files = ReadonlyMap<string, () => Uint8Array>

function archived(path: string): Files {
  return new Map([...untar(gunzipSync(readFileSync(path)))].map(([name, bytes]) => [name, () => bytes]))
}

function filesOf(folder: string): Files {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return new Map(paths.map(path => [relative(folder, path).replaceAll('\\', '/'), () => readFileSync(path)]))
}

function caseValueOf(bytes: Uint8Array): CaseValue {
  try {
    return tensorOf(bytes)
  } catch {
    return sequenceOf(bytes) // Sequences and optionals are other messages.
  }
}

function tensorOf(bytes: Uint8Array): Tensor {
  const reading = { file: 'a tensor', external: undefined, tensors: new WeakMap() }
  return decodeTensor(reading, fromBinary(TensorSchema, bytes), 'tensor')
}

/** The tensors of a SequenceProto, or the one of an OptionalProto: field 3 holds them in both. */
function sequenceOf(bytes: Uint8Array): CaseValue {
  const tensors: Tensor[] = []
  try {
    const reader = new BinaryReader(bytes)
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag()
      if (field === 3) tensors.push(tensorOf(reader.bytes().slice()))
      else reader.skip(wire)
    }
  } catch {
    return undefined
  }
  return tensors
}
