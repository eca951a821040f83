import { reasonOf, SinterError } from '../base/errors.ts'
import { isTensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import type { Backend, Feeds, GraphOptimization, Results, Session } from '../runtime/backend.ts'
import { type FindFeedsOptions, findFeeds, type Trial } from './find-feeds.ts'
import { type Gap, gap, largest } from './gap.ts'
import { roundsToSteps, toleranceOf } from './tolerance.ts'

/** How far an output of one graph is from that of another. */
export interface OutputDifference {
  /** The largest |a - b|; infinite where one is not a number or they are different infinities, shapes or types. */
  readonly absolute: number
  /** The largest |a - b| divided by the output's scale, its largest finite |a|. */
  readonly relative: number
  /** What `relative` may be; 0 for whole numbers, truth values and texts. */
  readonly allowed: number
  readonly same: boolean
  /** It could not be compared. */
  readonly skipped?: true
  /** Why it is not compared, or how it differs where numbers do not say it. */
  readonly note?: string
}

export interface Equivalence {
  /** Whether all outputs that could be compared are the same. */
  readonly same: boolean
  /** The largest of all outputs. */
  readonly absolute: number
  readonly relative: number
  /** Outputs that could be compared. */
  readonly compared: number
  /** Runs compared. */
  readonly feeds: number
  readonly outputs: Readonly<Record<string, OutputDifference>>
  /** Why the engine does not take, or cannot run, the second graph. */
  readonly refused?: string
}

export interface EquivalenceOptions extends FindFeedsOptions {
  /** Feeds to compare on, instead of random ones. */
  readonly feeds?: readonly Feeds[]
  /** Part of an output's scale by which numbers may differ, instead of `toleranceOf` the graph. */
  readonly tolerance?: number
  readonly threads?: number
}

/** A graph that has run, for others to be compared with. */
export interface Reference extends AsyncDisposable {
  readonly trials: readonly Trial[]
  /** Runs another graph on the same feeds. What the engine has against it is an answer, no error. */
  compare(after: Graph): Promise<Equivalence>
}

/** Engines move a graph by rewriting it themselves; ours may move it by so many times as much. */
const slack = 4

/**
 * Runs a graph, on the feeds given or on random ones that it runs on, and keeps its outputs to compare others with.
 * An output counts as the same within `toleranceOf`, or within 4 times what it moves when the engine runs the graph
 * without rewriting it: then the graph itself does not fix its value better. Outputs that differ from run to run, and
 * those that are no tensors, are left out, and say so.
 * @throws SinterError as `Backend.open`, `Session.run` and `findFeeds` do, where it cannot be run.
 */
export async function referenceOf(
  before: Graph,
  backend: Backend,
  options: EquivalenceOptions = {},
): Promise<Reference> {
  const { feeds, tolerance = toleranceOf(before), threads, ...search } = options
  const open = (graph: Graph, graphOptimization: GraphOptimization = 'all') =>
    backend.open(graph, { graphOptimization, ...(threads === undefined ? {} : { threads }) })
  const session = await open(before)
  try {
    const fetch = tensorsAmong(session)
    const trials = feeds
      ? await inTurn(feeds, async one => ({ feeds: one, results: await session.run(one, fetch) }))
      : await findFeeds(session, before, { ...search, fetch })
    const rounds = roundsToSteps(before)
    const leftOut = session.outputs.filter(({ name }) => !fetch.includes(name)).map(({ name }) => name)
    let known: Promise<Noise> | undefined
    const noise = () => (known ??= noiseOf(session, () => open(before, 'disabled'), trials, fetch))
    return {
      trials,
      async compare(after) {
        let results: readonly Results[]
        try {
          await using other = await open(after)
          results = await inTurn(trials, trial => other.run(trial.feeds, fetch))
        } catch (error) {
          if (!(error instanceof SinterError) || error.code === 'runtime-missing') throw error
          return {
            same: false,
            absolute: Number.POSITIVE_INFINITY,
            relative: Number.POSITIVE_INFINITY,
            compared: 0,
            feeds: trials.length,
            outputs: {},
            refused: reasonOf(error),
          }
        }
        const outputs: Record<string, OutputDifference> = {}
        for (const name of fetch) {
          const apart = largest(trials.map((trial, i) => gap(trial.results[name]!, results[i]![name])))
          outputs[name] = await judge(
            name,
            apart,
            isWhole(trials[0]!.results[name]!) ? (rounds ? { absolute: 1 } : { absolute: 0 }) : { relative: tolerance },
            noise,
          )
        }
        for (const name of leftOut) outputs[name] = skipped('it is no tensor')
        return summary(outputs, trials.length)
      },
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    }
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * Compares the outputs of two graphs on the same feeds; see `referenceOf`. The second must have all outputs of the first.
 */
export async function outputDifferences(
  before: Graph,
  after: Graph,
  feeds: readonly Feeds[] | undefined,
  backend: Backend,
  options: Omit<EquivalenceOptions, 'feeds'> = {},
): Promise<Equivalence> {
  await using reference = await referenceOf(before, backend, { ...options, ...(feeds ? { feeds } : {}) })
  return await reference.compare(after)
}

interface Noise {
  /** By output: how far the engine itself moves it. */
  readonly moved: Readonly<Record<string, Gap>>
  /** Outputs that differ from run to run. */
  readonly random: ReadonlySet<string>
}

async function noiseOf(
  session: Session,
  open: () => Promise<Session>,
  trials: readonly Trial[],
  fetch: readonly string[],
): Promise<Noise> {
  const between = (results: readonly Results[]) =>
    Object.fromEntries(
      fetch.map(
        name => [name, largest(trials.map((trial, i) => gap(trial.results[name]!, results[i]![name])))] as const,
      ),
    )
  const again = between(await inTurn(trials, trial => session.run(trial.feeds, fetch)))
  const random = new Set(fetch.filter(name => again[name]!.relative > 1e-3))
  try {
    await using plain = await open()
    return { moved: between(await inTurn(trials, trial => plain.run(trial.feeds, fetch))), random }
  } catch (error) {
    // What runs rewritten need not run as it is written.
    if (error instanceof SinterError) return { moved: again, random }
    throw error
  }
}

async function judge(
  name: string,
  apart: Gap,
  limit: { readonly absolute?: number; readonly relative?: number },
  noise: () => Promise<Noise>,
): Promise<OutputDifference> {
  const { absolute = 0, relative = 0 } = limit
  const within = (scale: number) =>
    relative > 0 ? apart.relative <= Math.max(relative, scale) : apart.absolute <= absolute
  if (within(0)) return { ...apart, allowed: relative, same: true }
  const { moved, random } = await noise()
  if (random.has(name)) return skipped('it differs from run to run')
  const engine = moved[name]!
  if (relative === 0)
    return { ...apart, allowed: 0, same: apart.absolute <= slack * engine.absolute && Number.isFinite(apart.absolute) }
  const allowed = Number.isFinite(engine.relative) ? Math.max(relative, slack * engine.relative) : relative
  return { ...apart, allowed, same: apart.relative <= allowed }
}

function skipped(why: string): OutputDifference {
  return { absolute: 0, relative: 0, allowed: 0, same: true, skipped: true, note: `not compared: ${why}` }
}

function summary(outputs: Readonly<Record<string, OutputDifference>>, feeds: number): Equivalence {
  const all = Object.values(outputs)
  const most = (key: 'absolute' | 'relative') => all.reduce((max, one) => Math.max(max, one[key]), 0)
  return {
    same: all.every(one => one.same),
    absolute: most('absolute'),
    relative: most('relative'),
    compared: all.filter(one => !one.skipped).length,
    feeds,
    outputs,
  }
}

function tensorsAmong({ outputs }: Session): readonly string[] {
  return outputs.filter(({ type }) => type === undefined || isTensorType(type)).map(({ name }) => name)
}

function isWhole({ dtype }: Tensor): boolean {
  return !/float/.test(dtype)
}

async function inTurn<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = []
  for (const item of items) made.push(await act(item))
  return made
}
