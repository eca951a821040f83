import { SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { cost } from '../read/cost.ts'
import type { ChannelGroup, PinnedAxis } from '../read/coupling.ts'
import { type Importance, l1Norm } from './importance.ts'
import type { Removal } from './narrow.ts'
import { prunable } from './prunable.ts'
import { outline } from './remove-channels.ts'

export interface PruneOptions {
  /** Share of the channels to keep, over 0 and up to 1. Either this or `macs`. */
  readonly keep?: number
  /** Share of the multiply-accumulates to keep at most. Either this or `keep`. */
  readonly macs?: number
  /** What a channel is worth; `l1Norm` if not given. */
  readonly importance?: Importance
  /** Kept channels of a group are rounded up to a multiple of it (8 suits most hardware). */
  readonly roundTo?: number
  /** `local` (default): the same share of every group. `global`: the least important channels of the whole net. */
  readonly scope?: 'local' | 'global'
  /** Share of each group's channels that stays whatever their scores, 0 to 1. At least one channel always stays. */
  readonly keepAtLeast?: number
  /** Groups to leave as they are. */
  readonly ignore?: (group: ChannelGroup) => boolean
  /** The only groups to take from; `insideBlocks` is one. */
  readonly only?: (group: ChannelGroup) => boolean
  /** Sizes for symbolic dimensions, to count multiply-accumulates with; 1 for those not named. */
  readonly bind?: Readonly<Record<string, number>>
}

/** How large a graph is, as `cost` counts it. */
export interface Size {
  readonly parameters: number
  /** Multiply-accumulates of one run; undefined where none could be counted. */
  readonly macs: number | undefined
}

/** One coupled group of a plan. */
export interface PlannedGroup {
  readonly name: string
  /** Channels that can leave independently. */
  readonly slots: number
  readonly scores: readonly number[]
  /** The slots that leave, ascending. */
  readonly remove: readonly number[]
  /** The parameters that are cut, and along which axis. */
  readonly parameters: readonly { readonly value: string; readonly axis: number; readonly size: number }[]
  /** Whether an option left the group out. */
  readonly ignored: boolean
}

/** What a pruning will take, as plain data: `formatPlan` prints it, `prune` carries it out. */
export interface PrunePlan {
  readonly groups: readonly PlannedGroup[]
  /** Channels that cannot leave, and why. */
  readonly pinned: readonly PinnedAxis[]
  readonly before: Size
  readonly after: Size
}

/**
 * Chooses the channels that leave a graph.
 * @throws SinterError `invalid-argument` for options out of range; `not-supported` if `macs` is out of reach, or cannot be
 * counted because a dimension has no size (give it with `bind`).
 */
export function planPruning(graph: Graph, options: PruneOptions): PrunePlan {
  checkOptions(options)
  const { groups, pinned } = prunable(graph)
  const { importance = l1Norm, ignore, only, bind = {} } = options
  const candidates = groups.map((group): Candidate => {
    const ignored = (ignore?.(group) ?? false) || !(only?.(group) ?? true)
    const scores = ignored ? [] : scoresOf(graph, group, importance)
    const order = scores.map((_, slot) => slot).sort((a, b) => scores[a]! - scores[b]! || a - b)
    return { group, ignored, scores, order }
  })
  const choose = options.scope === 'global' ? chooseGlobally : chooseLocally
  const sizeAt = (removals: readonly Removal[]) => sizeOf(outline(graph, removals), bind)
  const before = sizeAt([])
  const removals =
    options.keep !== undefined
      ? choose(candidates, options.keep, options)
      : reach(options.macs!, before, sizeAt, share => choose(candidates, share, options))
  return {
    groups: candidates.map(({ group, scores, ignored }, i) => ({
      name: group.name,
      slots: group.slots,
      scores,
      remove: Array.from(removals[i]!.slots).sort((a, b) => a - b),
      parameters: group.axes.filter(axis => axis.parameter).map(({ value, axis, size }) => ({ value, axis, size })),
      ignored,
    })),
    pinned,
    before,
    after: sizeAt(removals),
  }
}

function sizeOf(graph: Graph, bind: Readonly<Record<string, number>>): Size {
  const { parameters, macs, uncounted } = cost(graph, { bind })
  return { parameters, macs: macs > 0 || uncounted.length === 0 ? macs : undefined }
}

function scoresOf(graph: Graph, group: ChannelGroup, importance: Importance): number[] {
  const scores = Array.from(importance(graph, group))
  if (scores.length === group.slots && scores.every(score => !Number.isNaN(score))) return scores
  throw new SinterError(
    'invalid-argument',
    `The importance of the ${group.slots} channels of '${group.name}' must be as many numbers, none of them NaN.`,
    { group: group.name },
  )
}

interface Candidate {
  readonly group: ChannelGroup
  readonly ignored: boolean
  readonly scores: readonly number[]
  /** Slots, the least important first. */
  readonly order: readonly number[]
}

type Limits = Pick<PruneOptions, 'roundTo' | 'keepAtLeast'>

function chooseLocally(candidates: readonly Candidate[], keep: number, limits: Limits): Removal[] {
  return candidates.map(candidate => {
    const { slots } = candidate.group
    return cut(candidate, Math.round(slots * keep), limits)
  })
}

/** Ranks the channels of all groups together. Of equal ones, those of earlier groups leave first. */
function chooseGlobally(candidates: readonly Candidate[], keep: number, limits: Limits): Removal[] {
  const all = candidates.flatMap(({ scores }, candidate) => scores.map(score => ({ score, candidate })))
  all.sort((a, b) => a.score - b.score)
  const leaving = new Array<number>(candidates.length).fill(0)
  for (const { candidate } of all.slice(0, all.length - Math.round(all.length * keep))) leaving[candidate]!++
  return candidates.map((candidate, i) => cut(candidate, candidate.group.slots - leaving[i]!, limits))
}

/** Takes the least important slots, so many that about `keep` stay. */
function cut({ group, ignored, order }: Candidate, keep: number, { roundTo = 1, keepAtLeast = 0 }: Limits): Removal {
  if (ignored) return { group, slots: [] }
  const step = roundTo / greatestDivisor(roundTo, width(group))
  const wanted = Math.max(1, keep, Math.ceil(group.slots * keepAtLeast))
  const stay = Math.min(group.slots, Math.ceil(wanted / step) * step)
  return { group, slots: order.slice(0, group.slots - stay) }
}

/** How many channels of an activation one slot takes: the fewest, over the group. */
function width(group: ChannelGroup): number {
  const activations = group.axes.filter(axis => !axis.parameter)
  return Math.min(...(activations.length > 0 ? activations : group.axes).map(axis => axis.indices.length / group.slots))
}

function greatestDivisor(a: number, b: number): number {
  while (b >= 1) [a, b] = [b, a % b]
  return a
}

/** The removals that keep most channels within a share of the multiply-accumulates, by bisection. */
function reach(
  target: number,
  before: Size,
  sizeAt: (removals: readonly Removal[]) => Size,
  choose: (share: number) => readonly Removal[],
): readonly Removal[] {
  if (before.macs === undefined) {
    throw new SinterError(
      'not-supported',
      'The multiply-accumulates cannot be counted: a dimension has no size. Bind it, as in { bind: { height: 224 } }.',
    )
  }
  const shareOf = (removals: readonly Removal[]) => (sizeAt(removals).macs ?? 0) / before.macs!
  let best = choose(0)
  const least = shareOf(best)
  if (least > target) {
    throw new SinterError(
      'not-supported',
      `No choice of channels brings the multiply-accumulates to ${percent(target)}: ${percent(least)} is the least. ` +
        'Raise the target, or ignore fewer groups.',
      { target, least },
    )
  }
  let [low, high] = [0, 1]
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2
    const removals = choose(middle)
    if (shareOf(removals) <= target) {
      best = removals
      low = middle
    } else high = middle
  }
  return best
}

