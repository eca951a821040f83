import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { restOf, stratifiedFolds } from './folds.ts'

const labelSets = fc.tuple(
  fc.integer({ min: 2, max: 6 }),
  fc.array(fc.integer({ min: 6, max: 20 }), { minLength: 1, maxLength: 5 }),
)

describe('stratifiedFolds', () => {
  test('parts hold every row once; sizes and class counts differ by at most one', () => {
    fc.assert(
      fc.property(labelSets, fc.integer(), ([k, counts], seed) => {
        const labels = counts.flatMap((count, c) => Array<number>(count).fill(c * 3))
        const folds = stratifiedFolds(labels, k, random(seed))
        expect(folds.length).toBe(k)
        expect(folds.flatMap(fold => [...fold]).sort((a, b) => a - b)).toEqual(labels.map((_, row) => row))
        const spread = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers)
        expect(spread(folds.map(fold => fold.length))).toBeLessThanOrEqual(1)
        counts.forEach((_, c) => {
          expect(spread(folds.map(fold => fold.filter(row => labels[row] === c * 3).length))).toBeLessThanOrEqual(1)
        })
      }),
      { seed: 1 },
    )
  })

  test('depend on the seed alone', () => {
    const labels = Array.from({ length: 50 }, (_, i) => i % 3)
    const drawn = random(1)
    drawn.uniform()
    expect(stratifiedFolds(labels, 5, drawn)).toEqual(stratifiedFolds(labels, 5, random(1)))
    expect(stratifiedFolds(labels, 5, random(2))).not.toEqual(stratifiedFolds(labels, 5, random(1)))
  })

  test('are refused where a class is smaller than their number, with the class named', () => {
    expect(() => stratifiedFolds([0, 0, 0, 7, 7], 3, random(1))).toThrow(/class 7 has only 2 rows; use fewer folds/)
    expect(() => stratifiedFolds([], 3, random(1))).toThrow(/there are no rows/)
    for (const k of [1, 2.5, Number.NaN]) expect(() => stratifiedFolds([0, 0], k, random(1))).toThrow(/2 or more folds/)
  })
})

test('restOf gives the other rows', () => {
  expect(restOf(5, [1, 4])).toEqual(Uint32Array.of(0, 2, 3))
})
