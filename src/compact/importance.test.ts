import { describe, expect, it } from 'vitest'
import { float32s } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { couple } from '../read/coupling.ts'
import { net } from '../read/testing/nets.ts'
import { bnScale, type Importance, l1Norm, l2Norm, randomImportance } from './importance.ts'

function withParameters(graph: Graph, values: Readonly<Record<string, readonly number[]>>): Graph {
  const initializers = new Map(graph.initializers)
  for (const [name, data] of Object.entries(values)) {
    initializers.set(name, float32s(initializers.get(name)!.shape, data))
  }
  return { ...graph, initializers }
}

function scores(importance: Importance, graph: Graph): number[] {
  const [group] = couple(graph).groups
  return Array.from(importance(graph, group!))
}

const mlp = withParameters(
  net(['N', 2], ({ op, linear }, x) => linear('b', op.Relu([linear('a', x, 2)]), 1)),
  { 'a.weight': [3, -4, 6, 8], 'a.bias': [100, 0], 'b.weight': [-1, 3] },
)

describe('importance', () => {
  it('by L1 norm averages the layers, each relative to its mean, without biases', () => {
    // a: 7 and 14, mean 10.5; b: 1 and 3, mean 2.
    const [first, second] = scores(l1Norm, mlp)
    expect(first).toBeCloseTo((7 / 10.5 + 1 / 2) / 2)
    expect(second).toBeCloseTo((14 / 10.5 + 3 / 2) / 2)
  })

  it('by L2 norm takes the root of the sum of squares', () => {
    // a: 5 and 10, mean 7.5; b: 1 and 3, mean 2.
    const [first, second] = scores(l2Norm, mlp)
    expect(first).toBeCloseTo((5 / 7.5 + 1 / 2) / 2)
    expect(second).toBeCloseTo((10 / 7.5 + 3 / 2) / 2)
  })

  it('sums over all positions of a flattened channel', () => {
    const flat = withParameters(
      net(['N', 1, 1, 2], ({ op, conv, linear }, x) => linear('fc', op.Flatten([conv('a', x, 2)]), 1)),
      { 'a.weight': [1, 1], 'fc.weight': [1, 2, 4, 5] },
    )
    const [first, second] = scores(l1Norm, flat)
    expect(first).toBeCloseTo((1 + 3 / 6) / 2)
    expect(second).toBeCloseTo((1 + 9 / 6) / 2)
  })

  it('by normalisation scale reads the scale, not the other statistics', () => {
    const normed = withParameters(
      net(['N', 1, 2, 2], ({ conv, norm }, x) => conv('b', norm('bn', conv('a', x, 2)), 1)),
      { 'bn.weight': [-3, 1], 'bn.bias': [50, 0] },
    )
    expect(scores(bnScale, normed)).toEqual([1.5, 0.5])
  })

  it('by normalisation scale refuses a layer without one', () => {
    expect(() => scores(bnScale, mlp)).toThrow(/no normalisation/)
  })

  it('at random depends on the seed and the group only', () => {
    expect(scores(randomImportance(1), mlp)).toEqual(scores(randomImportance(1), mlp))
    expect(scores(randomImportance(1), mlp)).not.toEqual(scores(randomImportance(2), mlp))
  })
})
