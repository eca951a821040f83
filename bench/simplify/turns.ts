import type { Feeds, Session } from '../../src/runtime/backend.ts'

export interface Turns {
  /** Medians and least times of both, in milliseconds. */
  readonly a: { readonly median: number; readonly least: number }
  readonly b: { readonly median: number; readonly least: number }
  /** b over a: the median over pairs of neighbouring runs, and that of the least times. */
  readonly ratio: number
  readonly leastRatio: number
}

/** Times two sessions on the same feeds by turns, who goes first changing each time, for about so many seconds. */
export async function takeTurns(a: Session, b: Session, feeds: Feeds, seconds: number): Promise<Turns> {
  const timed = async (session: Session) => {
    const start = performance.now()
    await session.run(feeds)
    return performance.now() - start
  }
  const warm = performance.now()
  for (let i = 0; i < 20 && performance.now() - warm < 300 * seconds; i++) {
    await timed(a)
    await timed(b)
  }
  const [timesA, timesB]: [number[], number[]] = [[], []]
  const start = performance.now()
  while (timesA.length < 10 || (timesA.length < 1000 && performance.now() - start < 1000 * seconds)) {
    if (timesA.length % 2 === 0) {
      timesA.push(await timed(a))
      timesB.push(await timed(b))
    } else {
      timesB.push(await timed(b))
      timesA.push(await timed(a))
    }
  }
  const of = (times: readonly number[]) => ({ median: median(times), least: Math.min(...times) })
  const [first, second] = [of(timesA), of(timesB)]
  return {
    a: first,
    b: second,
    ratio: median(timesA.map((time, i) => timesB[i]! / time)),
    leastRatio: second.least / first.least,
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
