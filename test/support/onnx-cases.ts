import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { fromBinary } from '@bufbuild/protobuf'
import type { Tensor } from '../../src/base/tensor.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { decode } from '../../src/onnx/decode.ts'
import { decodeTensor } from '../../src/onnx/decode-tensor.ts'
import { TensorSchema } from '../../src/onnx/schema.ts'
import { untar } from './tar.ts'

/** One of the cases by which ONNX tests its backends: a model, what it is fed and what must come out. */
export interface OnnxCase {
  readonly name: string
  /** Whether onnxruntime-node 1.30 passes it. */
  readonly runs: boolean
  graph(): Graph
  /** By place; undefined for what is not a tensor. */
  inputs(): readonly (Tensor | undefined)[]
  outputs(): readonly (Tensor | undefined)[]
}

const path = '../shared/models/onnx-backend-tests-dev.tar.gz'

/** The cases at hand, or why there are none. */
export function onnxCases(): readonly OnnxCase[] | string {
  if (!existsSync(path)) return `${path} is not there`
  const files = untar(gunzipSync(readFileSync(path)))
  const passes = new TextDecoder().decode([...files].find(([name]) => name.endsWith('-pass.txt'))![1]).split('\n')
  const passing = new Set(passes.map(line => line.trim()))
  const models = [...files.keys()].filter(name => name.endsWith('/model.onnx')).sort()
  return models.map((file): OnnxCase => {
    const folder = file.slice(0, -'/model.onnx'.length)
    const name = folder.replace(/^\.\//, '')
    const tensors = (kind: string) => {
      const found: (Tensor | undefined)[] = []
      for (let i = 0; ; i++) {
        const bytes = files.get(`${folder}/test_data_set_0/${kind}_${i}.pb`)
        if (!bytes) return found
        found.push(tensorOf(bytes))
      }
    }
    return {
      name,
      runs: passing.has(name),
      graph: () => decode(files.get(file)!.slice()),
      inputs: () => tensors('input'),
      outputs: () => tensors('output'),
    }
  })
}

function tensorOf(bytes: Uint8Array): Tensor | undefined {
  try {
    return decodeTensor(
      { file: 'a tensor', external: undefined, tensors: new WeakMap() },
      fromBinary(TensorSchema, bytes.slice()),
      'tensor',
    )
  } catch {
    return undefined // A sequence or an optional, which are other messages.
  }
}
