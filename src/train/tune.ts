import { throwIfInterrupted } from '../base/interrupt.ts'
import type { FormChoice } from '../gradient/forms.ts'
import type { Graph } from '../graph/graph.ts'
import type { Backend, Feeds, Session } from '../runtime/backend.ts'
import { randomFeeds } from '../verify/random-feeds.ts'

export interface FormTiming {
  readonly key: string
  /** Milliseconds a call, the fastest seen, by form. */
  readonly milliseconds: Readonly<Record<string, number>>
  readonly best: string
}

export interface TuneOptions {
  readonly backend: Backend
  readonly threads?: number
  /** Timed calls of each form; the forms take turns, so that a busy moment hits them alike. */
  readonly rounds?: number
  readonly signal?: AbortSignal
}

/**
 * Times the formulations that a step's gradients may take, each on its own with the step's shapes, and names the fastest
 * of each. The result goes back into `trainStep` as `forms`. Two runs may choose differently: a run that must be
 * repeatable bit by bit does without.
 * @throws SinterError `interrupted` if the signal aborts.
 */
export async function tune(
  choices: readonly FormChoice[],
  { backend, threads, rounds = 7, signal }: TuneOptions,
): Promise<readonly FormTiming[]> {
  const timings: FormTiming[] = []
  for (const { key, forms, piece } of choices) {
    throwIfInterrupted(signal, `Timing of formulations stopped after ${timings.length} of ${choices.length}.`)
    const sessions: { form: string; session: Session; feeds: Feeds }[] = []
    try {
      for (const form of forms) {
        const graph = piece(form)
        const session = await backend.open(graph, threads === undefined ? {} : { threads })
        sessions.push({ form, session, feeds: feedsFor(graph) })
      }
      const milliseconds: Record<string, number> = {}
      for (let round = -1; round < rounds; round++) {
        for (const { form, session, feeds } of sessions) {
          const start = performance.now()
          await session.run(feeds)
          const took = performance.now() - start
          // The first round allocates.
          if (round >= 0) milliseconds[form] = Math.min(took, milliseconds[form] ?? Number.POSITIVE_INFINITY)
        }
      }
      const best = forms.reduce((a, b) => (milliseconds[b]! < milliseconds[a]! ? b : a))
      timings.push({ key, milliseconds, best })
    } finally {
      for (const { session } of sessions) await session[Symbol.asyncDispose]()
    }
  }
  return timings
}

/** The preferred forms by key, as `trainStep` takes them. */
export function preferred(timings: readonly FormTiming[]): ReadonlyMap<string, string> {
  return new Map(timings.map(({ key, best }) => [key, best]))
}

/** Values that no piece stumbles over: none is negative, and whole numbers, which may be indices, are 0. */
function feedsFor(graph: Graph): Feeds {
  const zero = { least: 0, below: 1 }
  return randomFeeds(graph, { ranges: { floats: 'positive', integers: zero, sizes: zero } })
}
