import { describe, expect, test } from 'vitest'
import { float32s, fromNumbers, int64s } from '../base/tensor.ts'
import { predictions, takePredictions } from './predictions.ts'

const probabilities = float32s([3, 2], [0.25, 0.75, 0.5, 0.5, 1, 0])

describe('predictions', () => {
  test('predict the most probable class, the first of several', () => {
    expect(predictions(probabilities, [0, 1, 1])).toEqual({
      size: 3,
      classes: 2,
      probabilities: probabilities.data,
      predicted: Int32Array.of(1, 0, 0),
      labels: Int32Array.of(0, 1, 1),
    })
  })

  test('take 64-bit labels, half precision, and predicted classes that are given', () => {
    const half = fromNumbers('float16', [3, 2], probabilities.data)
    const made = predictions(half, int64s([0, 1, 1]).data, { predicted: [1n, 1n, 0n] })
    expect(made.labels).toEqual(Int32Array.of(0, 1, 1))
    expect(made.predicted).toEqual(Int32Array.of(1, 1, 0))
    expect([...made.probabilities]).toEqual([...probabilities.data])
  })

  test('bring back to 0 and 1 what rounding put just outside, without changing what they were given', () => {
    const rounded = float32s([1, 2], [1.0000001, -1e-9])
    expect(predictions(rounded, [0]).probabilities).toEqual(Float32Array.of(1, 0))
    expect(rounded.data[0]).toBeGreaterThan(1)
  })

  test('are refused where they make no sense, with the place', () => {
    const refused = (...args: Parameters<typeof predictions>) => expect(() => predictions(...args))
    refused(float32s([2], [0, 1]), [0]).toThrow(/must be \[rows, classes\].*not \[2\]/)
    refused(float32s([0, 2], []), []).toThrow(/at least 1 row/)
    refused(float32s([2, 1], [1, 1]), [0, 0]).toThrow(/2 classes/)
    refused(float32s([2, 2], [0, 1, 2.5, -1]), [0, 1]).toThrow(/Row 1 gives class 0 the probability 2.5.*logits/)
    refused(float32s([1, 2], [Number.NaN, 1]), [0]).toThrow(/NaN/)
    refused(probabilities, [0, 1]).toThrow(/3 rows of probabilities, but 2 of label/)
    refused(probabilities, [0, 2, 1]).toThrow(/Row 1 has label 2, but the 2 classes/)
    refused(probabilities, [0, 1, 1], { predicted: [0, 0, -1] }).toThrow(/Row 2 has predicted class -1/)
  })
})

test('takePredictions takes rows, also more than once', () => {
  const taken = takePredictions(predictions(probabilities, [0, 1, 1], { predicted: [0, 0, 1] }), [2, 0, 2])
  expect(taken).toEqual({
    size: 3,
    classes: 2,
    probabilities: Float32Array.of(1, 0, 0.25, 0.75, 1, 0),
    predicted: Int32Array.of(1, 0, 1),
    labels: Int32Array.of(1, 0, 1),
  })
})
