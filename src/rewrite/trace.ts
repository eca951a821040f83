/** What passes tell while they run. */
export type TraceEvent =
  | { readonly kind: 'pass'; readonly title: string; readonly changed: boolean; readonly seconds: number }
  /**
   * A pattern was found at a node; `declined` is the rule's reason where it left the node as it was, and `failed` says that
   * it did so because it tried to build what cannot be.
   */
  | {
      readonly kind: 'rule'
      readonly rule: string
      readonly at: string
      readonly declined?: string
      readonly failed?: true
      readonly seconds: number
    }
  /** Passes that still changed the graph when the bound on rounds was reached. */
  | { readonly kind: 'unsettled'; readonly title: string; readonly rounds: number }

export type Trace = (event: TraceEvent) => void

export interface PassStatistics {
  readonly title: string
  readonly runs: number
  /** Runs that changed the graph. */
  readonly changes: number
  readonly seconds: number
}

export interface RuleStatistics {
  readonly rule: string
  readonly hits: number
  /** Reasons for leaving a found pattern alone, each with the nodes it was given at. */
  readonly declines: Readonly<Record<string, readonly string[]>>
  /** The reasons among them that say how the rule failed: a fault in the rule, not in the graph. */
  readonly failures: readonly string[]
  /** Time spent in the rule's replacement, found or declined. */
  readonly seconds: number
}

export interface Statistics {
  /** In order of first appearance. */
  readonly passes: readonly PassStatistics[]
  readonly rules: readonly RuleStatistics[]
  /** Titles of fixed points that did not come to a standstill. */
  readonly unsettled: readonly string[]
}

/** A trace that adds up what it hears: `const { trace, statistics } = recorder(); run(graph, trace); statistics()`. */
export function recorder(): { readonly trace: Trace; statistics(): Statistics } {
  const passes = new Map<string, { title: string; runs: number; changes: number; seconds: number }>()
  const rules = new Map<
    string,
    { rule: string; hits: number; declines: Map<string, Set<string>>; failures: Set<string>; seconds: number }
  >()
  const unsettled = new Set<string>()
  return {
    trace(event) {
      if (event.kind === 'unsettled') {
        unsettled.add(event.title)
      } else if (event.kind === 'pass') {
        const { title } = event
        const sum = passes.get(title) ?? { title, runs: 0, changes: 0, seconds: 0 }
        sum.runs++
        if (event.changed) sum.changes++
        sum.seconds += event.seconds
        passes.set(title, sum)
      } else {
        const { rule } = event
        const sum = rules.get(rule) ?? { rule, hits: 0, declines: new Map(), failures: new Set(), seconds: 0 }
        if (event.declined === undefined) sum.hits++
        else sum.declines.set(event.declined, (sum.declines.get(event.declined) ?? new Set()).add(event.at))
        if (event.failed) sum.failures.add(event.declined!)
        sum.seconds += event.seconds
        rules.set(rule, sum)
      }
    },
    statistics: () => ({
      passes: [...passes.values()].map(sum => ({ ...sum })),
      rules: [...rules.values()].map(sum => ({
        ...sum,
        declines: Object.fromEntries([...sum.declines].map(([reason, at]) => [reason, [...at]])),
        failures: [...sum.failures],
      })),
      unsettled: [...unsettled],
    }),
  }
}
