import type { Dim } from '../../base/shape.ts'
import { contentsOf } from '../axes.ts'
import type { Call, InferredType } from '../operator.ts'
import { fused } from './fused.ts'

// Searches for texts, with the network that is asked for the next token as a body.

/** The number in an input, where it is known. */
const numberIn = (call: Pick<Call, 'constant' | 'inputs'>, input: number): Dim => contentsOf(call, input)?.[0] ?? ''

const ids = (...shape: Dim[]): InferredType => ({ dtype: 'int32', shape })
const floats = (...shape: Dim[]): InferredType => ({ dtype: 'float32', shape })
const batchOf = ({ inputs: [x] }: Pick<Call, 'inputs'>): Dim => x!.shape?.[0] ?? ''
const vocabulary = (size: number): Dim => (size > 0 ? size : '')

export const greedySearch = fused('com.microsoft.GreedySearch', {
  infer: call => [ids(batchOf(call), numberIn(call, 1))],
})

export const sampling = fused('com.microsoft.Sampling', {
  infer: call => [ids(batchOf(call), numberIn(call, 1)), floats(batchOf(call), vocabulary(call.attributes.vocab_size))],
})

/** Sequences [batch, returned, length], their scores, and those of each step. */
function searched(call: Call<'com.microsoft.BeamSearch' | 'com.microsoft.WhisperBeamSearch'>): readonly InferredType[] {
  const [batch, beams, returned] = [batchOf(call), numberIn(call, 3), numberIn(call, 4)]
  return [
    ids(batch, returned, numberIn(call, 1)),
    floats(batch, returned),
    floats('', batch, beams, vocabulary(call.attributes.vocab_size)),
  ]
}

export const beamSearch = fused('com.microsoft.BeamSearch', {
  infer: call => searched(call as Call<'com.microsoft.BeamSearch'>).slice(0, call.node.outputs.length),
})

export const whisperBeamSearch = fused('com.microsoft.WhisperBeamSearch', {
  infer: call => {
    const [batch, returned] = [batchOf(call), numberIn(call, 4)]
    // What each token heard: [batch, returned, layers' heads, length, frames].
    return [...searched(call as never), floats(batch, returned, '', '', ''), floats(batch)].slice(
      0,
      call.node.outputs.length,
    )
  },
})
