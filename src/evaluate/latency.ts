import { SinterError } from '../base/errors.ts'
import type { Feeds, Session } from '../runtime/backend.ts'

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
  const times = (await timeRuns(session, feeds, options)).sort((a, b) => a - b)
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95), mean, unit: 'ms', runs: times.length }
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

async function timeRuns(
  session: Session,
  feeds: Feeds,
  { runs = 200, warmup = 30, seconds = 10 }: TimingOptions,
): Promise<number[]> {
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
  for (let i = 0; i < warmup && !late(); i++) await session.run(feeds)
  const times: number[] = []
  while (times.length === 0 || (times.length < runs && !late())) {
    const start = performance.now()
    await session.run(feeds)
    times.push(performance.now() - start)
  }
  return times
}

/** Between the two nearest of the sorted values (linear, as NumPy's default). */
function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
  return low + (high - low) * (at - Math.floor(at))
}
