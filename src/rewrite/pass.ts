import type { Graph } from '../graph/graph.ts'
import type { Trace } from './trace.ts'

/**
 * A pure function from graph to graph. Giving back the very graph it was given (`===`) says that it changed nothing.
 * Passes that have more to tell than their result tell it to the trace.
 */
export type Pass = ((graph: Graph, trace?: Trace) => Graph) & { readonly title?: string }

/** Names a pass: a verb, as in `drop-identity`. */
export function pass(title: string, run: (graph: Graph, trace?: Trace) => Graph): Pass {
  return Object.assign((graph: Graph, trace?: Trace) => run(graph, trace), { title })
}

export function titleOf(run: Pass): string {
  return run.title ?? (run.name || 'unnamed')
}

/** The graph after each pass in turn. */
export function pipe(graph: Graph, ...passes: readonly Pass[]): Graph {
  return passes.reduce((current, run) => run(current), graph)
}

export interface FixedPointOptions {
  readonly title?: string
  /** Rounds through all passes before giving up on standstill; 10 unless told. */
  readonly rounds?: number
}

/**
 * One pass that runs others in order, again and again, until none of them changes the graph. If that has not come about
 * after `rounds` rounds the graph is given back as it then is, and the trace hears of it.
 */
export function fixedPoint(passes: readonly Pass[], options: FixedPointOptions = {}): Pass {
  const { title = 'fixed-point', rounds = 10 } = options
  return pass(title, (graph, trace) => {
    let current = graph
    // Standstill is as many passes in a row without a change as there are passes, wherever the row begins.
    let idle = 0
    for (let step = 0; idle < passes.length; step++) {
      if (step === rounds * passes.length) {
        trace?.({ kind: 'unsettled', title, rounds })
        return current
      }
      const run = passes[step % passes.length]!
      const started = performance.now()
      const changed = run(current, trace)
      const seconds = (performance.now() - started) / 1000
      trace?.({ kind: 'pass', title: titleOf(run), changed: changed !== current, seconds })
      idle = changed === current ? idle + 1 : 0
      current = changed
    }
    return current
  })
}
