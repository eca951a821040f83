import { messageOf, SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { assertValid } from '../read/check.ts'
import type { Backend } from '../runtime/backend.ts'
import { type Equivalence, type EquivalenceOptions, type Reference, referenceOf } from './equivalence.ts'

/** Makes a pass of steps without those that are to be left out; it may be given the graph again and again. */
export type Build = (skip: readonly string[]) => (graph: Graph) => Graph | Promise<Graph>

export interface CheckedOptions extends EquivalenceOptions {
  /** Runs both graphs; without one only the result's soundness is checked. */
  readonly backend?: Backend
  /** What the result must be equal to, if it is not the graph itself: the graph before it was made fit for the steps. */
  readonly against?: Graph
  /** Told what is being done, in a few words. */
  readonly onProgress?: (text: string) => void
  readonly signal?: AbortSignal
}

/** A step that was left out because the result was wrong with it. */
export interface SkippedStep {
  readonly step: string
  readonly why: string
}

export interface Checked {
  /** Sound, and with the outputs of the graph given as far as they could be compared. */
  readonly graph: Graph
  readonly skipped: readonly SkippedStep[]
  /** How the outputs compare; undefined where they were not compared. */
  readonly equivalence: Equivalence | undefined
  /** Why the outputs were not compared; undefined where they were. */
  readonly unchecked: string | undefined
  /** Seconds that went into making and running feeds, comparing, and finding what was wrong. */
  readonly seconds: number
}

/**
 * Takes steps over a graph and makes sure that the result is right: sound, taken by the engine, and with the outputs of
 * before. Where it is not, the step at fault is found by bisection and left out, and so on until the rest is right. If the
 * graph is wrong even without any step, the one to compare with is given back.
 * @param names of the steps, in their order.
 * @throws SinterError `invalid-argument` for feeds given that do not fit; `interrupted` when stopped.
 */
export async function checked(
  graph: Graph,
  build: Build,
  names: readonly string[],
  options: CheckedOptions = {},
): Promise<Checked> {
  const { backend, against = graph, onProgress, signal } = options
  let building = 0
  const started = performance.now()
  onProgress?.('running the original')
  const compared = backend ? await referenceFor(against, backend, options) : 'no engine was given'
  await using reference = typeof compared === 'string' ? undefined : compared

  async function trial(skip: readonly string[]): Promise<Trial> {
    signal?.throwIfAborted()
    const begun = performance.now()
    let made: Graph
    try {
      made = await build(skip)(graph)
      assertValid(made)
    } catch (error) {
      if (signal?.aborted || (error instanceof SinterError && error.code === 'interrupted')) throw error
      return { graph: against, fault: `it fails: ${messageOf(error)}` }
    } finally {
      building += performance.now() - begun
    }
    signal?.throwIfAborted()
    onProgress?.('comparing outputs')
    const equivalence = await reference?.compare(made)
    return { graph: made, ...(equivalence ? { equivalence, fault: faultOf(equivalence) } : {}) }
  }

  const skipped: SkippedStep[] = []
  let best = await trial([])
  while (best.fault !== undefined && skipped.length < names.length) {
    const left = names.filter(name => !skipped.some(({ step }) => step === name))
    const culprit = await bisect(left, async taken => {
      onProgress?.(`the result is wrong (${best.fault}): looking for the step, ${left.length} to choose from`)
      return trial(names.filter(name => !taken.includes(name)))
    })
    if (!culprit) {
      skipped.splice(0, skipped.length, ...names.map(step => ({ step, why: best.fault! })))
      best = { graph: against }
      break
    }
    skipped.push({ step: culprit.step, why: culprit.fault })
    best = await trial(skipped.map(({ step }) => step))
  }
  return {
    graph: best.graph,
    skipped,
    equivalence: best.equivalence,
    unchecked: best.equivalence
      ? best.equivalence.compared === 0
        ? 'no output is a tensor that gives the same twice'
        : undefined
      : typeof compared === 'string'
        ? compared
        : 'it is the original',
    seconds: (performance.now() - started - building) / 1000,
  }
}

interface Trial {
  readonly graph: Graph
  readonly equivalence?: Equivalence
  /** What is wrong with it. */
  readonly fault?: string | undefined
}

/** A run of the original to compare with, or why there is none. */
async function referenceFor(against: Graph, backend: Backend, options: CheckedOptions): Promise<Reference | string> {
  try {
    return await referenceOf(against, backend, options)
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
    // Feeds that do not fit are their giver's to mend.
    if (options.feeds && error.code === 'invalid-argument') throw error
    return messageOf(error)
  }
}

/**
 * The first step with which the result goes wrong when steps are taken from the front, one more each time; undefined if
 * it is wrong without any. Takes the logarithm of their number in trials.
 */
async function bisect(
  steps: readonly string[],
  trial: (taken: readonly string[]) => Promise<Trial>,
): Promise<{ readonly step: string; readonly fault: string } | undefined> {
  let [right, wrong] = [0, steps.length]
  const none = await trial([])
  if (none.fault !== undefined) return undefined
  let fault: string | undefined
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1
    const found = await trial(steps.slice(0, middle))
    if (found.fault === undefined) right = middle
    else {
      wrong = middle
      fault = found.fault
    }
  }
  fault ??= (await trial(steps.slice(0, wrong))).fault
  return { step: steps[right]!, fault: fault ?? 'the result is wrong with it' }
}

/** What is wrong with a result, in words. */
function faultOf({ same, refused, outputs }: Equivalence): string | undefined {
  if (same) return undefined
  if (refused !== undefined) return `the engine does not take its result: ${refused}`
  const [name, { relative, note }] = Object.entries(outputs).find(([, one]) => !one.same)!
  if (note !== undefined) return `output '${name}': ${note}`
  return `output '${name}' moves by ${relative.toExponential(1)} of its scale`
}
