import { SinterError } from '../base/errors.ts'
import type { Predictions } from './predictions.ts'

/*
 * Metrics of how well scores rank positive examples above negative ones. Degenerate cases are scikit-learn 1.9's.
 * Everything follows from one walk over the distinct scores, in descending order, of positives and negatives that were
 * sorted apart: that needs no permutation and no sorting of pairs, which is most of what others spend.
 */

type Scores = Float32Array | Float64Array

interface Ranking {
  /** Ascending scores of the positive examples. */
  readonly positives: Scores
  /** Ascending scores of the negative examples. */
  readonly negatives: Scores
}

export interface RocCurve {
  /** False-positive rate at each threshold, from 0 to 1; NaN without negatives. */
  readonly falsePositiveRate: Float64Array
  /** True-positive rate at each threshold, from 0 to 1; NaN without positives. */
  readonly truePositiveRate: Float64Array
  /** Descending; an example counts as positive if its score is at least this. The first is infinite. */
  readonly thresholds: Float64Array
}

/**
 * Area under the ROC curve, exact, with ties counted half (the Mann-Whitney statistic: the probability that a positive
 * example scores above a negative one).
 * @param labels one per score: 1 is positive, all else negative.
 * @throws SinterError `invalid-data` for a score that is not finite, or lengths that differ.
 * @returns NaN where there are no positives or no negatives.
 */
export function binaryRocAuc(scores: Scores, labels: ArrayLike<number>): number {
  return areaUnder(rank(scores, labels))
}

/**
 * Area under the ROC curve of each class against the rest.
 * @returns per class; NaN for a class that no example has, or that all have.
 */
export function classRocAucs(predictions: Predictions): Float64Array {
  return Float64Array.from({ length: predictions.classes }, (_, c) => areaUnder(rankClass(predictions, c)))
}

/**
 * One-vs-rest ROC-AUC, averaged over the classes, each counting alike; of two classes that of class 1. As
 * `roc_auc_score(multi_class='ovr', average='macro', labels=all classes)`: NaN if any class does not occur.
 */
export function rocAuc(predictions: Predictions): number {
  if (predictions.classes === 2) return areaUnder(rankClass(predictions, 1))
  return meanOf(classRocAucs(predictions))
}

/**
 * Average precision: the sum over thresholds of (gain in recall) x precision, without interpolation.
 * @returns 0 without positives.
 */
export function binaryAveragePrecision(scores: Scores, labels: ArrayLike<number>): number {
  return precisionOf(rank(scores, labels))
}

/** Average precision of each class against the rest, averaged over the classes; of two classes that of class 1. */
export function averagePrecision(predictions: Predictions): number {
  if (predictions.classes === 2) return precisionOf(rankClass(predictions, 1))
  return meanOf(Float64Array.from({ length: predictions.classes }, (_, c) => precisionOf(rankClass(predictions, c))))
}

/**
 * The corners of the ROC curve of one class against the rest; points on a straight line between their neighbours are
 * dropped (as scikit-learn's `drop_intermediate`).
 */
export function classRocCurve(predictions: Predictions, c: number): RocCurve {
  return curveOf(rankClass(predictions, c))
}

/** The corners of a binary ROC curve; see `classRocCurve`. */
export function binaryRocCurve(scores: Scores, labels: ArrayLike<number>): RocCurve {
  return curveOf(rank(scores, labels))
}

/** Class c against the rest. */
function rankClass({ probabilities, labels, classes }: Predictions, c: number): Ranking {
  return separate(probabilities, labels, { positive: c, offset: c, stride: classes })
}

function rank(scores: Scores, labels: ArrayLike<number>): Ranking {
  if (scores.length !== labels.length) {
    throw new SinterError('invalid-data', `There are ${scores.length} scores, but ${labels.length} labels.`)
  }
  const wrong = scores.findIndex(score => !Number.isFinite(score))
  if (wrong >= 0) {
    throw new SinterError('invalid-data', `Score ${wrong} is ${scores[wrong]}, which cannot be ranked.`, { row: wrong })
  }
  return separate(scores, labels, { positive: 1, offset: 0, stride: 1 })
}

