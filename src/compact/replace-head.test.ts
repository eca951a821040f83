import { describe, expect, it } from 'vitest'
import { randomFeeds } from '../../test/support/same-outputs.ts'
import { net } from '../read/testing/nets.ts'
import { replaceHead } from './replace-head.ts'
import { run } from './testing/run.ts'

describe('replacing the head', () => {
  const classifier = net(['N', 3, 4, 4], ({ op, conv, linear }, x) => {
    const body = op.Flatten([op.GlobalAveragePool([op.Relu([conv('a', x, 6)])])])
    return op.Softmax([linear('fc', body, 4)], { axis: -1 })
  })

  it('gives the output as many channels as asked for, behind a softmax too', async () => {
    const other = replaceHead(classifier, { channels: 7, seed: 1 })
    expect(other.initializers.get('fc.weight')!.shape).toEqual([7, 6])
    expect(other.outputs[0]!.type).toEqual({ dtype: 'float32', shape: ['N', 7] })
    expect(other.outputs[0]!.name).toBe(classifier.outputs[0]!.name)
    const [result] = Object.values(await run(other, randomFeeds(other, 5)))
    expect(result!.shape).toEqual([2, 7])
  })

  it('leaves everything before the head as it is', () => {
    const other = replaceHead(classifier, { channels: 7, seed: 1 })
    expect(other.initializers.get('a.weight')).toBe(classifier.initializers.get('a.weight'))
    expect(other.nodes).toEqual(classifier.nodes)
  })

  it('draws weights by the seed, within the bound of their fan-in, and no bias', () => {
    const [one, two] = [1, 2].map(seed => replaceHead(classifier, { channels: 500, seed }).initializers)
    const weights = Array.from(one!.get('fc.weight')!.data as Float32Array)
    expect(Math.max(...weights)).toBeLessThanOrEqual(1 / Math.sqrt(6))
    expect(Math.max(...weights)).toBeGreaterThan(0.95 / Math.sqrt(6))
    expect(weights.reduce((a, b) => a + b) / weights.length).toBeCloseTo(0, 1)
    expect(Array.from(one!.get('fc.bias')!.data as Float32Array).every(b => b === 0)).toBe(true)
    expect(two!.get('fc.weight')!.data).not.toEqual(one!.get('fc.weight')!.data)
    expect(replaceHead(classifier, { channels: 500, seed: 1 }).initializers.get('fc.weight')).toEqual(
      one!.get('fc.weight'),
    )
  })

  it('finds a head whose bias is a node of its own, and one that is a convolution', () => {
    const loose = net(['N', 4], ({ op, parameter }, x) =>
      op.Add([op.MatMul([x, parameter('w', [4, 3])]), parameter('b', [3])]),
    )
    const wider = replaceHead(loose, { channels: 5, seed: 1 })
    expect([wider.initializers.get('w')!.shape, wider.initializers.get('b')!.shape]).toEqual([[4, 5], [5]])
    const segments = net(['N', 3, 4, 4], ({ op, conv }, x) => conv('head', op.Relu([conv('a', x, 6)]), 2))
    expect(replaceHead(segments, { channels: 9, seed: 1 }).initializers.get('head.weight')!.shape).toEqual([9, 6, 1, 1])
  })

  it('changes the types of what else depends on the head', () => {
    const labelled = net(['N', 4], ({ op, linear }, x) => {
      const logits = linear('fc', x, 3)
      return [op.Softmax([logits], { axis: -1 }), logits]
    })
    const [probabilities] = labelled.outputs
    const other = replaceHead(labelled, { channels: 8, seed: 1, output: probabilities!.name })
    expect(other.outputs.map(value => value.type)).toEqual([
      { dtype: 'float32', shape: ['N', 8] },
      { dtype: 'float32', shape: ['N', 8] },
    ])
  })

  it('refuses where no single layer makes the channels', () => {
    const sum = net(['N', 4], ({ op, linear }, x) => op.Add([linear('a', x, 3), linear('b', x, 3)]))
    expect(() => replaceHead(sum, { channels: 5, seed: 1 })).toThrow(/of 2 values/)
    const none = net(['N', 4], ({ op }, x) => op.Relu([x]))
    expect(() => replaceHead(none, { channels: 5, seed: 1 })).toThrow(/no layer makes/)
    expect(() => replaceHead(classifier, { channels: 0, seed: 1 })).toThrow(/whole number/)
    expect(() => replaceHead(classifier, { channels: 3, seed: 1, output: 'nothing' })).toThrow(/no output 'nothing'/)
    const tied = net(['N', 4], ({ op, parameter }, x) => {
      const w = parameter('w', [4, 4])
      return op.MatMul([op.Relu([op.MatMul([x, w])]), w])
    })
    expect(() => replaceHead(tied, { channels: 5, seed: 1 })).toThrow(/read by other nodes/)
  })
})
