import fc from 'fast-check'
import { encode } from '../../../src/onnx/encode.ts'
import { network } from '../arbitrary-network.ts'
import type { Source } from './sources.ts'

/** Small networks of many operators, which are always at hand. */
export function ownSources(): readonly Source[] {
  return fc
    .sample(network, { seed: 11, numRuns: 60 })
    .map((graph, i) => ({ name: `network ${i}`, bytes: encode(graph) }))
}
