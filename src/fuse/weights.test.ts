import { expect, test } from 'vitest'
import { accuracyWeights, logOddsWeights, normalizeWeights } from './weights.ts'

test('weights are scaled to sum to 1', () => {
  expect(normalizeWeights([1, 3])).toEqual([0.25, 0.75])
})

test('weights that cannot be scaled are refused', () => {
  for (const weights of [[], [0, 0], [1, -1], [1, Number.NaN], [1, Number.POSITIVE_INFINITY]]) {
    expect(() => normalizeWeights(weights)).toThrow(/Weights must be finite/)
  }
})

test('accuracy weights are in proportion to accuracy', () => {
  expect(accuracyWeights([0.5, 0.75, 0])).toEqual([0.4, 0.6, 0])
  expect(accuracyWeights([0, 0])).toEqual([0.5, 0.5])
  expect(() => accuracyWeights([99.2])).toThrow(/between 0 and 1/)
})

test('log odds weigh a member by how far it is from chance', () => {
  const [good, fair, chance, worse] = logOddsWeights([0.9, 0.75, 0.5, 0.3])
  expect(good! / fair!).toBeCloseTo(Math.log(9) / Math.log(3), 12)
  expect([chance, worse]).toEqual([0, 0])
  // Among ten classes, one in ten is chance.
  expect(logOddsWeights([0.9, 0.1], 10)).toEqual([1, 0])
  expect(logOddsWeights([0.5, 0.5, 0.5], 2)).toEqual([1 / 3, 1 / 3, 1 / 3])
})

test('a member that was always right does not outweigh all others without bound', () => {
  const [perfect, good] = logOddsWeights([1, 0.99], 10)
  expect(perfect! / good!).toBeLessThan(2)
})
