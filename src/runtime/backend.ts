import type { Tensor } from '../base/tensor.ts'
import type { Graph, Value } from '../graph/graph.ts'

/** Tensors by the name of the input that they go into. */
export type Feeds = Readonly<Record<string, Tensor>>

/** Tensors by the name of the output that they came from. */
export type Results = Readonly<Record<string, Tensor>>

/** A graph that an engine has loaded. Use `await using`, or dispose it: an engine's memory is not the collector's. */
export interface Session extends AsyncDisposable {
  /** What must be fed: the graph's inputs that have no initializer. */
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /**
   * Computes the outputs, or only those named in `fetch`. The feeds are read in place and must not change meanwhile;
   * each result is a fresh array, the caller's own.
   * @throws SinterError `invalid-argument` if a feed is missing, unknown, or not of its input's type; nothing has run then.
   * @throws SinterError `runtime-failed` if the engine fails; `details.node` names where, if the engine says.
   */
  run(feeds: Feeds, fetch?: readonly string[]): Promise<Results>
  /** Waits for the runs under way, then frees the engine's memory. A second call does nothing. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface OpenOptions {
  /** Threads within one operator; the engine's own choice (the physical cores) if left out. */
  readonly threads?: number
  /** How far the engine rewrites the graph before it runs; `all` if left out. */
  readonly graphOptimization?: GraphOptimization
  /** Whether idle threads go on spinning between runs. Off: sessions that take turns would starve each other. */
  readonly spinning?: boolean
  /** Whether the engine plans one block of memory for runs of equal shapes; on if left out. */
  readonly memoryPattern?: boolean
  /** Writes the times of all nodes to a file whose path begins with this, when the session is disposed. */
  readonly profile?: string
  /** Writes the graph as the engine has rewritten it to this file: for looking at, not for shipping. */
  readonly optimizedModelPath?: string
}

export const graphOptimizations = ['disabled', 'basic', 'extended', 'all'] as const
export type GraphOptimization = (typeof graphOptimizations)[number]

/** An engine that runs graphs. */
export interface Backend {
  readonly name: string
  /**
   * Loads a graph, or the bytes of a model file.
   * @throws SinterError `invalid-graph` or `invalid-model` if it is broken: the engine does not get to see it.
   * @throws SinterError `not-supported` if the engine cannot exchange the type of an input or output.
   * @throws SinterError `runtime-missing` if the engine is not installed, `runtime-failed` if it refuses the graph.
   */
  open(model: Graph | Uint8Array, options?: OpenOptions): Promise<Session>
}
