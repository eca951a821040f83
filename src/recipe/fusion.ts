import { SinterError } from '../base/errors.ts'
import { random } from '../base/random.ts'
import { labelsOf } from '../data/dataset.ts'
import { rowsByClass } from '../data/split.ts'
import { metrics } from '../evaluate/metrics.ts'
import { ensemble } from '../fuse/ensemble.ts'
import { methods } from '../fuse/methods/index.ts'
import { counted } from '../report/format.ts'
import type { RunRecord } from '../report/run-record.ts'
import { choose, compareTrials, type Trial } from '../select/choose.ts'
import type { RunContext } from './context.ts'
import type { RunData } from './data.ts'
import type { Member } from './members.ts'
import type { Recipe } from './recipe.ts'
import type { Shelf } from './shelf.ts'

/**
 * Refuses, before anything is trained, a validation part on which no choice can be made.
 * @throws SinterError `invalid-data` naming the class.
 */
export async function checkFolds({ choose: { by, folds } }: Recipe, { validation, classes }: RunData): Promise<void> {
  const groups = rowsByClass(await labelsOf(validation))
  if (by === 'rocAuc' && groups.length < classes.length) {
    const absent = classes.find((_, c) => !groups.some(({ label }) => label === c))
    const message = `The validation part has no row of class '${absent}', and rocAuc is not defined without: choose by another metric.`
    throw new SinterError('invalid-data', message, { class: absent })
  }
  const small = groups.find(({ rows }) => rows.length < folds)
  if (!small) return
  const { label, rows } = small
  throw new SinterError(
    'invalid-data',
    `The validation part has ${counted(rows.length, 'row')} of class '${classes[label]}', and cross-validation needs one in each of ${folds} folds: lower choose.folds, or raise data.validation.`,
    { class: classes[label], rows: rows.length, folds },
  )
}

/**
 * Chooses members and method, and makes an ensemble of each method's best members; the chosen one is `ensemble.onnx`.
 */
export async function fuseMembers(
  { recipe, emit }: RunContext,
  shelf: Shelf,
  members: readonly Member[],
): Promise<Pick<RunRecord, 'selection' | 'choice'>> {
  const { choose: how, fuse, seed } = recipe
  const metric = metrics[how.by]
  const offered = methods.filter(({ name }) => fuse.methods.includes(name))
  const candidates = members.map(({ name }) => {
    const { validation, model } = shelf.entry(name)
    return { name, predictions: validation, macs: model.macs ?? 0 }
  })
  const choice = choose(candidates, { methods: offered, metric, folds: how.folds, random: random(seed).fork('folds') })
  const weightsOf = (trial: Trial) => choice.weightsOf(trial)
  for (const method of offered) {
    const best = choice.trials
      .filter(trial => trial.method === method.name)
      .sort((a, b) => compareTrials(a, b, metric.direction))[0]!
    const graph = ensemble(
      best.members.map(name => shelf.entry(name).graph),
      method(weightsOf(best)),
      { names: best.members },
    )
    const file = best === choice.best ? 'ensemble.onnx' : `ensembles/${method.name}.onnx`
    await shelf.addEnsemble(method.name, file, graph, best.members)
  }
  emit({ type: 'note', text: choice.reason })
  const { best, trials, reason } = choice
  return {
    selection: {
      metric: metric.name,
      direction: metric.direction,
      folds: how.folds,
      candidates: trials.map(({ method, members: names, scores, mean, std }) => ({
        method,
        members: [...names],
        scores: [...scores],
        mean,
        std,
      })),
    },
    choice: {
      name: best.method,
      method: best.method,
      members: [...best.members],
      weights: weightsOf(best)?.slice() ?? null,
      folds: [...best.scores],
      reason,
      mcnemar: null,
    },
  }
}
