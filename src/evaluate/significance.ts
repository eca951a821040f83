import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Metric } from './metrics.ts'
import { type Predictions, takePredictions } from './predictions.ts'
import { quantile } from './quantile.ts'

export interface McNemar {
  /** Examples that only the first classifier gets right. */
  readonly onlyFirst: number
  /** Examples that only the second classifier gets right. */
  readonly onlySecond: number
  /** Exact two-sided p-value. */
  readonly p: number
}

/**
 * McNemar's exact test of two classifiers on the same examples: how probable a split at least so uneven of the examples
 * that only one of them gets right is, if each is as likely to be the one (McNemar 1947; the exact binomial form, as
 * statsmodels' `mcnemar(exact=True)`). p is 1 where they never differ.
 * @throws SinterError `invalid-argument` where the predictions are not of the same examples.
 */
export function mcnemar(first: Predictions, second: Predictions): McNemar {
  checkPaired(first, second)
  let [onlyFirst, onlySecond] = [0, 0]
  for (let row = 0; row < first.size; row++) {
    const firstRight = first.predicted[row] === first.labels[row]
    const secondRight = second.predicted[row] === second.labels[row]
    if (firstRight && !secondRight) onlyFirst++
    if (secondRight && !firstRight) onlySecond++
  }
  return { onlyFirst, onlySecond, p: signTest(onlyFirst, onlySecond) }
}

/**
 * Two-sided p-value of a split of a + b fair coin tosses into a heads and b tails: 2 P(X <= min(a, b)) for
 * X ~ Binomial(a + b, 1/2), at most 1. Exact but for rounding: relative error about 1e-16 times the root of min(a, b).
 */
export function signTest(a: number, b: number): number {
  const [k, n] = [Math.min(a, b), a + b]
  if (2 * k === n) return 1
  // C(n, k) / 2^n as a product whose factors, halvings among them, are ordered so that it stays near 1 while it can.
  let [term, halvings] = [1, n]
  for (let i = 1; i <= k; i++) {
    term *= (n - k + i) / i
    for (; term > 1 && halvings > 0; halvings--) term /= 2
  }
  // The terms below k follow by their ratios.
  let [sum, ratio] = [1, 1]
  for (let i = k; i > 0 && ratio > 0; i--) {
    ratio *= i / (n - i + 1)
    sum += ratio
  }
  return Math.min(1, 2 * term * sum * 2 ** -halvings)
}

/** A range that holds the true value with a stated confidence. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Quantiles of the standard normal distribution at (1 + confidence) / 2. */
const normalQuantiles = { 0.9: 1.6448536269514722, 0.95: 1.959963984540054, 0.99: 2.5758293035489004 } as const

export type Confidence = keyof typeof normalQuantiles

/**
 * Wilson's score interval for a proportion, such as an accuracy (Wilson 1927, without continuity correction).
 * @param hits successes among `total` tries, at least one.
 */
export function wilsonInterval(hits: number, total: number, confidence: Confidence = 0.95): Interval {
  if (!(total > 0 && hits >= 0 && hits <= total)) {
    throw new SinterError('invalid-argument', `${hits} of ${total} is not a proportion.`, { hits, total })
  }
  const z = normalQuantiles[confidence]
  const share = hits / total
  const centre = share + z ** 2 / (2 * total)
  const spread = z * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2))
  const scale = 1 + z ** 2 / total
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) }
}

export interface BootstrapOptions {
  readonly random: Random
  /** How often the examples are drawn again. */
  readonly resamples?: number | undefined
  readonly confidence?: number | undefined
}

export interface MetricDifference extends Interval {
  /** The metric of the first minus that of the second. */
  readonly difference: number
}

/**
 * How sure the difference of two classifiers in a metric is: examples are drawn again with replacement, the same ones for
 * both, and the middle of the differences is the interval (Efron's percentile bootstrap). Draws for which the metric is
 * not defined, as when a class is missing, are left out.
 * @returns NaN bounds where no draw defines the metric.
 */
export function bootstrapDifference(
  metric: Metric,
  first: Predictions,
  second: Predictions,
  { random, resamples = 1000, confidence = 0.95 }: BootstrapOptions,
): MetricDifference {
  checkPaired(first, second)
  const differenceOf = (a: Predictions, b: Predictions) => metric.value(a) - metric.value(b)
  const draws = random.fork('bootstrap')
  const rows = new Uint32Array(first.size)
  const differences = new Float64Array(resamples).map(() => {
    for (let i = 0; i < rows.length; i++) rows[i] = draws.integer(first.size)
    return differenceOf(takePredictions(first, rows), takePredictions(second, rows))
  })
  const sorted = differences.filter(difference => !Number.isNaN(difference)).sort()
  const tail = (1 - confidence) / 2
  return {
    difference: differenceOf(first, second),
    low: quantile(sorted, tail),
    high: quantile(sorted, 1 - tail),
  }
}

function checkPaired(first: Predictions, second: Predictions): void {
  if (first.size !== second.size || first.labels.some((label, row) => label !== second.labels[row])) {
    throw new SinterError(
      'invalid-argument',
      'Two classifiers can only be compared on the same examples, in one order.',
      {
        sizes: [first.size, second.size],
      },
    )
  }
}
