import type { Predictions } from './predictions.ts'

/*
 * Metrics of predicted classes. All of them are functions of the confusion matrix, so that many cost one pass over the
 * predictions. Formulas and degenerate cases are scikit-learn 1.9's (sklearn.metrics, `zero_division=0`).
 */

/** How often class `label` was predicted as class `predicted`: counts[label * classes + predicted]. */
export interface ConfusionMatrix {
  readonly classes: number
  readonly counts: Float64Array
  /** Examples per true class: sums of rows. */
  readonly support: Float64Array
  /** Examples per predicted class: sums of columns. */
  readonly predicted: Float64Array
  readonly total: number
}

export function confusionMatrix({ labels, predicted, classes }: Omit<Predictions, 'probabilities'>): ConfusionMatrix {
  const counts = new Float64Array(classes * classes)
  for (let row = 0; row < labels.length; row++) counts[labels[row]! * classes + predicted[row]!]!++
  const support = new Float64Array(classes)
  const predictedCounts = new Float64Array(classes)
  counts.forEach((count, i) => {
    support[Math.floor(i / classes)]! += count
    predictedCounts[i % classes]! += count
  })
  return { classes, counts, support, predicted: predictedCounts, total: labels.length }
}

/** Examples of a class that were predicted as it. */
function truePositives({ counts, classes }: ConfusionMatrix, c: number): number {
  return counts[c * classes + c]!
}

function correct(matrix: ConfusionMatrix): number {
  let sum = 0
  for (let c = 0; c < matrix.classes; c++) sum += truePositives(matrix, c)
  return sum
}

/** Share of the predictions that are right. */
export function accuracy(matrix: ConfusionMatrix): number {
  return correct(matrix) / matrix.total
}

/** Mean of the recalls of the classes that occur among the labels. */
export function balancedAccuracy(matrix: ConfusionMatrix): number {
  const recalls = classScores(matrix).filter(({ support }) => support > 0)
  return mean(recalls.map(({ recall }) => recall))
}

export interface ClassScores {
  /** Share of the predictions of this class that are right; 0 if it was never predicted. */
  readonly precision: number
  /** Share of the examples of this class that are found; 0 if there are none. */
  readonly recall: number
  /** Harmonic mean of precision and recall, 2 TP / (examples + predictions); 0 if the class never occurs. */
  readonly f1: number
  /** Examples of this class. */
  readonly support: number
}

/** Precision, recall and F1 of each class against the rest. */
export function classScores(matrix: ConfusionMatrix): ClassScores[] {
  return Array.from(matrix.support, (support, c) => {
    const found = truePositives(matrix, c)
    const predicted = matrix.predicted[c]!
    return {
      precision: ratio(found, predicted),
      recall: ratio(found, support),
      f1: ratio(2 * found, support + predicted),
      support,
    }
  })
}

/**
 * How the classes' scores become one: `macro` counts each class alike, `weighted` by its number of examples, `micro` puts
 * all decisions in one pool. As in scikit-learn without `labels`, classes that neither occur nor are predicted are left
 * out. With one label per example the micro average of each score is the accuracy.
 */
export type Average = 'macro' | 'micro' | 'weighted'

export function averageScore(
  matrix: ConfusionMatrix,
  score: 'precision' | 'recall' | 'f1',
  average: Average = 'macro',
): number {
  if (average === 'micro') return accuracy(matrix)
  const scores = classScores(matrix)
  if (average === 'weighted') return sum(scores.map(s => s[score] * s.support)) / matrix.total
  return mean(scores.filter((s, c) => s.support + matrix.predicted[c]! > 0).map(s => s[score]))
}

/**
 * Matthews correlation coefficient for any number of classes (Gorodkin 2004, "Comparing two K-category assignments by a
 * K-category correlation coefficient"): from -1 to 1. 0 where all labels or all predictions are one class.
 */
export function matthews(matrix: ConfusionMatrix): number {
  const { support, predicted, total } = matrix
  const covariance = correct(matrix) * total - dot(support, predicted)
  const variances = (total ** 2 - dot(predicted, predicted)) * (total ** 2 - dot(support, support))
  return variances === 0 ? 0 : covariance / Math.sqrt(variances)
}

/**
 * Cohen's kappa (1960): agreement of predictions and labels beyond chance, from -1 to 1. NaN where all labels and all
 * predictions are one and the same class.
 */
export function cohenKappa(matrix: ConfusionMatrix): number {
  const { support, predicted, total } = matrix
  const wrong = total - correct(matrix)
  let expectedWrong = 0
  for (let a = 0; a < support.length; a++) {
    for (let b = 0; b < predicted.length; b++) if (a !== b) expectedWrong += (support[a]! * predicted[b]!) / total
  }
  return expectedWrong === 0 ? Number.NaN : 1 - wrong / expectedWrong
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((total, value, i) => total + value * b[i]!, 0)
}
