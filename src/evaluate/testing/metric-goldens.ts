import { expect } from 'vitest'
import { tensor } from '../../base/tensor.ts'
import golden from '../goldens/metrics.json' with { type: 'json' }
import { type Predictions, predictions } from '../predictions.ts'

/** What scikit-learn, SciPy and NumPy say; written by tools/goldens/metrics.py. */
export { golden }

/** Predictions of rows of float32 probabilities. */
export function predictionsOf(probabilities: readonly number[], labels: readonly number[]): Predictions {
  const shape = [labels.length, probabilities.length / labels.length]
  return predictions(tensor('float32', shape, Float32Array.from(probabilities)), labels)
}

/** Asserts agreement to 1e-12, absolute and relative; null stands for a number that is not defined. */
export function expectNear(actual: number, expected: number | null): void {
  if (expected === null) expect(actual).toBeNaN()
  else
    expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(
      1e-12 * Math.max(1, Math.abs(expected)),
    )
}

/** `expectNear` for each element; an expected null also stands for infinity. */
export function expectAllNear(actual: ArrayLike<number>, expected: readonly (number | null)[]): void {
  expect(actual.length).toBe(expected.length)
  expected.forEach((value, i) => {
    if (value === null) expect(Number.isFinite(actual[i])).toBe(false)
    else expectNear(actual[i]!, value)
  })
}
