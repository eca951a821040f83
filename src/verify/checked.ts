import { reasonOf, SinterError } from '../base/errors.ts'
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
  /**
   * What is asked for beside the steps, in words: `with these shapes`, `in opset 13`. The graph to compare with is no
   * answer to it.
   */
  readonly asked?: string | undefined
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
 * Takes steps over a graph and makes sure that the result is right: sound, taken by the engine where that takes the graph
 * to compare with, and with the outputs of before. Where it is not, the step at fault is found by bisection and left out,
 * and so on until the rest is right. If the graph is wrong even without any step, the one to compare with is given back.
 * @param names of the steps, in their order.
 * @throws SinterError `invalid-argument` for feeds given that do not fit, `runtime-failed` for feeds and shapes given that
 *   the graph to compare with does not run on; `not-supported` if what is asked for beside the steps cannot be had;
 *   `interrupted` when stopped.
 */
export async function checked(
  graph: Graph,
  build: Build,
  names: readonly string[],
  options: CheckedOptions = {},
): Promise<Checked> {
  const { backend, against = graph, asked, onProgress, signal } = options
  let building = 0
  const started = performance.now()
  onProgress?.('running the original')
  await using baseline = backend ? await baselineOf(against, backend, options) : undefined

  async function trial(skip: readonly string[]): Promise<Trial> {
    signal?.throwIfAborted()
    const begun = performance.now()
    let made: Graph
    try {
      made = await build(skip)(graph)
      assertValid(made)
    } catch (error) {
      if (signal?.aborted || (error instanceof SinterError && error.code === 'interrupted')) throw error
      return { graph: against, fault: `simplifying fails: ${reasonOf(error)}`, error }
    } finally {
      building += performance.now() - begun
    }
    signal?.throwIfAborted()
    onProgress?.('comparing outputs')
    if (baseline && !baseline.reference) return { graph: made, fault: await baseline.refusalOf(made) }
    const equivalence = await baseline?.reference?.compare(made)
    return { graph: made, ...(equivalence ? { equivalence, fault: faultOf(equivalence) } : {}) }
  }

  const skipped: SkippedStep[] = []
  let best = await trial([])
  if (best.fault !== undefined) {
    // Nothing is found by leaving out steps where the graph is wrong without any.
    const none = await trial(names)
    if (none.fault !== undefined) {
      if (asked !== undefined) throw notPossible(asked, best, none)
      skipped.push(...names.map(step => ({ step, why: none.fault! })))
      best = { graph: against }
    }
  }
  while (best.fault !== undefined && skipped.length < names.length) {
    const left = names.filter(name => !skipped.some(({ step }) => step === name))
    onProgress?.(`the result is wrong: looking for the step at fault among ${left.length}`)
    const culprit = await bisect(left, best.fault, taken => trial(names.filter(name => !taken.includes(name))))
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
      : (baseline?.why ?? (baseline ? 'it is the original' : 'no engine was given')),
    seconds: (performance.now() - started - building) / 1000,
  }
}

interface Trial {
  readonly graph: Graph
  readonly equivalence?: Equivalence
  /** What is wrong with it. */
  readonly fault?: string | undefined
  /** What was thrown when it was made. */
  readonly error?: unknown
}

/** Where nodes cannot be said, those count that no step could do without. */
function notPossible(asked: string, all: Trial, none: Trial): SinterError {
  for (const { error } of [all, none]) if (error instanceof SinterError && error.code === 'not-supported') return error
  const { fault, error } = none
  return new SinterError('not-supported', `The model cannot be written ${asked}: ${fault}.`, { why: fault }, error)
}

/** The graph to compare with, as the engine has it. */
interface Baseline extends AsyncDisposable {
  readonly reference?: Reference
  /** Why there is no run to compare with. */
  readonly why?: string
  /** Why the engine does not take a result, where it takes the graph to compare with. */
  refusalOf(made: Graph): Promise<string | undefined>
}

async function baselineOf(against: Graph, backend: Backend, options: CheckedOptions): Promise<Baseline> {
  const opens = async (graph: Graph) => {
    try {
      await using _ = await backend.open(graph)
      return undefined
    } catch (error) {
      if (error instanceof SinterError) return reasonOf(error)
      throw error
    }
  }
  try {
    const reference = await referenceOf(against, backend, options)
    return {
      reference,
      refusalOf: opens,
      [Symbol.asyncDispose]: () => reference[Symbol.asyncDispose](),
    }
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
    // Feeds that do not fit are their giver's to mend, and so are those that the original fails on.
    if (options.feeds && error.code === 'invalid-argument') throw error
    const accepted = error.code !== 'runtime-missing' && (await opens(against)) === undefined
    if (accepted && (options.feeds || options.shapes))
      throw new SinterError(
        'runtime-failed',
        `The original does not run on the ${options.feeds ? 'inputs' : 'shapes'} to compare with: ${reasonOf(error)}. ` +
          'Give others, or do not compare.',
        error.details,
        error,
      )
    return {
      why: reasonOf(error),
      refusalOf: async made => {
        const refusal = accepted ? await opens(made) : undefined
        return refusal === undefined ? undefined : refusedBy(refusal)
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

/**
 * The first step with which the result goes wrong when steps are taken from the front, one more each time. It is right
 * without any and has the fault given with all. Takes the logarithm of their number in trials.
 */
async function bisect(
  steps: readonly string[],
  withAll: string,
  trial: (taken: readonly string[]) => Promise<Trial>,
): Promise<{ readonly step: string; readonly fault: string }> {
  let [right, wrong, fault] = [0, steps.length, withAll]
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1
    const found = await trial(steps.slice(0, middle))
    if (found.fault === undefined) right = middle
    else [wrong, fault] = [middle, found.fault]
  }
  return { step: steps[right]!, fault }
}

/** What is wrong with a result, in words. */
function faultOf({ same, refused, outputs }: Equivalence): string | undefined {
  if (same) return undefined
  if (refused !== undefined) return refusedBy(refused)
  const [name, { relative, note }] = Object.entries(outputs).find(([, one]) => !one.same)!
  if (note !== undefined) return `output '${name}': ${note}`
  return `output '${name}' moves by ${relative.toExponential(1)} of its scale`
}

function refusedBy(reason: string): string {
  return `the engine does not take the result: ${reason}`
}
