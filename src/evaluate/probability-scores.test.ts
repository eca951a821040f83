import { expect, test } from 'vitest'
import { calibrationError, logLoss, topKAccuracy } from './probability-scores.ts'
import { predictionsOf } from './testing/metric-goldens.ts'

test('a certain mistake costs the logarithm of 2^-52, as scikit-learn clips', () => {
  expect(logLoss(predictionsOf([1, 0], [1]))).toBeCloseTo(52 * Math.LN2, 10)
})

test('calibration error weighs each bin by what falls into it', () => {
  // Two predictions of confidence 0.75, one right: |0.5 - 0.75| = 0.25. One of 1, right: 0.
  expect(calibrationError(predictionsOf([0.75, 0.25, 0.75, 0.25, 0, 1], [0, 1, 1]))).toBeCloseTo((2 / 3) * 0.25, 12)
  // In one bin: |2/3 - 2.5/3|.
  expect(calibrationError(predictionsOf([0.75, 0.25, 0.75, 0.25, 0, 1], [0, 1, 1]), { bins: 1 })).toBeCloseTo(
    0.5 / 3,
    12,
  )
})

test('top-k refuses a k that is no count', () => {
  for (const k of [0, 1.5]) expect(() => topKAccuracy(predictionsOf([1, 0], [1]), k)).toThrow(/positive whole number/)
})
