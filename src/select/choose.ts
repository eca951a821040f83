import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { type Metric, metrics } from '../evaluate/metrics.ts'
import { type Predictions, predictions, takePredictions } from '../evaluate/predictions.ts'
import type { CombineMethod } from '../fuse/combine.ts'
import { restOf, stratifiedFolds } from './folds.ts'

/** A trained member, by what it says of the validation data. */
export interface Candidate {
  readonly name: string
  readonly predictions: Predictions
  /** What one prediction costs; the cheaper of two equals is preferred. */
  readonly macs: number
}

/** One combination, and how it scores on rows that its weights were not made from. */
export interface Trial {
  /** `single` for one member alone. */
  readonly method: string
  readonly members: readonly string[]
  readonly scores: readonly number[]
  readonly mean: number
  /** Standard deviation over the folds. */
  readonly std: number
  readonly logLoss: number
  readonly macs: number
}

export interface ChooseOptions {
  readonly methods: readonly CombineMethod[]
  readonly metric: Metric
  readonly folds: number
  readonly random: Random
}

export interface Choice {
  /** The best combination of two or more members. */
  readonly best: Trial
  /** The best member alone. */
  readonly single: Trial
  readonly trials: readonly Trial[]
  /** A combination's weights, made from all of the validation data; undefined if its method weighs all alike. */
  weightsOf(trial: Trial): readonly number[] | undefined
  /** Why, in a sentence. */
  readonly reason: string
}

/** With more members than this, not every subset is tried. */
const exhaustiveLimit = 8

/**
 * Chooses members and method by stratified k-fold cross-validation: a combination's weights are made from all folds but
 * one and scored on that one, in turn. Of equal scores the one with the smaller log loss, then the cheaper one, is taken.
 * Up to 8 members every subset is tried; of more, the best 2, 3, ... by their own score.
 * @throws SinterError `invalid-argument` if there are fewer than two members or no method, if two members have one name,
 *   or if they did not predict the same rows; `invalid-data` where the metric is not defined for these.
 */
export function choose(candidates: readonly Candidate[], options: ChooseOptions): Choice {
  checkCandidates(candidates, options)
  const { labels, classes } = candidates[0]!.predictions
  const folds = stratifiedFolds(labels, options.folds, options.random)
  const parts = folds.map(rows => foldOf(candidates, rows, labels.length))
  const { metric } = options
  const better = (a: Trial, b: Trial) => compareTrials(a, b, metric.direction)

  const singles = candidates.map((_, i) => trial([i], undefined))
  if (singles.some(({ mean }) => Number.isNaN(mean))) {
    const message = `${metric.name} is not defined for these rows, where a class has none: choose by another metric.`
    throw new SinterError('invalid-data', message, { metric: metric.name })
  }
  const order = singles.map((_, i) => i).sort((a, b) => better(singles[a]!, singles[b]!))
  const subsets = candidates.length <= exhaustiveLimit ? allSubsets(candidates.length) : prefixes(order)
  const combined = subsets.flatMap(members => options.methods.map(method => trial(members, method)))
  const single = singles.toSorted(better)[0]!
  const best = combined.toSorted(better)[0]!
  const weightsOf = ({ method, members }: Trial) => {
    const accuracies = members.map(name =>
      metrics.accuracy.value(candidates.find(one => one.name === name)!.predictions),
    )
    return options.methods.find(({ name }) => name === method)?.weigh?.(accuracies)
  }
  return {
    best,
    single,
    trials: [...singles, ...combined],
    weightsOf,
    reason: reasonFor(best, single, combined.length, options),
  }

  function trial(members: readonly number[], method: CombineMethod | undefined): Trial {
    const scored = parts.map(({ held, accuracies }) => {
      const own = members.map(i => held[i]!)
      const judged = method
        ? combine(
            method,
            own,
            classes,
            members.map(i => accuracies[i]!),
          )
        : own[0]!
      return { score: metric.value(judged), logLoss: metrics.logLoss.value(judged) }
    })
    const scores = scored.map(({ score }) => score)
    const mean = meanOf(scores)
    return {
      method: method?.name ?? 'single',
      members: members.map(i => candidates[i]!.name),
      scores,
      mean,
      std: Math.sqrt(meanOf(scores.map(score => (score - mean) ** 2))),
      logLoss: meanOf(scored.map(one => one.logLoss)),
      macs: members.reduce((sum, i) => sum + candidates[i]!.macs, 0),
    }
  }
}

