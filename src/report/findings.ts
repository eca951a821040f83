import { compact, duration, listed, percent, points, pValue, shareOf, times, whole } from './format.ts'
import type { RunMetrics, RunModel, RunRecord } from './run-record.ts'

/* What a run found, as models and as sentences: the same words in the terminal and in the report. */

/** Differences with a larger p-value than this are called chance. */
const significanceLevel = 0.05

export const modelNamed = (record: RunRecord, name: string | undefined): RunModel | undefined =>
  record.models.find(model => model.name === name)

/** The model that was chosen. */
export const chosenModel = (record: RunRecord): RunModel | undefined => modelNamed(record, record.choice?.name)

/** The best single member: the one that the choice was tested against, else the most accurate on validation. */
export function bestMember(record: RunRecord): RunModel | undefined {
  const against = modelNamed(record, record.choice?.mcnemar?.against)
  if (against) return against
  const members = record.models.filter(model => model.kind === 'member')
  const accuracy = (model: RunModel) => model.validation?.accuracy ?? -1
  return members.reduce<RunModel | undefined>(
    (best, m) => (best && accuracy(best) >= accuracy(m) ? best : m),
    undefined,
  )
}

/** The part of the data whose numbers are shown: test, or validation in a run that did not get there. */
export const shownPart = (record: RunRecord): 'test' | 'validation' =>
  record.models.some(model => model.test) ? 'test' : 'validation'

export const shownMetrics = (record: RunRecord, model: RunModel): RunMetrics | null => model[shownPart(record)]

/** "weighted-average of a, b and c", or the name of a single model. */
function describeCombination(method: string, members: readonly string[]): string {
  return members.length === 1 ? members[0]! : `${method} of ${listed(members)}`
}

/** The choice and its accuracy. */
export function choiceSentence(record: RunRecord): string | undefined {
  const { choice, data } = record
  const chosen = chosenModel(record)
  if (!choice || !chosen) return undefined
  const what = describeCombination(choice.method, choice.members)
  const accuracy = shownMetrics(record, chosen)?.accuracy
  if (accuracy === undefined) return `Chosen: ${what}.`
  const part = shownPart(record)
  return `Chosen: ${what}; ${percent(accuracy)} % of ${whole(data[part])} ${part} ${data.unit} right.`
}

/** What the choice gains over the best member, and what it costs. */
export function gainSentence(record: RunRecord): string | undefined {
  const chosen = chosenModel(record)
  const best = bestMember(record)
  if (!chosen || !best) return undefined
  if (chosen === best) return `It is the best single member: no combination was worth its cost.`
  const gain = accuracyGain(record, chosen, best)
  const costs = [
    ratio('MACs', chosen.macs, best.macs),
    ratio('latency', chosen.latency?.p50, best.latency?.p50),
    ratio('bytes', chosen.bytes, best.bytes),
  ].filter(cost => cost !== undefined)
  const gained = gain === undefined ? 'Compared with' : `${points(gain)} points against`
  return `${gained} ${best.name}, the best single member, for ${listed(costs)}.`
}

/** Whether the difference to the best member can be chance. */
export function significanceSentence(record: RunRecord): string | undefined {
  const mcnemar = record.choice?.mcnemar
  if (!mcnemar) return undefined
  const { p, against, onlyChoice, onlyAgainst } = mcnemar
  const verdict = isSignificant(p) ? 'The difference is significant' : 'The difference can be chance'
  const counts = `${onlyChoice} ${record.data.unit} only the choice gets right, ${onlyAgainst} only ${against}`
  return `${verdict}: exact McNemar ${pValue(p)} (${counts}).`
}

/** What compaction saved, and what it lost. */
export function compactionSentence(record: RunRecord): string | undefined {
  const from = modelNamed(record, record.compact?.from)
  const small = modelNamed(record, record.compact?.model)
  if (!from || !small) return undefined
  const change = accuracyGain(record, small, from)
  const kept = `${small.name} keeps ${shareOf(small.macs, from.macs)} of the MACs and ${shareOf(small.bytes, from.bytes)} of the bytes of ${from.name}`
  return change === undefined ? `${kept}.` : `${kept}, at ${points(change)} points of accuracy.`
}

/** Status and length of the run. */
export function statusSentence({ status, started, finished, models }: RunRecord): string {
  const seconds = finished === null ? undefined : (Date.parse(finished) - Date.parse(started)) / 1000
  const after = seconds === undefined ? '' : ` after ${duration(seconds)}`
  const count = `${models.length} model${models.length === 1 ? '' : 's'}`
  if (status === 'interrupted') return `Interrupted${after}; ${count} finished.`
  return `Complete${after}: ${count}.`
}

export const isSignificant = (p: number): boolean => p < significanceLevel

/** Accuracy of one model minus that of another, on the part shown. */
export function accuracyGain(record: RunRecord, model: RunModel, other: RunModel): number | undefined {
  const a = shownMetrics(record, model)?.accuracy
  const b = shownMetrics(record, other)?.accuracy
  return a === undefined || b === undefined ? undefined : a - b
}

/** A quotient of two costs, where both are known. */
export function costRatio(cost: number | null | undefined, other: number | null | undefined): number | undefined {
  return typeof cost === 'number' && typeof other === 'number' && other > 0 ? cost / other : undefined
}

function ratio(what: string, cost: number | null | undefined, other: number | null | undefined): string | undefined {
  const quotient = costRatio(cost, other)
  return quotient === undefined ? undefined : `${times(quotient)} the ${what}`
}

/** MACs with their unit, for prose. */
export const macs = (value: number | null | undefined): string => `${compact(value)} MACs`
