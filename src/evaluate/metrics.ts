import { SinterError } from '../base/errors.ts'
import {
  accuracy,
  averageScore,
  balancedAccuracy,
  type ClassScores,
  classScores,
  cohenKappa,
  confusionMatrix,
  matthews,
} from './confusion-matrix.ts'
import type { Predictions } from './predictions.ts'
import { brierScore, calibrationError, logLoss, topKAccuracy } from './probability-scores.ts'
import { averagePrecision, rocAuc } from './ranking.ts'

/**
 * One number for the quality of predictions. A metric sees all of them at once: ranking metrics need every score
 * together anyway, and a whole validation set of probabilities is small beside the model that made them, so that an
 * accumulating form (start, add, value) would buy nothing and make each metric three functions.
 */
export interface Metric {
  readonly name: string
  readonly direction: 'minimize' | 'maximize'
  /** NaN where the metric is not defined for these predictions. */
  value(predictions: Predictions): number
}

/** The metrics of classifiers, by name. To add one, add its line. */
export const metrics = table({
  accuracy: maximize(p => accuracy(confusionMatrix(p))),
  balancedAccuracy: maximize(p => balancedAccuracy(confusionMatrix(p))),
  top5Accuracy: maximize(p => topKAccuracy(p, 5)),
  macroPrecision: maximize(p => averageScore(confusionMatrix(p), 'precision')),
  macroRecall: maximize(p => averageScore(confusionMatrix(p), 'recall')),
  macroF1: maximize(p => averageScore(confusionMatrix(p), 'f1')),
  microF1: maximize(p => averageScore(confusionMatrix(p), 'f1', 'micro')),
  weightedF1: maximize(p => averageScore(confusionMatrix(p), 'f1', 'weighted')),
  matthews: maximize(p => matthews(confusionMatrix(p))),
  cohenKappa: maximize(p => cohenKappa(confusionMatrix(p))),
  rocAuc: maximize(rocAuc),
  averagePrecision: maximize(averagePrecision),
  logLoss: minimize(logLoss),
  brier: minimize(brierScore),
  ece: minimize(calibrationError),
})

export type MetricName = keyof typeof metrics

/** @throws SinterError `invalid-argument` that lists the metrics there are. */
export function metricNamed(name: string): Metric {
  if (Object.hasOwn(metrics, name)) return metrics[name as MetricName]
  const known = Object.keys(metrics)
  throw new SinterError('invalid-argument', `There is no metric '${name}'; there are ${known.join(', ')}.`, {
    name,
    known,
  })
}

/** Whether one value of a metric is better than another; NaN is better than nothing. */
export function isBetter({ direction }: Pick<Metric, 'direction'>, a: number, b: number): boolean {
  if (Number.isNaN(b)) return !Number.isNaN(a)
  return direction === 'maximize' ? a > b : a < b
}

/** The numbers that a run reports for one model on one part of the data. */
export interface ClassificationReport {
  readonly accuracy: number
  readonly macroF1: number
  readonly rocAuc: number
  readonly logLoss: number
  readonly ece: number
  /** By class number. */
  readonly classes: readonly ClassScores[]
  /** Examples by true class (row) and predicted class (column). */
  readonly confusion: readonly (readonly number[])[]
}

/** All of a report's numbers; those that are not defined are NaN. */
export function classificationReport(predictions: Predictions): ClassificationReport {
  const matrix = confusionMatrix(predictions)
  const size = matrix.classes
  return {
    accuracy: accuracy(matrix),
    macroF1: averageScore(matrix, 'f1'),
    rocAuc: rocAuc(predictions),
    logLoss: logLoss(predictions),
    ece: calibrationError(predictions),
    classes: classScores(matrix),
    confusion: Array.from({ length: size }, (_, c) => [...matrix.counts.subarray(c * size, (c + 1) * size)]),
  }
}

type Unnamed = Omit<Metric, 'name'>

function maximize(value: Metric['value']): Unnamed {
  return { direction: 'maximize', value }
}

function minimize(value: Metric['value']): Unnamed {
  return { direction: 'minimize', value }
}

function table<Name extends string>(entries: Readonly<Record<Name, Unnamed>>): Readonly<Record<Name, Metric>> {
  const named = Object.entries<Unnamed>(entries).map(([name, entry]) => [name, { name, ...entry }])
  return Object.fromEntries(named) as Record<Name, Metric>
}