interface Fold {
  /** Each member's predictions of the fold. */
  readonly held: readonly Predictions[]
  /** Each member's accuracy on the other folds. */
  readonly accuracies: readonly number[]
}

function checkCandidates(candidates: readonly Candidate[], { methods }: ChooseOptions): void {
  const refuse = (message: string, details = {}) => new SinterError('invalid-argument', message, details)
  const [first, second] = candidates
  if (!first || !second) throw refuse('There must be at least two members to choose from.')
  if (methods.length === 0) throw refuse('There must be at least one method to combine members by.')
  const names = new Set<string>()
  for (const { name, predictions: own } of candidates) {
    if (names.has(name)) throw refuse(`Two members are called '${name}': give each a name of its own.`, { name })
    names.add(name)
    const { labels, classes } = first.predictions
    const same = own.classes === classes && own.size === labels.length && own.labels.every((y, i) => y === labels[i])
    if (!same)
      throw refuse(`'${first.name}' and '${name}' did not predict the same labelled rows: run them on one data set.`, {
        members: [first.name, name],
      })
  }
}

function foldOf(candidates: readonly Candidate[], rows: Uint32Array, size: number): Fold {
  const others = restOf(size, rows)
  return {
    held: candidates.map(({ predictions: own }) => takePredictions(own, rows)),
    accuracies: candidates.map(({ predictions: own }) => metrics.accuracy.value(takePredictions(own, others))),
  }
}

function combine(
  method: CombineMethod,
  members: readonly Predictions[],
  classes: number,
  accuracies: readonly number[],
): Predictions {
  const made = method.combine(
    members.map(({ probabilities }) => probabilities),
    classes,
    method.weigh?.(accuracies),
  )
  const { labels, size } = members[0]!
  return predictions({ dtype: 'float32', shape: [size, classes], data: made }, labels)
}

/** Orders trials, the best first: by mean score, then log loss, then cost. What is not a number comes last. */
export function compareTrials(a: Trial, b: Trial, direction: Metric['direction']): number {
  const score = direction === 'maximize' ? compareScores(-a.mean, -b.mean) : compareScores(a.mean, b.mean)
  return score || compareScores(a.logLoss, b.logLoss) || a.macs - b.macs
}

function compareScores(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  // Scores are means of ratios: differences below this are rounding. Two infinities are equal, and differ by no number.
  return a === b || Math.abs(a - b) <= 1e-12 ? 0 : a - b
}

/** Every subset of two or more of 0..n-1. */
function allSubsets(n: number): readonly (readonly number[])[] {
  const subsets: number[][] = []
  for (let bits = 1; bits < 2 ** n; bits++) {
    const members = Array.from({ length: n }, (_, i) => i).filter(i => bits & (1 << i))
    if (members.length > 1) subsets.push(members)
  }
  return subsets
}

/** The first two, three, ... of an order. */
function prefixes(order: readonly number[]): readonly (readonly number[])[] {
  return order.slice(1).map((_, i) => order.slice(0, i + 2))
}

function reasonFor(best: Trial, single: Trial, tried: number, { metric, folds }: ChooseOptions): string {
  const number = (value: number) => (metric.name === 'accuracy' ? `${(100 * value).toFixed(2)} %` : value.toFixed(4))
  const gain = metric.direction === 'maximize' ? best.mean - single.mean : single.mean - best.mean
  const by = metric.name === 'accuracy' ? `${(100 * Math.abs(gain)).toFixed(2)} points` : Math.abs(gain).toFixed(4)
  const relation = gain > 1e-12 ? `${by} better than` : gain < -1e-12 ? `${by} worse than` : 'no better than'
  return (
    `${best.method} of ${best.members.join(', ')} has the best mean ${metric.name} of ${tried} combinations ` +
    `in ${folds}-fold cross-validation, ${number(best.mean)}: ${relation} the best single member, ${single.members[0]} (${number(single.mean)}).`
  )
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
