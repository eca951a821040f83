import { describe, expect, it } from 'vitest'
import { cost } from '../read/cost.ts'
import { net } from '../read/testing/nets.ts'
import { formatPlan, type PruneOptions, planPruning } from './plan-pruning.ts'
import { prune } from './prune.ts'
import { zoo } from './testing/zoo.ts'

const two = () =>
  net(['N', 8], ({ op, linear }, x) => linear('c', op.Relu([linear('b', op.Relu([linear('a', x, 20)]), 10)]), 2))

const kept = (options: PruneOptions) =>
  planPruning(two(), { ...options }).groups.map(group => group.slots - group.remove.length)

/** Scores that fall with the channel's number, ten times as high in the group of `b`. */
const falling = (_: unknown, group: { name: string; slots: number }) =>
  Array.from({ length: group.slots }, (_, i) => (group.slots - i) * (group.name === 'b.weight' ? 10 : 1))

describe('a pruning plan', () => {
  it('keeps the same share of every group', () => {
    expect(kept({ keep: 0.5 })).toEqual([10, 5])
  })

  it('takes the least important channels', () => {
    const [a] = planPruning(two(), { keep: 0.8, importance: falling }).groups
    expect(a!.remove).toEqual([16, 17, 18, 19])
  })

  it('ranks the channels of all groups together, if asked to', () => {
    expect(kept({ keep: 0.5, scope: 'global', importance: falling })).toEqual([6, 9])
    const equal = (_: unknown, group: { slots: number }) => new Array<number>(group.slots).fill(1)
    expect(kept({ keep: 0.8, scope: 'global', importance: equal })).toEqual([14, 10])
  })

  it('rounds up to a multiple', () => {
    expect(kept({ keep: 0.5, roundTo: 4 })).toEqual([12, 8])
    expect(kept({ keep: 0.9, roundTo: 8 })).toEqual([20, 10])
  })

  it('never empties a group, nor goes below the share that is to stay', () => {
    expect(kept({ keep: 0.01 })).toEqual([1, 1])
    expect(kept({ keep: 0.01, keepAtLeast: 0.25 })).toEqual([5, 3])
    expect(kept({ keep: 0.2, scope: 'global', importance: falling, keepAtLeast: 0.1 })[0]).toBe(2)
  })

  it('leaves out what it is told to', () => {
    expect(kept({ keep: 0.5, ignore: group => group.name === 'a.weight' })).toEqual([20, 5])
    expect(kept({ keep: 0.5, only: group => group.name === 'a.weight' })).toEqual([10, 10])
  })

  it('reaches a share of the multiply-accumulates', () => {
    for (const scope of ['local', 'global'] as const) {
      const { before, after } = planPruning(two(), { macs: 0.5, scope })
      expect(before.macs).toBe(8 * 20 + 20 * 10 + 10 * 2)
      expect(after.macs! / before.macs!).toBeLessThanOrEqual(0.5)
      expect(after.macs! / before.macs!).toBeGreaterThan(0.4)
    }
  })

  it('says when that share is out of reach', () => {
    expect(() => planPruning(two(), { macs: 0.01 })).toThrow(/is the least/)
  })

  it('foretells the size that pruning gives', () => {
    for (const make of Object.values(zoo)) {
      const graph = make()
      const made = planPruning(graph, { keep: 0.6 })
      const { parameters, macs } = cost(prune(graph, made))
      expect(made.after).toEqual({ parameters, macs })
      expect(made.after.macs).toBeLessThan(made.before.macs!)
    }
  })

  it('is plain data', () => {
    const made = planPruning(two(), { keep: 0.5 })
    expect(prune(two(), JSON.parse(JSON.stringify(made)))).toEqual(prune(two(), made))
  })

  it('is refused for another graph', () => {
    const other = net(['N', 8], ({ op, linear }, x) => linear('c', op.Relu([linear('a', x, 21)]), 2))
    expect(() => prune(other, planPruning(two(), { keep: 0.5 }))).toThrow(/another graph/)
  })

  it('refuses options out of range', () => {
    expect(() => planPruning(two(), {})).toThrow(/one of keep and macs/)
    expect(() => planPruning(two(), { keep: 0.5, macs: 0.5 })).toThrow(/one of keep and macs/)
    expect(() => planPruning(two(), { keep: 0 })).toThrow(/over 0/)
    expect(() => planPruning(two(), { keep: 1.5 })).toThrow(/at most 1/)
    expect(() => planPruning(two(), { keep: 0.5, roundTo: 0.5 })).toThrow(/roundTo/)
    expect(() => planPruning(two(), { keep: 0.5, importance: () => [1, 2] })).toThrow(/as many numbers/)
    expect(() =>
      planPruning(two(), { keep: 0.5, importance: (_, { slots }) => Array(slots).fill(Number.NaN) }),
    ).toThrow(/NaN/)
    expect(() => planPruning(two(), { keep: 0.5, keepAtLeast: 2 })).toThrow(/keepAtLeast/)
  })

  it('prints', () => {
    const made = planPruning(two(), {
      keep: 0.8,
      importance: falling,
      ignore: group => group.name === 'b.weight',
    })
    expect(formatPlan(made)).toMatchInlineSnapshot(`
      "parameters  412 -> 336 (81.6 %)
      macs        380 -> 308 (81.1 %)

      a.weight: 20 -> 16
        leaves  16-19
        scores  1.00..4.00 leave, 5.00..20.0 stay
        on      a.weight[0] a.bias[0] b.weight[1]
      b.weight: 10, left as it is
        on      b.weight[0] b.bias[0] c.weight[1]

      stay:
        a.weight[1]  all of 8: 'x' is an input of the graph
        c.weight[0]  all of 2: 'gemm_2' is an output of the graph
        c.bias[0]  all of 2: 'gemm_2' is an output of the graph"
    `)
  })
})

describe('pruning', () => {
  it('is a pass when given options alone', () => {
    expect(prune({ keep: 0.5 })(two())).toEqual(prune(two(), { keep: 0.5 }))
  })

  it('gives back the graph itself when it keeps everything', () => {
    const graph = two()
    expect(prune(graph, { keep: 1 })).toBe(graph)
  })
})