/** Row i has the score scores[offset + i * stride]; it is positive if its label is `positive`. */
function separate(
  scores: Scores,
  labels: ArrayLike<number>,
  { positive, offset, stride }: { positive: number; offset: number; stride: number },
): Ranking {
  let count = 0
  for (let row = 0; row < labels.length; row++) if (labels[row] === positive) count++
  const array = scores instanceof Float32Array ? Float32Array : Float64Array
  const positives = new array(count)
  const negatives = new array(labels.length - count)
  for (let row = 0, at = offset, p = 0, n = 0; row < labels.length; row++, at += stride) {
    if (labels[row] === positive) positives[p++] = scores[at]!
    else negatives[n++] = scores[at]!
  }
  return { positives: sortScores(positives), negatives: sortScores(negatives) }
}

/**
 * Sorts in place, ascending. The bits of floating-point numbers that are not negative order as the numbers do, and
 * sorting whole numbers takes half the time.
 */
function sortScores(scores: Scores): Scores {
  let least = 0
  for (let i = 0; i < scores.length; i++) {
    scores[i]! += 0 // -0 becomes 0, whose bits come first
    if (scores[i]! < least) least = scores[i]!
  }
  if (least < 0) return scores.sort()
  if (scores instanceof Float32Array) new Uint32Array(scores.buffer).sort()
  else new BigUint64Array(scores.buffer).sort()
  return scores
}

/** Visits each distinct score from the highest down, with the numbers of positives and negatives that reach it. */
function sweep(
  { positives, negatives }: Ranking,
  visit: (truePositives: number, falsePositives: number, threshold: number) => void,
): void {
  let p = positives.length - 1
  let n = negatives.length - 1
  while (p >= 0 || n >= 0) {
    const threshold = Math.max(p >= 0 ? positives[p]! : -Infinity, n >= 0 ? negatives[n]! : -Infinity)
    while (p >= 0 && positives[p] === threshold) p--
    while (n >= 0 && negatives[n] === threshold) n--
    visit(positives.length - 1 - p, negatives.length - 1 - n, threshold)
  }
}

function areaUnder(ranking: Ranking): number {
  let doubled = 0 // twice the area in units of pairs: whole numbers, exact up to 2^53
  let lastTrue = 0
  let lastFalse = 0
  sweep(ranking, (truePositives, falsePositives) => {
    doubled += (falsePositives - lastFalse) * (truePositives + lastTrue)
    lastTrue = truePositives
    lastFalse = falsePositives
  })
  return doubled / (2 * lastTrue * lastFalse)
}

function precisionOf(ranking: Ranking): number {
  const total = ranking.positives.length
  let [sum, lost] = [0, 0] // Kahan's summation: there may be millions of small terms
  let lastTrue = 0
  sweep(ranking, (truePositives, falsePositives) => {
    const gain = truePositives - lastTrue
    lastTrue = truePositives
    if (gain === 0) return
    const term = (gain / total) * (truePositives / (truePositives + falsePositives)) - lost
    const next = sum + term
    lost = next - sum - term
    sum = next
  })
  return sum
}

function curveOf(ranking: Ranking): RocCurve {
  const trues = [0]
  const falses = [0]
  const thresholds = [Number.POSITIVE_INFINITY]
  // A point waits until the next one shows whether it is a corner; the first and the last are always kept.
  let waiting = { truePositives: 0, falsePositives: 0, threshold: Number.NaN }
  let [trueStep, falseStep] = [0, 0]
  let points = 0
  const keep = () => {
    trues.push(waiting.truePositives)
    falses.push(waiting.falsePositives)
    thresholds.push(waiting.threshold)
  }
  sweep(ranking, (truePositives, falsePositives, threshold) => {
    const nextTrueStep = truePositives - waiting.truePositives
    const nextFalseStep = falsePositives - waiting.falsePositives
    const straight = nextTrueStep === trueStep && nextFalseStep === falseStep
    if (points === 1 || (points > 1 && !straight)) keep()
    trueStep = nextTrueStep
    falseStep = nextFalseStep
    waiting = { truePositives, falsePositives, threshold }
    points++
  })
  keep()
  return {
    falsePositiveRate: Float64Array.from(falses, count => count / ranking.negatives.length),
    truePositiveRate: Float64Array.from(trues, count => count / ranking.positives.length),
    thresholds: Float64Array.from(thresholds),
  }
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
