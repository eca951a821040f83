import { SinterError } from '../base/errors.ts'

/*
 * Metrics of predicted numbers. Formulas and degenerate cases are scikit-learn 1.9's.
 */

/** Mean absolute error. */
export function meanAbsoluteError(predicted: ArrayLike<number>, actual: ArrayLike<number>): number {
  return meanOf(predicted, actual, error => Math.abs(error))
}

/** Root of the mean squared error. */
export function rootMeanSquaredError(predicted: ArrayLike<number>, actual: ArrayLike<number>): number {
  return Math.sqrt(meanOf(predicted, actual, error => error ** 2))
}

/**
 * Coefficient of determination: 1 - squared error / squared deviation of the actual numbers from their mean. Where those
 * are all equal it is 1 for perfect predictions and 0 for others; NaN for a single number.
 */
export function r2(predicted: ArrayLike<number>, actual: ArrayLike<number>): number {
  const squaredError = meanOf(predicted, actual, error => error ** 2)
  if (actual.length < 2) return Number.NaN
  let sum = 0
  for (let i = 0; i < actual.length; i++) sum += actual[i]!
  const mean = new Float64Array(actual.length).fill(sum / actual.length)
  const variance = meanOf(actual, mean, deviation => deviation ** 2)
  if (variance === 0) return squaredError === 0 ? 1 : 0
  return 1 - squaredError / variance
}

function meanOf(a: ArrayLike<number>, b: ArrayLike<number>, measure: (difference: number) => number): number {
  if (a.length !== b.length || a.length === 0) {
    throw new SinterError('invalid-data', `${a.length} predicted and ${b.length} actual numbers cannot be compared.`)
  }
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += measure(a[i]! - b[i]!)
  return sum / a.length
}
