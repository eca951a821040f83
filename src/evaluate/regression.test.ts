import { describe, expect, test } from 'vitest'
import { meanAbsoluteError, r2, rootMeanSquaredError } from './regression.ts'
import { expectNear, golden } from './testing/metric-goldens.ts'

describe('regression metrics', () => {
  test.each(golden.regression)(
    'agree with scikit-learn: $name',
    ({ predicted, actual, mae, rmse, r2: determination }) => {
      expectNear(meanAbsoluteError(predicted, actual), mae)
      expectNear(rootMeanSquaredError(predicted, actual), rmse)
      expectNear(r2(predicted, actual), determination)
    },
  )

  test('refuse what cannot be compared', () => {
    for (const metric of [meanAbsoluteError, rootMeanSquaredError, r2]) {
      expect(() => metric([1], [1, 2])).toThrow(/1 predicted and 2 actual/)
      expect(() => metric([], [])).toThrow(/0 predicted/)
    }
  })
})
