import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { int64s } from '../base/tensor.ts'
import { apportion } from './apportion.ts'
import { labelsOf, tensorDataset } from './dataset.ts'
import { splitDataset, stratifiedSplit, stratifiedSubset } from './split.ts'

const labels = Int32Array.from({ length: 1000 }, (_, i) => [0, 0, 0, 0, 0, 1, 1, 1, 2, 7][(i * 7) % 10]!)
const countOf = (rows: ArrayLike<number>, label: number) => Array.from(rows).filter(row => labels[row] === label).length

describe('apportion', () => {
  test('keeps all sums and rounds every share down or up', () => {
    const table = fc
      .array(fc.nat(60), { minLength: 1, maxLength: 8 })
      .chain(counts =>
        fc.tuple(fc.constant(counts), fc.array(fc.nat(counts.reduce((a, b) => a + b, 0)), { maxLength: 5 })),
      )
    fc.assert(
      fc.property(table, ([counts, cuts]) => {
        const total = counts.reduce((a, b) => a + b, 0)
        const edges = [0, ...cuts.sort((a, b) => a - b), total]
        const sizes = edges.slice(1).map((edge, i) => edge - edges[i]!)
        const result = apportion(counts, sizes)
        expect(result.map(row => row.reduce((a, b) => a + b, 0))).toEqual(counts)
        expect(sizes.map((_, p) => result.reduce((sum, row) => sum + row[p]!, 0))).toEqual(sizes)
        result.forEach((row, c) => {
          row.forEach((rows, p) => {
            expect(Math.abs(rows * total - counts[c]! * sizes[p]!)).toBeLessThan(Math.max(total, 1))
          })
        })
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})

describe('stratifiedSplit', () => {
  test('parts are disjoint, of the exact size, and keep the proportions', () => {
    const parts = stratifiedSplit(labels, { train: 'rest', validation: 0.15, test: 99 }, random(1))
    expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([751, 150, 99])
    const all = [...parts.train, ...parts.validation, ...parts.test].sort((a, b) => a - b)
    expect(all).toEqual(Array.from(labels, (_, i) => i))
    for (const [label, share] of [
      [0, 0.5],
      [1, 0.3],
      [2, 0.1],
      [7, 0.1],
    ] as const) {
      for (const rows of Object.values(parts)) {
        expect(Math.abs(countOf(rows, label) - share * rows.length)).toBeLessThan(1)
      }
    }
  })

  test('fractions that add up to 1 take every row', () => {
    const parts = stratifiedSplit(labels.subarray(0, 7), { a: 0.1, b: 0.2, c: 0.7 }, random(1))
    expect([parts.a.length, parts.b.length, parts.c.length].reduce((x, y) => x + y)).toBe(7)
  })

  test('depends on the seed alone', () => {
    const drawn = random(5)
    drawn.permutation(100)
    const parts = { train: 'rest', test: 300 } as const
    expect(stratifiedSplit(labels, parts, drawn)).toEqual(stratifiedSplit(labels, parts, random(5)))
    expect(stratifiedSplit(labels, parts, random(5)).test).not.toEqual(stratifiedSplit(labels, parts, random(6)).test)
  })

  test('refuses sizes that are no sizes or too large', () => {
    for (const size of [-1, 1.5, Number.NaN]) {
      expect(() => stratifiedSplit(labels, { a: size }, random(1))).toThrow(/Part 'a' has size/)
    }
    expect(() => stratifiedSplit(labels, { a: 900, b: 0.2 }, random(1))).toThrow(/need 1100 rows, but there are 1000/)
    expect(() => stratifiedSplit(labels, { a: 'rest', b: 'rest' }, random(1))).toThrow(/Only one part/)
  })
})

test('stratifiedSubset takes a part of each class', () => {
  const rows = stratifiedSubset(labels, 20, random(1))
  expect([0, 1, 2, 7].map(label => countOf(rows, label))).toEqual([10, 6, 2, 2])
  expect([...rows]).toEqual([...rows].sort((a, b) => a - b))
})

test('splitDataset splits by a field', async () => {
  const dataset = tensorDataset({ kind: int64s([...labels]) })
  const { train, validation } = await splitDataset(dataset, { train: 'rest', validation: 10 }, random(1), {
    by: 'kind',
  })
  expect([train.size, validation.size]).toEqual([990, 10])
  expect((await labelsOf(validation, 'kind')).toSorted()).toEqual(Int32Array.of(0, 0, 0, 0, 0, 1, 1, 1, 2, 7))
})
