import { messageOf, SinterError } from '../base/errors.ts'
import { compareLatency, type LatencyComparison } from '../evaluate/latency.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { GraphDiff } from '../read/diff.ts'
import { measured } from '../report/format.ts'
import type { Feeds } from '../runtime/backend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { onnxruntimeWorkers } from '../runtime/worker-engine.ts'
import { type OutputDifference, type Reference, referenceOf } from '../verify/equivalence.ts'
import { sideBySide } from '../verify/side-by-side.ts'

/** How far outputs are apart: the largest absolute difference, and that as a part of the output's scale. */
export interface RunDifference {
  readonly same: boolean
  readonly absolute: number
  readonly relative: number
  /** By the output's name in the first model. */
  readonly outputs: Readonly<Record<string, OutputDifference>>
}

export interface Ran {
  /** Runs that outputs were compared on. */
  readonly feeds: number
  readonly difference: RunDifference | null
  readonly latency: LatencyComparison | null
  /** Why there is no difference or latency. */
  readonly notCompared: string | null
}

export interface RunOptions {
  /** Feeds by the inputs of the first model; random ones if left out. */
  readonly given?: (inputs: readonly Value[]) => Promise<readonly Feeds[]>
  /** How many random ones. */
  readonly count?: number
  readonly seed?: number
  readonly bind?: Readonly<Record<string, number>>
  readonly threads?: number
  /** Whether latencies are measured; if left out, where a run takes no longer than a quarter of a second. */
  readonly latency?: boolean
}

/** A run that is quick enough to be timed unasked, in milliseconds, and the seconds that this may take. */
const quick = { run: 250, seconds: 2 }

/**
 * Runs two models on the same feeds, compares the outputs that both have, and times them by turns. Models that cannot be
 * run side by side are an answer too: the reason.
 */
export async function runBoth(graphA: Graph, graphB: Graph, diff: GraphDiff, options: RunOptions): Promise<Ran> {
  const { given, count = 3, seed = 0, bind = {}, threads } = options
  const { a, b } = sideBySide(graphA, graphB, diff)
  const none = (why: string): Ran => ({ feeds: 0, difference: null, latency: null, notCompared: why })
  if (a.outputs.length === 0) return none('The two models have no output in common.')
  const open = threads === undefined ? {} : { threads }
  const feeds = given ? { feeds: await given(a.inputs.filter(({ name }) => !a.initializers.has(name))) } : {}
  let opened: Reference
  try {
    opened = await referenceOf(a, onnxruntimeWorkers, { ...open, ...feeds, count, seed, sizes: bind })
  } catch (error) {
    if (error instanceof SinterError) return none(`The first cannot be run: ${messageOf(error)}`)
    throw error
  }
  await using reference = opened
  const { refused, ...found } = await reference.compare(b)
  if (refused !== undefined)
    return { ...none(`The second cannot be run as the first: ${refused}`), feeds: reference.trials.length }
  const { same, absolute, relative, outputs } = found
  return {
    feeds: reference.trials.length,
    difference: { same, absolute, relative, outputs },
    ...(await latencies(a, b, reference.trials[0]!.feeds, options)),
  }
}

async function latencies(
  graphA: Graph,
  graphB: Graph,
  feeds: Feeds,
  { threads, latency }: RunOptions,
): Promise<Pick<Ran, 'latency' | 'notCompared'>> {
  if (latency === false) return { latency: null, notCompared: null }
  const open = threads === undefined ? {} : { threads }
  await using a = await onnxruntimeNode.open(graphA, open)
  await using b = await onnxruntimeNode.open(graphB, open)
  if (latency === undefined) {
    await a.run(feeds)
    const start = performance.now()
    await a.run(feeds)
    const time = performance.now() - start
    if (time > quick.run) {
      const why = `A run takes ${measured(time)} ms; ask for times with --latency.`
      return { latency: null, notCompared: why }
    }
  }
  const timing = latency === undefined ? { seconds: quick.seconds } : {}
  return {
    latency: await compareLatency({ session: a, feeds }, { session: b, feeds }, timing),
    notCompared: null,
  }
}
