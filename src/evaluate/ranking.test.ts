import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { binaryAveragePrecision, binaryRocAuc, binaryRocCurve } from './ranking.ts'
import { expectAllNear, expectNear, golden } from './testing/metric-goldens.ts'

describe('scores of any sign', () => {
  const { scores, labels, rocAuc, averagePrecision, curve } = golden.binary

  test.each([Float32Array, Float64Array])('in a %o agree with scikit-learn', array => {
    const values = array === Float32Array ? Float32Array.from(scores) : Float64Array.from(Float32Array.from(scores))
    expectNear(binaryRocAuc(values, labels), rocAuc)
    expectNear(binaryAveragePrecision(values, labels), averagePrecision)
    const found = binaryRocCurve(values, labels)
    expectAllNear(found.falsePositiveRate, curve.falsePositiveRate)
    expectAllNear(found.truePositiveRate, curve.truePositiveRate)
    expectAllNear(found.thresholds, curve.thresholds)
  })

  test('are compared pair by pair, ties counting half', () => {
    const score = fc.constantFrom(-0, 0, 0.5, -0.5, 1, 5e-324, -1e300, 3)
    fc.assert(
      fc.property(fc.array(fc.tuple(score, fc.integer({ min: 0, max: 1 })), { maxLength: 30 }), pairs => {
        const positives = pairs.filter(([, label]) => label === 1).map(([value]) => value)
        const negatives = pairs.filter(([, label]) => label === 0).map(([value]) => value)
        const wins = positives.flatMap(p => negatives.map(n => (p > n ? 1 : p === n ? 0.5 : 0) as number))
        const expected = wins.reduce((a, b) => a + b, 0) / wins.length
        const scores = Float64Array.from(pairs, ([value]) => value)
        const labels = pairs.map(([, label]) => label)
        if (wins.length === 0) expect(binaryRocAuc(scores, labels)).toBeNaN()
        else expect(binaryRocAuc(scores, labels)).toBeCloseTo(expected, 12)
      }),
      { seed: 1 },
    )
  })

  test('that cannot be ranked are refused, and nothing given is changed', () => {
    expect(() => binaryRocAuc(Float64Array.of(1, Number.NaN), [0, 1])).toThrow(/Score 1 is NaN/)
    expect(() => binaryRocAuc(Float64Array.of(1, 2), [0])).toThrow(/2 scores, but 1 labels/)
    const scores = Float64Array.of(3, 1, 2)
    binaryRocAuc(scores, [0, 1, 0])
    expect(scores).toEqual(Float64Array.of(3, 1, 2))
  })
})
