import { encode } from '../../../src/onnx/encode.ts'
import { f32, makeGraph } from '../make-graph.ts'
import type { Source } from './sources.ts'

export function ownSources(): readonly Source[] {
  return [{ name: 'relu', bytes: encode(makeGraph({ x: f32(2) }, (op, { x }) => ({ y: op.Relu([x]) }))) }]
}
