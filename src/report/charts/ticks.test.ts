import { expect, test } from 'vitest'
import { decadeTicks, evenTicks, logRange, logScale, logTicks } from './ticks.ts'

test('decades have 1, 2 and 5 within the range', () => {
  expect(decadeTicks(0.03, 4)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2])
  expect(decadeTicks(400_000, 3e6)).toEqual([500_000, 1e6, 2e6])
})

test('even ticks are round, rising and within the range', () => {
  expect(evenTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
  expect(evenTicks(0.5, 1, 5)).toEqual([0.5, 0.6, 0.7, 0.8, 0.9, 1])
  expect(evenTicks(1, 40, 8)).toEqual([5, 10, 15, 20, 25, 30, 35, 40])
  expect(evenTicks(3, 3, 5)).toEqual([3])
})

test('a short logarithmic range has even ticks', () => {
  expect(logTicks(0.24, 0.31)).toEqual([0.24, 0.26, 0.28, 0.3])
  expect(logTicks(0.001, 0.1)).toEqual([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1])
})

test('a logarithmic range has room, and spans at least a factor of 2', () => {
  const [low, high] = logRange([0.01, 0.5])
  expect(low).toBeLessThan(0.01)
  expect(high).toBeGreaterThan(0.5)
  const [a, b] = logRange([3, 3])
  expect(b / a).toBeCloseTo(2)
  expect(a * b).toBeCloseTo(9)
})

test('a logarithmic scale labels every tick with its value', () => {
  const scale = logScale(1e5, 1e8, decadeTicks(1e5, 1e8), String)
  expect(scale.domain).toEqual([5, 8])
  expect(scale.ticks.map(scale.tickFormat)).toEqual(decadeTicks(1e5, 1e8).map(String))
})
