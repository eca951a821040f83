import { describe, expect, it } from 'vitest'
import { randomFeeds } from '../../test/support/same-outputs.ts'
import { net } from '../read/testing/nets.ts'
import { swapActivations } from './swap-activation.ts'
import { distance, run } from './testing/run.ts'

const ops = (graph: { nodes: readonly { op: string }[] }) => graph.nodes.map(node => node.op).join(' ')

describe('swapping activations', () => {
  const mixed = net(['N', 4], ({ op, linear, parameter }, x) => {
    const a = op.LeakyRelu([linear('a', x, 5)], { alpha: 0.2 })
    const b = op.PRelu([linear('b', a, 5), parameter('slope', [5])])
    const gate = op.Sigmoid([linear('c', op.Elu([b]), 5)])
    return linear('d', op.Mul([b, gate]), 2)
  })

  it('puts Relu in the place of every hidden one, and leaves gates', () => {
    const { graph, count } = swapActivations(mixed)
    expect(count).toBe(3)
    expect(ops(graph)).toBe('Gemm Relu Gemm Relu Relu Gemm Sigmoid Mul Gemm')
    expect(graph.initializers.has('slope')).toBe(false)
  })

  it('takes only those named, and puts in what is asked for', () => {
    const { graph, count } = swapActivations(mixed, { from: ['Sigmoid', 'PRelu'], to: 'HardSigmoid' })
    expect(count).toBe(2)
    expect(ops(graph)).toBe('Gemm LeakyRelu Gemm HardSigmoid Elu Gemm HardSigmoid Mul Gemm')
  })

  it('keeps the names of values', () => {
    const names = mixed.nodes.map(node => node.outputs[0])
    expect(swapActivations(mixed).graph.nodes.map(node => node.outputs[0])).toEqual(names)
  })

  it('gives back the graph itself where there is nothing to swap', () => {
    const plain = net(['N', 4], ({ op, linear }, x) => linear('b', op.Relu([linear('a', x, 3)]), 2))
    expect(swapActivations(plain)).toEqual({ graph: plain, count: 0 })
    expect(swapActivations(plain).graph).toBe(plain)
  })

  it('knows a clip that is an activation from one that is not', () => {
    const clip = (low: number) =>
      net(['N', 4], ({ op, linear }, x) => linear('b', op.Clip([linear('a', x, 3), op.scalar(low), op.scalar(6)]), 2))
    expect(swapActivations(clip(0)).count).toBe(1)
    expect(swapActivations(clip(-6)).count).toBe(0)
  })

  it('refuses a name that is no activation', () => {
    expect(() => swapActivations(mixed, { from: ['Conv' as 'Relu'] })).toThrow(/'Conv' is not an activation/)
  })

  it('gives a graph that runs', async () => {
    const feeds = randomFeeds(mixed, 5)
    const swapped = await run(swapActivations(mixed).graph, feeds)
    expect(distance(await run(mixed, feeds), swapped)).toBeGreaterThan(0)
    expect(distance(swapped, swapped)).toBe(0)
  })
})
