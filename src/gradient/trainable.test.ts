import { describe, expect, test } from 'vitest'
import { float32s } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { define, f32 } from '../nn/define.ts'
import { withNormalization } from '../nn/with-normalization.ts'
import type { Ops } from '../ops/build.ts'
import { extend } from '../read/extend.ts'
import { trainable } from './trainable.ts'

const image = { x: f32(['N', 3, 4, 4]) }

/** A convolution with something in front. */
function behind(front: (op: Ops, x: string) => string): Graph {
  return define(
    image,
    ({ x }, nn) => ({ y: nn.sequential(nn.conv(2, 3, { name: 'conv' }), nn.norm({ name: 'bn' }))(front(nn.op, x)) }),
    {
      seed: 1,
    },
  )
}

const layers = ['conv.weight', 'conv.bias', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var']

describe('trained are', () => {
  test('weights, biases, and statistics; of one element too', () => {
    expect([...trainable(behind((_, x) => x))].sort()).toEqual([...layers].sort())
    const single = define(
      image,
      ({ x }, nn) => ({ y: nn.sequential(nn.conv(1, 3, { name: 'c' }), nn.norm({ name: 'n' }))(x) }),
      {
        seed: 1,
      },
    )
    expect(trainable(single).size).toBe(6)
  })

  test('only those that the filter lets through', () => {
    expect([
      ...trainable(
        behind((_, x) => x),
        name => name.startsWith('bn.w'),
      ),
    ]).toEqual(['bn.weight'])
    expect([
      ...trainable(
        behind((_, x) => x),
        (_, value) => value.shape.length === 4,
      ),
    ]).toEqual(['conv.weight'])
  })

  test('not the constants of a formula', () => {
    const half = behind((op, x) => op.Mul([x, op.scalar(0.5)]))
    expect([...trainable(half)].sort()).toEqual([...layers].sort())
  })

  test('not a normalisation in front, by one number or by channel', () => {
    const raw = behind((_, x) => x)
    for (const mean of [0.5, [0.1, 0.2, 0.3]])
      expect([...trainable(withNormalization(raw, { mean, std: mean }))].sort()).toEqual([...layers].sort())
  })

  test('but a table for each position, though it is added to the input', () => {
    const values = float32s([1, 3, 4, 4], new Float32Array(48))
    const graph = behind((op, x) => op.Add([x, op.constant(values, 'positions')]))
    expect([...trainable(graph)].sort()).toEqual([...layers, '/positions'].sort())
  })

  test('but a scale behind the first layer', () => {
    const graph = extend(
      behind((_, x) => x),
      (op, draft) => {
        const scaled = op.Mul(['y', op.constant(float32s([2, 1, 1], [1, 1]), 'scale')])
        draft.outputs[0] = { name: scaled, type: op.type(scaled) }
      },
    )
    expect(trainable(graph).has('scale')).toBe(true)
  })
})
