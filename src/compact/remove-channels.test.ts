import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomFeeds } from '../../test/support/same-outputs.ts'
import { float32s } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import { couple } from '../read/coupling.ts'
import { net } from '../read/testing/nets.ts'
import type { Removal } from './narrow.ts'
import { removeChannels } from './remove-channels.ts'
import { mask } from './testing/mask.ts'
import { distance, run } from './testing/run.ts'
import { zoo } from './testing/zoo.ts'

describe('a graph without some channels', () => {
  for (const [name, make] of Object.entries(zoo)) {
    it(`computes what it does with them set to zero: ${name}`, async () => {
      const graph = make()
      const { groups } = couple(graph)
      expect(groups.length).toBeGreaterThan(0)
      const feeds = randomFeeds(graph, 5)
      // For each group a random choice of slots to remove, at least one staying.
      const choice = fc.tuple(
        ...groups.map(({ slots }) =>
          fc.subarray(
            Array.from({ length: slots }, (_, i) => i),
            { maxLength: slots - 1 },
          ),
        ),
      )
      await fc.assert(
        fc.asyncProperty(choice, async chosen => {
          const removals = groups.map((group, i): Removal => ({ group, slots: chosen[i]! }))
          const pruned = removeChannels(graph, removals)
          expect(distance(await run(mask(graph, removals), feeds), await run(pruned, feeds))).toBeLessThan(1e-5)
        }),
        { numRuns: 6, seed: 1 },
      )
    })
  }

  const mlp = () => net(['N', 4], ({ op, linear }, x) => linear('b', op.Relu([linear('a', x, 6)]), 2))

  it('is the graph itself where none leaves', () => {
    const graph = mlp()
    const [group] = couple(graph).groups
    expect(removeChannels(graph, [{ group: group!, slots: [] }])).toBe(graph)
  })

  it('has parameters cut to size, under their names', () => {
    const graph = mlp()
    const [group] = couple(graph).groups
    const pruned = removeChannels(graph, [{ group: group!, slots: [1, 4] }])
    expect(pruned.initializers.get('a.weight')!.shape).toEqual([4, 4])
    expect(pruned.initializers.get('a.bias')!.shape).toEqual([4])
    expect(pruned.initializers.get('b.weight')!.shape).toEqual([2, 4])
    const bias = Array.from(graph.initializers.get('a.bias')!.data as Float32Array)
    expect(Array.from(pruned.initializers.get('a.bias')!.data as Float32Array)).toEqual([0, 2, 3, 5].map(i => bias[i]))
    expect(graph.initializers.get('a.weight')!.shape).toEqual([6, 4])
  })

  it('lists narrower types for initializers that stand among the inputs', () => {
    const graph = edit(mlp(), draft => {
      draft.inputs.push({ name: 'a.bias', type: { dtype: 'float32', shape: [6] } })
    })
    const [group] = couple(graph).groups
    const pruned = removeChannels(graph, [{ group: group!, slots: [0] }])
    expect(pruned.inputs.find(value => value.name === 'a.bias')!.type).toEqual({ dtype: 'float32', shape: [5] })
  })

  it('rewrites a constant in one place where another reads it too', async () => {
    const graph = net(['N', 3, 4, 4], ({ op, conv }, x) => {
      const one = op.ints([1])
      return conv('b', op.Slice([conv('a', x, 6), one, op.ints([5]), one]), 2)
    })
    // The channels that the slice cuts off, 0 and 5, and those that it takes.
    const removals = couple(graph).groups.map(group => ({ group, slots: [0] }))
    expect(removals.map(({ group }) => group.slots).sort()).toEqual([2, 4])
    const feeds = randomFeeds(graph, 5)
    const pruned = removeChannels(graph, removals)
    expect(distance(await run(mask(graph, removals), feeds), await run(pruned, feeds))).toBeLessThan(1e-5)
  })

  it('must keep at least one channel', () => {
    const graph = mlp()
    const [group] = couple(graph).groups
    expect(() => removeChannels(graph, [{ group: group!, slots: [0, 1, 2, 3, 4, 5] }])).toThrow(/Nothing would be left/)
  })

  it('cuts weights that nodes hold as constants', async () => {
    const graph = net(['N', 4], ({ op, linear }, x) => {
      const bias = op.Constant([], { value: float32s([6], [1, 2, 3, 4, 5, 6]) })
      return linear('b', op.Add([linear('a', x, 6), bias]), 2)
    })
    const [group] = couple(graph).groups
    const feeds = randomFeeds(graph, 5)
    const removals = [{ group: group!, slots: [0, 5] }]
    const pruned = removeChannels(graph, removals)
    expect(distance(await run(mask(graph, removals), feeds), await run(pruned, feeds))).toBeLessThan(1e-5)
    expect(pruned.nodes.some(node => node.op === 'Constant')).toBe(false)
  })
})
