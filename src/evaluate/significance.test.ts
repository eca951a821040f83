import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { float32s } from '../base/tensor.ts'
import { metrics } from './metrics.ts'
import { type Predictions, predictions } from './predictions.ts'
import { bootstrapDifference, type Confidence, mcnemar, signTest, wilsonInterval } from './significance.ts'
import { golden } from './testing/metric-goldens.ts'

/** Predictions of two classes, all labelled 0, that are right where told. */
function rightAt(right: readonly boolean[]): Predictions {
  const rows = right.flatMap(is => (is ? [0.75, 0.25] : [0.25, 0.75]))
  return predictions(
    float32s([right.length, 2], rows),
    right.map(() => 0),
  )
}

const near = (actual: number, expected: number) => Math.abs(actual - expected) <= 1e-12 * Math.max(expected, 1e-300)

describe('signTest', () => {
  test.each(golden.signTest)("is SciPy's exact binomial test for $a against $b", ({ a, b, p }) => {
    expect(near(signTest(a, b), p), `${signTest(a, b)} against ${p}`).toBe(true)
    expect(signTest(b, a)).toBe(signTest(a, b))
  })

  test('stays a probability for a million differences', () => {
    const p = signTest(499_000, 501_000)
    // Normal approximation with continuity correction: z = 1999 / 1000.
    expect(p).toBeCloseTo(0.0456, 3)
  })
})

describe('mcnemar', () => {
  const [first, second] = [rightAt([true, true, true, true, false]), rightAt([true, false, false, false, true])]

  test('counts the examples that only one gets right', () => {
    expect(mcnemar(first, second)).toEqual({ onlyFirst: 3, onlySecond: 1, p: 0.625 })
    expect(mcnemar(first, first)).toEqual({ onlyFirst: 0, onlySecond: 0, p: 1 })
  })

  test('refuses predictions of other examples', () => {
    expect(() => mcnemar(first, rightAt([true]))).toThrow(/same examples/)
    expect(() => mcnemar(first, { ...first, labels: Int32Array.of(0, 0, 0, 0, 1) })).toThrow(/same examples/)
  })
})

describe('wilsonInterval', () => {
  test.each(golden.wilson)('is the interval of SciPy for $hits of $total at $confidence', row => {
    const { low, high } = wilsonInterval(row.hits, row.total, row.confidence as Confidence)
    expect(Math.abs(low - row.low)).toBeLessThan(1e-12)
    expect(Math.abs(high - row.high)).toBeLessThan(1e-12)
  })

  test('refuses what is not a proportion', () => {
    expect(() => wilsonInterval(3, 2)).toThrow(/3 of 2 is not a proportion/)
    expect(() => wilsonInterval(0, 0)).toThrow(/not a proportion/)
  })
})

describe('bootstrapDifference', () => {
  const size = 400
  const first = rightAt(Array.from({ length: size }, (_, i) => i % 10 !== 0)) // 90 %
  const second = rightAt(Array.from({ length: size }, (_, i) => i % 5 !== 0)) // 80 %, wrong where the first is, and more

  test('agrees with the normal approximation of a paired difference', () => {
    const { difference, low, high } = bootstrapDifference(metrics.accuracy, first, second, {
      random: random(1),
      resamples: 4000,
    })
    expect(difference).toBeCloseTo(0.1, 12)
    const spread = 1.96 * Math.sqrt((0.1 - 0.1 ** 2) / size)
    expect(Math.abs(low - (0.1 - spread))).toBeLessThan(0.004)
    expect(Math.abs(high - (0.1 + spread))).toBeLessThan(0.004)
  })

  test('depends on the seed alone', () => {
    const once = (seed: number) =>
      bootstrapDifference(metrics.logLoss, first, second, { random: random(seed), resamples: 50 })
    expect(once(3)).toEqual(once(3))
    expect(once(3).low).not.toBe(once(4).low)
  })

  test('a classifier does not differ from itself, and an undefined metric has no bounds', () => {
    const options = { random: random(1), resamples: 20 }
    expect(bootstrapDifference(metrics.accuracy, first, first, options)).toEqual({ difference: 0, low: 0, high: 0 })
    expect(bootstrapDifference(metrics.rocAuc, first, second, options).low).toBeNaN()
  })
})
