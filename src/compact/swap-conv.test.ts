import { describe, expect, it } from 'vitest'
import { randomFeeds } from '../../test/support/same-outputs.ts'
import { full } from '../base/tensor.ts'
import { net } from '../read/testing/nets.ts'
import { principalAxes } from './principal-axes.ts'
import { swapConvs } from './swap-conv.ts'
import { distance, run } from './testing/run.ts'

const plain = (stride = 1) =>
  net(['N', 3, 8, 8], ({ op, conv }, x) =>
    conv('b', op.Relu([conv('a', x, 5, { kernel: 3, stride })]), 4, { kernel: 3 }),
  )

describe('swapping convolutions', () => {
  it('for pointwise ones keeps the shape, and what a map without detail gives', async () => {
    const one = net(['N', 3, 9, 9], ({ conv }, x) => conv('a', x, 5, { kernel: 3, stride: 2 }))
    const { graph, count } = swapConvs(one, { to: 'pointwise' })
    expect(count).toBe(1)
    const feeds = { x: full('float32', [2, 3, 9, 9], 0.7) }
    const [[before], [after]] = [Object.values(await run(one, feeds)), Object.values(await run(graph, feeds))]
    expect(after!.shape).toEqual(before!.shape)
    // Position [2, 2] of the 5 x 5 outputs is away from the borders.
    const inner = 2 * 5 + 2
    expect((after!.data as Float32Array)[inner]).toBeCloseTo((before!.data as Float32Array)[inner]!, 5)
  })

  it('for separable ones loses nothing at full rank, and less the higher the rank', async () => {
    for (const stride of [1, 2]) {
      const feeds = randomFeeds(plain(stride), 5)
      const expected = await run(plain(stride), feeds)
      const losses: number[] = []
      for (const rank of [1, 3, 9]) {
        const { graph, count } = swapConvs(plain(stride), { to: 'separable', rank })
        expect(count).toBe(2)
        losses.push(distance(expected, await run(graph, feeds)))
      }
      expect(losses[2]).toBeLessThan(1e-5)
      expect(losses[0]).toBeGreaterThan(losses[1]!)
      expect(losses[1]).toBeGreaterThan(losses[2]!)
    }
  })

  it('costs fewer parameters', () => {
    const { graph } = swapConvs(plain(), { to: 'separable' })
    expect(
      graph.nodes.filter(node => node.op === 'Conv').map(node => graph.initializers.get(node.inputs[1]!)!.shape),
    ).toEqual([
      [3, 1, 3, 3],
      [5, 3, 1, 1],
      [5, 1, 3, 3],
      [4, 5, 1, 1],
    ])
    expect(graph.initializers.has('a.weight')).toBe(false)
  })

  it('keeps the names of values and outputs', () => {
    const { graph } = swapConvs(plain(), { to: 'separable' })
    expect(graph.outputs).toEqual(plain().outputs)
  })

  it('takes only those asked for, and says why others stay', () => {
    const mixed = net(['N', 4, 8, 8], ({ op, conv, parameter }, x) => {
      const a = conv('a', conv('grouped', conv('point', x, 4), 4, { kernel: 3, group: 4 }), 4, { kernel: 3 })
      return op.Conv([a, parameter('valid', [2, 4, 3, 3])])
    })
    expect(swapConvs(mixed, { to: 'separable' }).declined.map(({ reason }) => reason)).toEqual([
      'its kernel is a single element already',
      'it has groups',
    ])
    const pointwise = swapConvs(mixed, { to: 'pointwise' })
    expect(pointwise.count).toBe(2)
    expect(pointwise.declined[1]!.reason).toMatch(/another size/)
    const none = swapConvs(mixed, { to: 'separable', only: () => false })
    expect(none).toEqual({ graph: mixed, count: 0, declined: [] })
    expect(none.graph).toBe(mixed)
  })

  it('refuses a rank that is none', () => {
    expect(() => swapConvs(plain(), { to: 'separable', rank: 0 })).toThrow(/rank/)
  })
})

describe('principal axes', () => {
  it('are the eigenvectors of the greatest eigenvalues, as many as there are', () => {
    // [[2, 1], [1, 2]] has the eigenvalues 3 and 1.
    const [first, second] = principalAxes(Float64Array.of(2, 1, 1, 2), 2, 2)
    expect(Math.abs(first![0]!)).toBeCloseTo(Math.SQRT1_2)
    expect(first![0]).toBeCloseTo(first![1]!)
    expect(second![0]).toBeCloseTo(-second![1]!)
    expect(principalAxes(Float64Array.of(1, 1, 1, 1), 2, 2)).toHaveLength(1)
    expect(principalAxes(new Float64Array(4), 2, 2)).toHaveLength(0)
  })
})
