import { productOf } from '../../base/shape.ts'
import { sizeOf } from '../channels.ts'
import type { Call, InferredType } from '../operator.ts'
import { fused } from './fused.ts'

type Named = 'com.microsoft.DynamicQuantizeLSTM' | 'com.microsoft.AttnLSTM'

/** Of x [time, batch, input]: all hidden states, the last one, and the last cells. */
function sizesOf({ attributes, inputs: [x] }: Pick<Call<Named>, 'attributes' | 'inputs'>) {
  const [time = '', batch = '', input = ''] = x!.shape ?? []
  const directions = attributes.direction === 'bidirectional' ? 2 : 1
  return { time, batch, input, directions, hidden: attributes.hidden_size ?? '' }
}

function likeLstm<K extends Named>(type: K) {
  return fused<K>(type, {
    infer: call => {
      const { time, batch, directions, hidden } = sizesOf(call as unknown as Call<Named>)
      const { dtype } = call.inputs[0]!
      const last: InferredType = { dtype, shape: [directions, batch, hidden] }
      return [{ dtype, shape: [time, directions, batch, hidden] }, last, last].slice(0, call.node.outputs.length)
    },
    cost: call => {
      const { time, batch, input, directions, hidden } = sizesOf(call as unknown as Call<Named>)
      return { macs: sizeOf(productOf([time, batch, directions, 4, hidden])) * (sizeOf(input) + sizeOf(hidden)) }
    },
  })
}

/** Weights [directions, input, 4 * hidden], the other way round than those of LSTM, in 8 bits. */
export const dynamicQuantizeLstm = likeLstm('com.microsoft.DynamicQuantizeLSTM')
export const attnLstm = likeLstm('com.microsoft.AttnLSTM')
