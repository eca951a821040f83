import { SinterError } from '../base/errors.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import { keyOf } from '../ops/spec.ts'
import { layerName } from '../read/summary.ts'
import type { Feeds } from '../runtime/backend.ts'
import { layerTimes } from '../runtime/layer-times.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { findFeeds } from '../verify/find-feeds.ts'
import { readFeeds } from '../verify/read-feeds.ts'

export interface LatencyOptions {
  readonly threads?: number
  /** Runs that count; 50 if left out. */
  readonly runs?: number
  /** A file of inputs; random ones if left out. */
  readonly feeds?: string
  readonly seed?: number
  readonly bind?: Readonly<Record<string, number>>
}

/** Where the time of a run goes. Times are means, in milliseconds. */
export interface LatencyDocument {
  readonly unit: 'ms'
  readonly run: number
  /** The engine's own work between nodes. */
  readonly between: number
  readonly runs: number
  readonly threads: number | null
  /** The shapes that were fed, by input. */
  readonly feeds: Readonly<Record<string, readonly number[]>>
  /** Slowest first. */
  readonly layers: readonly {
    readonly name: string
    readonly operator: string
    readonly time: number
    /** Of the run. */
    readonly share: number
    /** What the engine ran for it. */
    readonly kernels: readonly string[]
    /** Layers whose work is in it. */
    readonly fused: readonly string[]
  }[]
  /** What the engine ran that stands for no layer. */
  readonly unmapped: readonly { readonly name: string; readonly kernel: string; readonly time: number }[]
}

/**
 * Runs a graph under the engine's profiler, on inputs given or on random ones that it runs on.
 * @throws SinterError as `findFeeds`, `readFeeds` and `layerTimes` do.
 */
export async function measureLayers(graph: Graph, options: LatencyOptions): Promise<LatencyDocument> {
  const { threads, runs = 50, seed = 0, bind = {} } = options
  const feeds = options.feeds === undefined ? await found(graph, seed, bind) : await given(graph, options.feeds)
  const open = threads === undefined ? {} : { threads }
  const times = await layerTimes(onnxruntimeNode, graph, feeds, { ...open, runs, warmup: Math.min(10, runs) })
  const ms = (microseconds: number) => microseconds / 1000
  return {
    unit: 'ms',
    run: ms(times.run),
    between: ms(times.between),
    runs: times.runs,
    threads: threads ?? null,
    feeds: Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])),
    layers: times.layers.map(({ node, time, kernels, fused }) => ({
      name: layerName(node),
      operator: keyOf(node),
      time: ms(time),
      share: times.run > 0 ? time / times.run : 0,
      kernels,
      fused: fused.map(layerName),
    })),
    unmapped: times.unmapped.map(({ name, kernel, time }) => ({ name, kernel, time: ms(time) })),
  }
}

async function found(graph: Graph, seed: number, sizes: Readonly<Record<string, number>>): Promise<Feeds> {
  await using session = await onnxruntimeNode.open(graph)
  const [trial] = await findFeeds(session, graph, { count: 1, seed, sizes })
  return trial!.feeds
}

async function given(graph: Graph, path: string): Promise<Feeds> {
  const [first] = await readFeeds(path, requiredInputs(graph))
  if (first) return first
  throw new SinterError('invalid-data', `${path} has no inputs to run on.`, { path })
}
