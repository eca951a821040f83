import { describe, expect, test } from 'vitest'
import { applyTemperature, fitTemperature } from './calibration.ts'
import { logLoss } from './probability-scores.ts'
import { golden, predictionsOf } from './testing/metric-goldens.ts'

describe('fitTemperature', () => {
  test.each(golden.temperature)('finds the minimum that SciPy finds near $temperature', row => {
    const held = predictionsOf(row.probabilities, row.labels)
    const fit = fitTemperature(held)
    expect(Math.abs(fit.temperature / row.temperature - 1)).toBeLessThan(1e-6)
    expect(fit.before).toBe(logLoss(held))
    expect(fit.after).toBeLessThan(fit.before)
    for (const nearby of [0.99, 1.01]) {
      expect(logLoss(applyTemperature(held, fit.temperature * nearby))).toBeGreaterThan(fit.after)
    }
  })

  test('stays within bounds where the loss has no minimum', () => {
    expect(fitTemperature(predictionsOf([0.9, 0.1, 0.2, 0.8], [0, 1])).temperature).toBeCloseTo(0.01, 6)
    expect(fitTemperature(predictionsOf([0.9, 0.1, 0.2, 0.8], [1, 0])).temperature).toBeCloseTo(100, 6)
    expect(fitTemperature(predictionsOf([0.5, 0.5], [1])).temperature).toBeGreaterThan(0)
  })
})

test('applyTemperature changes no decision, and at 1 almost nothing', () => {
  const { probabilities, labels } = golden.temperature[0]!
  const source = predictionsOf(probabilities, labels)
  const scaled = applyTemperature(source, 3)
  expect(scaled.predicted).toEqual(source.predicted)
  expect(Math.max(...scaled.probabilities)).toBeLessThan(Math.max(...source.probabilities))
  const same = applyTemperature(source, 1).probabilities
  for (const [i, p] of source.probabilities.entries()) expect(same[i]).toBeCloseTo(p, 6)
})
