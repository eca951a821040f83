import { addDims, type Dim, divideDims, exactQuotient, multiplyDims, productOf, type Shape } from '../base/shape.ts'
import { axisOf } from './axes.ts'
import { demandOneOf, demandPositive } from './demand.ts'
import { type Call, type Cost, free, type InferredType, type Link, no, operator } from './operator.ts'

// The parts of transformers that the newest operator sets have as operators of their own.

const beyond = no(
  'training graphs are of opset 21, which does not have it; write it in the operators that it stands for',
)
const heads = no('its heads lie side by side in one axis, of which each needs its own share')
const notFolded = no('left to the runtime')

/** The sizes of an attention, whose data are [batch, heads, length, size], or [batch, length, heads * size]. */
interface Sizes {
  readonly batch: Dim
  readonly queryHeads: Dim
  readonly keyHeads: Dim
  /** Queries, and keys with those of the past. */
  readonly queries: Dim
  readonly keys: Dim
  readonly keySize: Dim
  readonly valueSize: Dim
}

function sizesOf({ node, attributes, inputs: [q, k, v, , pastKey] }: Call<'Attention'>): Sizes | undefined {
  const { q_num_heads: queryHeads, kv_num_heads: keyHeads } = attributes
  if (!q?.shape || !k?.shape || !v?.shape) return undefined
  const before = node.inputs[4] ? (pastKey?.shape?.[2] ?? '') : 0
  if (q.shape.length === 4) {
    const [batch = '', own = '', queries = '', keySize = ''] = q.shape
    const [, shared = '', length = ''] = k.shape
    const keys = addDims(before, length)
    return { batch, queryHeads: own, keyHeads: shared, queries, keys, keySize, valueSize: v.shape[3] ?? '' }
  }
  const [batch = '', queries = '', width = ''] = q.shape
  const [, length = '', valueWidth = ''] = v.shape
  return {
    batch,
    queryHeads: queryHeads ?? '',
    keyHeads: keyHeads ?? '',
    queries,
    keys: addDims(before, length),
    keySize: shareOf(width, queryHeads),
    valueSize: shareOf(valueWidth, keyHeads),
  }
}

/** The size of one head; the heads fill the width. */
function shareOf(width: Dim, count: number | undefined): Dim {
  return count ? (exactQuotient(width, count) ?? divideDims(width, count)) : ''
}

/** The width of heads that are packed: as it was where there are as many. */
function packed(count: Dim, size: Dim, width: Dim, before: Dim): Dim {
  return count === before ? width : multiplyDims(count, size)
}

export const attention = operator('Attention', {
  infer(call) {
    const [q, k, v] = call.inputs as readonly InferredType[]
    const { q_num_heads: queryHeads, kv_num_heads: keyHeads, qk_matmul_output_mode: mode } = call.attributes
    demandOneOf('qk_matmul_output_mode', mode, [0, 1, 2, 3])
    for (const heads of [queryHeads, keyHeads]) if (heads !== undefined) demandPositive('number of heads', heads)
    const sizes = sizesOf(call)
    const typed = ({ dtype }: InferredType, shape: (sizes: Sizes) => Shape): InferredType => ({
      dtype,
      shape: sizes && shape(sizes),
    })
    return [
      typed(q!, ({ batch, queries, queryHeads, keyHeads, valueSize }) =>
        q!.shape!.length === 4
          ? [batch, queryHeads, queries, valueSize]
          : [batch, queries, packed(queryHeads, valueSize, v!.shape![2] ?? '', keyHeads)],
      ),
      typed(k!, ({ batch, keyHeads, keys, keySize }) => [batch, keyHeads, keys, keySize]),
      typed(v!, ({ batch, keyHeads, keys, valueSize }) => [batch, keyHeads, keys, valueSize]),
      typed(q!, ({ batch, queryHeads, queries, keys }) => [batch, queryHeads, queries, keys]),
    ].slice(0, call.node.outputs.length)
  },
  gradient: beyond,
  coupling: heads,
  /** Each query meets each key once to be weighed, and once its value. */
  cost(call): Cost {
    const sizes = sizesOf(call)
    if (!sizes) return { macs: Number.NaN }
    const { batch, queryHeads, queries, keys, keySize, valueSize } = sizes
    return { macs: Number(productOf([batch, queryHeads, queries, keys])) * (Number(keySize) + Number(valueSize)) }
  },
  evaluate: notFolded,
})

