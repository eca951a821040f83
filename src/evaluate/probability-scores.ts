import { SinterError } from '../base/errors.ts'
import type { Predictions } from './predictions.ts'

/*
 * Metrics of the probabilities themselves, in float64 throughout. Degenerate cases are scikit-learn 1.9's, where it has
 * the metric. Rows are taken as they are: they are not made to add up to 1.
 */

/**
 * Mean negative natural logarithm of the probability given to the true class. Probabilities are clipped to
 * [e, 1-e] with e = 2^-52, the spacing of float64 at 1, as scikit-learn does for float64 input: a certain mistake costs
 * 36.04, not infinity.
 */
export function logLoss({ probabilities, labels, size, classes }: Predictions): number {
  let sum = 0
  for (let row = 0; row < size; row++) {
    const p = probabilities[row * classes + labels[row]!]!
    sum -= Math.log(Math.min(Math.max(p, Number.EPSILON), 1 - Number.EPSILON))
  }
  return sum / size
}

/**
 * Brier score: mean squared distance of the probabilities from the one-hot label (Brier 1950), from 0 to 2; for two
 * classes half of that, so that it is the squared error of one class's probability (scikit-learn's `scale_by_half`).
 */
export function brierScore({ probabilities, labels, size, classes }: Predictions): number {
  let sum = 0
  for (let row = 0, at = 0; row < size; row++) {
    for (let c = 0; c < classes; c++, at++) sum += (probabilities[at]! - (labels[row] === c ? 1 : 0)) ** 2
  }
  return sum / size / (classes === 2 ? 2 : 1)
}

/**
 * Share of the examples whose true class is among the k most probable. Of equal probabilities the higher class goes
 * first, as in scikit-learn's `top_k_accuracy_score`; note that for k = 1 this is not how a class is predicted.
 * @throws SinterError `invalid-argument` where k is not a positive whole number.
 */
export function topKAccuracy({ probabilities, labels, size, classes }: Predictions, k: number): number {
  if (!(Number.isInteger(k) && k > 0)) {
    throw new SinterError('invalid-argument', `k must be a positive whole number, not ${k}.`, { k })
  }
  let hits = 0
  for (let row = 0, at = 0; row < size; row++, at += classes) {
    const label = labels[row]!
    const own = probabilities[at + label]!
    let ahead = 0
    for (let c = 0; c < classes; c++) {
      const other = probabilities[at + c]!
      if (other > own || (other === own && c > label)) ahead++
    }
    if (ahead < k) hits++
  }
  return hits / size
}

/**
 * Expected calibration error (Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks", eq. 3):
 * predictions are put into bins (0, 1/B], (1/B, 2/B], ... by their confidence, the probability of the predicted class;
 * the error is the mean over all predictions of their bin's |accuracy - mean confidence|, from 0 to 1.
 */
export function calibrationError(predictions: Predictions, { bins = 15 }: { readonly bins?: number } = {}): number {
  const { probabilities, labels, predicted, size, classes } = predictions
  const surplus = new Float64Array(bins) // sum of (right - confidence) in each bin
  const ends = surplus.map((_, bin) => (bin + 1) / bins)
  for (let row = 0; row < size; row++) {
    const confidence = probabilities[row * classes + predicted[row]!]!
    let bin = 0
    while (confidence > ends[bin]!) bin++
    surplus[bin]! += (predicted[row] === labels[row] ? 1 : 0) - confidence
  }
  return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / size
}