function checkOptions({ keep, macs, roundTo = 1, keepAtLeast = 0 }: PruneOptions): void {
  const refuse = (what: string) => {
    throw new SinterError('invalid-argument', what)
  }
  if ((keep === undefined) === (macs === undefined)) refuse('Pruning needs one of keep and macs.')
  const share = keep ?? macs!
  if (!(share > 0 && share <= 1)) refuse(`The share to keep must be over 0 and at most 1, not ${share}.`)
  if (!(Number.isInteger(roundTo) && roundTo >= 1))
    refuse(`roundTo must be a whole number of channels, not ${roundTo}.`)
  if (!(keepAtLeast >= 0 && keepAtLeast <= 1)) refuse(`keepAtLeast must be between 0 and 1, not ${keepAtLeast}.`)
}

/** The plan as text: each group with what leaves and what it lies on, then what cannot leave, and why. */
export function formatPlan({ groups, pinned, before, after }: PrunePlan): string {
  const lines = [
    `parameters  ${before.parameters} -> ${after.parameters} (${percent(after.parameters / before.parameters)})`,
    before.macs === undefined || after.macs === undefined
      ? 'macs        not known: a dimension has no size'
      : `macs        ${before.macs} -> ${after.macs} (${percent(after.macs / before.macs)})`,
    '',
  ]
  for (const { name, slots, remove, scores, parameters, ignored } of groups) {
    lines.push(`${name}: ${ignored ? `${slots}, left as it is` : `${slots} -> ${slots - remove.length}`}`)
    if (remove.length > 0) {
      lines.push(`  leaves  ${ranges(remove)}`)
      const gone = new Set(remove)
      const scoresOf = (leaving: boolean) => scores.filter((_, slot) => gone.has(slot) === leaving)
      lines.push(`  scores  ${span(scoresOf(true))} leave, ${span(scoresOf(false))} stay`)
    }
    lines.push(`  on      ${parameters.map(({ value, axis }) => `${value}[${axis}]`).join(' ')}`)
  }
  if (pinned.length > 0) lines.push('', 'stay:')
  for (const { value, axis, size, pinned: count, reason } of pinned) {
    lines.push(`  ${value}[${axis}]  ${count === size ? 'all' : count} of ${size}: ${reason}`)
  }
  return lines.join('\n')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function span(scores: readonly number[]): string {
  const [low, high] = [Math.min(...scores), Math.max(...scores)].map(score => score.toPrecision(3))
  return low === high ? low! : `${low}..${high}`
}

/** `0-3 7 9-10` */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length; i++) {
    const first = numbers[i]!
    while (numbers[i + 1] === numbers[i]! + 1) i++
    parts.push(first === numbers[i] ? `${first}` : `${first}-${numbers[i]}`)
  }
  return parts.join(' ')
}
