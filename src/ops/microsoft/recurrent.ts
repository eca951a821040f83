import type { Call, TypedCall } from '../operator.ts'
import { lstm } from '../recurrent.ts'
import { fused, inferAs } from './fused.ts'

type Named = 'com.microsoft.DynamicQuantizeLSTM' | 'com.microsoft.AttnLSTM'

function likeLstm<K extends Named>(type: K) {
  return fused<K>(type, {
    infer: call => {
      const { direction, hidden_size } = (call as unknown as Call<Named>).attributes
      return inferAs(lstm, call, { direction, ...(hidden_size === undefined ? {} : { hidden_size }) }).slice(
        0,
        call.node.outputs.length,
      )
    },
    cost: call => lstm.cost({ ...call, attributes: { ...call.attributes, layout: 0 } } as unknown as TypedCall<'LSTM'>),
  })
}

/** Weights [directions, input, 4 * hidden], the other way round than those of LSTM, in 8 bits. */
export const dynamicQuantizeLstm = likeLstm('com.microsoft.DynamicQuantizeLSTM')
export const attnLstm = likeLstm('com.microsoft.AttnLSTM')
