import { type Dim, productOf, type Shape } from '../base/shape.ts'
import { sizeOf } from './channels.ts'
import { demandShape } from './demand.ts'
import type { Call, InferredType } from './operator.ts'
import { free, no, operator } from './operator.ts'

type RecurrentName = 'LSTM' | 'GRU' | 'RNN'

/** How many matrices of hidden size each operator holds, and how many states it hands on. */
const forms = { LSTM: { gates: 4, states: 2 }, GRU: { gates: 3, states: 1 }, RNN: { gates: 1, states: 1 } } as const

/** Sizes that must not be 0: onnxruntime's kernels end the process over it (1.30). */
const filled = { LSTM: ['batch'], GRU: ['time', 'batch', 'input'], RNN: [] } as const

/** A recurrent layer over x [time, batch, input] (or, with `layout`, [batch, time, input]). */
function recurrent(type: RecurrentName) {
  const { gates, states } = forms[type]
  return operator<RecurrentName>(type, {
    infer: call => {
      const { dtype } = call.inputs[0]!
      const { time, batch, directions, hidden } = sizesOf(call)
      checkOperands(call, gates)
      const empty = filled[type].find(size => sizesOf(call)[size] === 0)
      if (empty) throw new Error(`its input is of no element: its ${empty} size is 0`)
      // Forms before opset 14 have no such attribute.
      const batchFirst = Boolean(call.attributes.layout)
      const all: Shape = batchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden]
      const last: Shape = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
      return [{ dtype, shape: all }, ...new Array<InferredType>(states).fill({ dtype, shape: last })]
    },
    gradient: no('the gates of each step, which going back needs, are not among its outputs'),
    coupling: no('a channel of the state lies in every gate of one axis'),
    cost: call => {
      const { time, batch, directions, hidden, input } = sizesOf(call)
      const steps = sizeOf(productOf([time, batch, directions]))
      return { macs: steps * gates * sizeOf(hidden) * (sizeOf(input) + sizeOf(hidden)) }
    },
    evaluate: no('recurrent layers are not shape arithmetic'),
    upgrades: [
      {
        // An attribute said whether there is a first output; leaving it out says it now.
        to: 7,
        apply({ attributes, node }, op, x) {
          const { output_sequence: _, ...kept } = attributes as { readonly output_sequence?: number }
          return op.many(type, node.outputs.length, x, kept)
        },
      },
    ],
  })
}

interface Sizes {
  readonly time: Dim
  readonly batch: Dim
  readonly input: Dim
  readonly directions: number
  readonly hidden: Dim
}

function sizesOf({ attributes, inputs: [x, , r] }: Pick<Call<RecurrentName>, 'attributes' | 'inputs'>): Sizes {
  const [first = '', second = '', input = ''] = x!.shape ?? []
  const [time, batch] = attributes.layout ? [second, first] : [first, second]
  const directions = attributes.direction === 'bidirectional' ? 2 : 1
  return { time, batch, input, directions, hidden: attributes.hidden_size ?? r?.shape?.[2] ?? '' }
}

/** The weights and states must be of the sizes that the layer has. */
function checkOperands(call: Pick<Call<RecurrentName>, 'attributes' | 'inputs'>, gates: number): void {
  const { inputs, attributes } = call
  const [x, w, r, b, lengths, ...initial] = inputs
  demandShape('input', x, ['', '', ''])
  const { batch, input, directions, hidden } = sizesOf(call)
  const rows = (times: number): Dim => (typeof hidden === 'number' ? times * hidden : '')
  demandShape('W', w, [directions, rows(gates), input])
  demandShape('R', r, [directions, rows(gates), hidden])
  demandShape('B', b, [directions, rows(2 * gates)])
  demandShape('sequence_lens', lengths, [batch])
  for (const state of initial.slice(0, 2))
    demandShape('initial state', state, attributes.layout ? [batch, directions, hidden] : [directions, batch, hidden])
  demandShape('P', initial[2], [directions, rows(3)])
}

export const lstm = recurrent('LSTM')
export const gru = recurrent('GRU')
export const rnn = recurrent('RNN')

export const reverseSequence = operator('ReverseSequence', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ op, attributes, x: [, lengths], dy: [dy] }) => [op.ReverseSequence([dy, lengths], attributes), null],
  coupling: ({ attributes: { time_axis: time, batch_axis: batch }, inputs: [x] }) =>
    x!.shape!.flatMap((_, axis) =>
      axis === time || axis === batch ? [] : [{ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' } as const],
    ),
  cost: free,
  evaluate: no('left to the runtime'),
})