export const rotaryEmbedding = operator('RotaryEmbedding', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: beyond,
  coupling: no('it turns pairs of the elements of a head, so that none leaves alone'),
  cost: free,
  evaluate: notFolded,
})

export const linearAttention = operator('LinearAttention', {
  infer({ attributes: { q_num_heads: queryHeads, kv_num_heads: keyHeads }, inputs: [q, k, v, past] }) {
    for (const heads of [queryHeads, keyHeads]) demandPositive('number of heads', heads)
    const [batch = '', length = ''] = q!.shape ?? []
    const [keySize, valueSize] = [k, v].map(type => shareOf(type!.shape?.[2] ?? '', keyHeads))
    return [
      { dtype: q!.dtype, shape: [batch, length, packed(queryHeads, valueSize!, v!.shape?.[2] ?? '', keyHeads)] },
      { dtype: past?.dtype ?? q!.dtype, shape: [batch, keyHeads, keySize!, valueSize!] },
    ]
  },
  gradient: beyond,
  coupling: heads,
  /** For each token a head's state, [keys, values], takes an outer product in and a row vector's product out. */
  cost({ attributes: { q_num_heads: queryHeads, kv_num_heads: keyHeads }, inputs: [q], outputs: [, state] }) {
    const [batch = '', length = ''] = q!.shape ?? []
    const size = Number(productOf(state?.shape?.slice(2) ?? ['']))
    return { macs: Number(productOf([batch, length])) * size * (queryHeads + keyHeads) }
  },
  evaluate: notFolded,
})

export const causalConvWithState = operator('CausalConvWithState', {
  infer({ inputs: [x, w] }) {
    const [batch = '', channels = '', length = ''] = x!.shape ?? []
    const state = addDims(w!.shape?.[2] ?? '', -1)
    return [
      { dtype: x!.dtype, shape: [batch, channels, length] },
      { dtype: x!.dtype, shape: [batch, channels, state] },
    ]
  },
  gradient: beyond,
  coupling: ({ inputs: [, , bias, past], outputs: [, state] }): readonly Link[] => [
    ...[0, 1].map((axis): Link => ({ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' })),
    { from: ['in', 1, 0], to: ['out', 0, 1], map: 'same' },
    ...(bias ? [{ from: ['in', 2, 0], to: ['out', 0, 1], map: 'same' } as const] : []),
    ...[0, 1].flatMap((axis): Link[] => [
      ...(past ? [{ from: ['in', 3, axis], to: ['out', 0, axis], map: 'same' } as const] : []),
      ...(state ? [{ from: ['in', 0, axis], to: ['out', 1, axis], map: 'same' } as const] : []),
    ]),
  ],
  cost: ({ inputs: [x, w] }) => ({
    macs: Number(productOf(x!.shape ?? [''])) * Number(w!.shape?.[2] ?? Number.NaN),
  }),
  evaluate: notFolded,
})

export const tensorScatter = operator('TensorScatter', {
  infer: ({ inputs: [past] }) => [{ dtype: past!.dtype, shape: past!.shape }],
  gradient: beyond,
  coupling({ attributes: { axis }, inputs: [past, update] }) {
    const rank = past!.shape!.length
    return past!.shape!.flatMap((_, k): Link[] => {
      if (k === axisOf(axis, rank) || k === 0) return []
      const inputs = update?.shape ? [0, 1] : [0]
      return inputs.map(input => ({ from: ['in', input, k], to: ['out', 0, k], map: 'same' }))
    })
  },
  cost: free,
  evaluate: notFolded,
})
