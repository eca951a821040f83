import { SinterError } from '../base/errors.ts'

/**
 * Weights that sum to 1.
 * @throws SinterError `invalid-argument` if one is negative or not finite, or all are zero.
 */
export function normalizeWeights(weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (weights.every(weight => weight >= 0) && sum > 0 && Number.isFinite(sum))
    return weights.map(weight => weight / sum)
  const message = `Weights must be finite, not negative, and not all zero: ${weights.join(', ')}.`
  throw new SinterError('invalid-argument', message, { weights })
}

/** Each member in proportion to its accuracy (0 to 1); the weights sum to 1. All alike if no member is ever right. */
export function accuracyWeights(accuracies: readonly number[]): readonly number[] {
  checkAccuracies(accuracies)
  return normalizeWeights(accuracies.some(accuracy => accuracy > 0) ? accuracies : accuracies.map(() => 1))
}

/** Accuracies closer than this to 0 or 1 are taken to be this far away: measured ones are not that certain. */
const certain = 1e-3

/**
 * Each member by the log odds of its accuracy p, ln(p (C - 1) / (1 - p)), which is optimal for the votes of members that
 * err independently and uniformly over the other C - 1 classes; members no better than chance get 0. The weights sum to
 * 1. All alike if none is better than chance. (Kuncheva and Rodriguez, A weighted voting framework for classifiers
 * ensembles, Knowledge and Information Systems 38, 2014: the weighted majority vote.)
 */
export function logOddsWeights(accuracies: readonly number[], classes = 2): readonly number[] {
  checkAccuracies(accuracies)
  const odds = accuracies.map(accuracy => {
    const p = Math.min(Math.max(accuracy, certain), 1 - certain)
    return Math.max(0, Math.log((p * (classes - 1)) / (1 - p)))
  })
  return normalizeWeights(odds.some(weight => weight > 0) ? odds : odds.map(() => 1))
}

function checkAccuracies(accuracies: readonly number[]): void {
  if (accuracies.length > 0 && accuracies.every(accuracy => accuracy >= 0 && accuracy <= 1)) return
  const message = `Accuracies lie between 0 and 1: ${accuracies.join(', ')}.`
  throw new SinterError('invalid-argument', message, { accuracies })
}
