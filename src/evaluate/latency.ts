import { SinterError } from '../base/errors.ts'
import type { Feeds, Session } from '../runtime/backend.ts'
import { quantile } from './quantile.ts'

/** How long one run takes. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly mean: number
  readonly unit: 'ms'
  /** Runs that were timed. */
  readonly runs: number
}

export interface TimingOptions {
  /** Runs that are timed; 200 if left out. */
  readonly runs?: number
  /** Runs before those, while memory and caches settle; 30 if left out. */
  readonly warmup?: number
  /** Timing ends early after this many seconds; 10 if left out. At least one run is timed. */
  readonly seconds?: number
}

/** Times runs, one after the other, on the wall clock. Results that are handed back are part of the time. */
export async function latency(session: Session, feeds: Feeds, options: TimingOptions = {}): Promise<Latency> {
  const [times] = await timeRuns([{ session, feeds }], options)
  return summaryOf(times!)
}

export interface LatencyComparison {
  readonly a: Latency
  readonly b: Latency
  /** Median of b's time over a's, run by run. */
  readonly ratio: number
}

/** One of two that are timed: a session, and what it is fed. */
export interface Timed {
  readonly session: Session
  readonly feeds: Feeds
}

/** Times two sessions by turns, so that whatever else the machine does falls on both alike. */
export async function compareLatency(a: Timed, b: Timed, options: TimingOptions = {}): Promise<LatencyComparison> {
  const [first, second] = await timeRuns([a, b], options)
  const ratios = first!.map((time, i) => second![i]! / time).sort((x, y) => x - y)
  return { a: summaryOf(first!), b: summaryOf(second!), ratio: quantile(ratios, 0.5) }
}

/**
 * Rows per second at the batch size of the feeds: their common first dimension over the median run time.
 * @throws SinterError `invalid-argument` if the feeds have no common first dimension.
 */
export async function throughput(session: Session, feeds: Feeds, options: TimingOptions = {}): Promise<number> {
  const rows = new Set(Object.values(feeds).map(({ shape }) => shape[0]))
  const [count] = rows
  if (rows.size !== 1 || count === undefined)
    throw new SinterError('invalid-argument', 'Throughput needs feeds that all have the batch as first dimension.', {
      shapes: Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])),
    })
  return (1000 * count) / (await latency(session, feeds, options)).p50
}

/** The times of each, in milliseconds; one run of each by turns. */
async function timeRuns(
  all: readonly Timed[],
  { runs = 200, warmup = 30, seconds = 10 }: TimingOptions,
): Promise<readonly number[][]> {
  if (!(Number.isInteger(runs) && runs > 0 && Number.isInteger(warmup) && warmup >= 0))
    throw new SinterError(
      'invalid-argument',
      `${runs} runs after ${warmup} are not whole numbers, the first above 0.`,
      {
        runs,
        warmup,
      },
    )
  const begin = performance.now()
  const late = () => performance.now() - begin > 1000 * seconds
  for (let i = 0; i < warmup && !late(); i++) for (const { session, feeds } of all) await session.run(feeds)
  const times = all.map((): number[] => [])
  while (times[0]!.length === 0 || (times[0]!.length < runs && !late())) {
    for (const [i, { session, feeds }] of all.entries()) {
      const start = performance.now()
      await session.run(feeds)
      times[i]!.push(performance.now() - start)
    }
  }
  return times
}

function summaryOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b)
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), mean, unit: 'ms', runs: times.length }
}
