import { expect, test } from 'vitest'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { conformMethod } from '../testing/conform-method.ts'
import { average, majorityVote, median, methods, rankAverage, weightedAverage } from './index.ts'

for (const method of methods) conformMethod(method, onnxruntimeNode)

test('methods are known by name', () => {
  expect(methods.map(({ name }) => name)).toEqual([
    'average',
    'weighted-average',
    'majority-vote',
    'median',
    'maximum',
    'geometric-mean',
    'rank-average',
  ])
  const { method, weights } = weightedAverage([3, 1])
  expect({ method, weights }).toEqual({ method: 'weighted-average', weights: [0.75, 0.25] })
  expect(average().weights).toBe(undefined)
})

const row = (...values: number[]) => Float32Array.from(values)

test('the weighted average counts members by their weights', () => {
  expect(weightedAverage.combine([row(1, 0), row(0, 1)], 2, [3, 1])).toEqual(row(0.75, 0.25))
})

test('a vote of two against one wins however certain the one is', () => {
  const members = [row(0.51, 0.49), row(0.51, 0.49), row(0, 1)]
  const [first, second] = majorityVote.combine(members, 2) as unknown as [number, number]
  const average = (0.51 + 0.51) / 3
  expect(first).toBeCloseTo((2 + average / 4 + 1 / 2) / 3.75, 6)
  expect(second).toBeCloseTo((1 + (1 - average) / 4) / 3.75, 6)
})

test('among classes with equal votes the larger weighted average wins, by however little', () => {
  const barely = 2 ** -24
  const members = [row(0.5, 0.25, 0.25), row(0.25, 0.5 + 2 * barely, 0.25 - barely)]
  const [a, b] = majorityVote.combine(members, 3) as unknown as number[]
  expect(b! - a!).toBeGreaterThan(0.15)
  const weighted = majorityVote.combine(members, 3, [2, 1])
  expect(weighted.indexOf(Math.max(...weighted))).toBe(0)
})

test('the weights of a vote decide ties only', () => {
  const members = [row(0.9, 0.1), row(0.4, 0.6), row(0.4, 0.6)]
  const combined = majorityVote.combine(members, 2, [100, 1, 1])
  expect(combined[1]).toBeGreaterThan(combined[0]!)
})

test('the median is not moved by a member far off', () => {
  const members = [row(0.6, 0.4), row(0.7, 0.3), row(0, 1)]
  expect(median.combine(members, 2)[0]).toBeCloseTo(0.6, 5)
})

test('the rank average counts order alone', () => {
  const sure = rankAverage.combine([row(0.98, 0.01, 0.01), row(0.1, 0.8, 0.1)], 3)
  const unsure = rankAverage.combine([row(0.34, 0.33, 0.33), row(0.33, 0.34, 0.33)], 3)
  for (let c = 0; c < 3; c++) expect(sure[c]).toBeCloseTo(unsure[c]!, 1)
})
