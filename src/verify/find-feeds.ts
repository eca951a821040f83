import { reasonOf, SinterError } from '../base/errors.ts'
import { formatShape, isTensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { Feeds, Results, Session } from '../runtime/backend.ts'
import { keyOf, namedDims, otherSizes, type Plan, plans, ranked, sizesOf, withFewerIntegers } from './feed-plans.ts'
import { neighbouringConstants } from './neighbouring-constants.ts'
import { type RandomFeedsOptions, randomFeeds } from './random-feeds.ts'

/** Feeds that a graph has run on, and what it gave. */
export interface Trial {
  readonly feeds: Feeds
  readonly results: Results
}

export interface FindFeedsOptions extends Pick<RandomFeedsOptions, 'seed' | 'sizes' | 'shapes'> {
  /** Inputs whose types say more than the graph's own of the same names, as those of it pinned do. */
  readonly inputs?: readonly Value[]
  /** How many are wanted; 2 if left out. Where sizes are open, the second has other ones. */
  readonly count?: number
  /** Outputs to compute; all if left out. */
  readonly fetch?: readonly string[]
  /** Runs that may fail before giving up; 40 if left out. */
  readonly attempts?: number
}

/**
 * Random feeds that a graph runs on. Files do not say which sizes and which whole numbers a model can work with, so
 * plausible ones are tried: images of usual sides, sequences of usual lengths, tokens of a smaller and smaller
 * vocabulary, and the numbers that the graph itself compares an input with.
 * @throws SinterError `not-supported` where nothing that was tried works; the message has the engine's first complaint.
 */
export async function findFeeds(
  session: Session,
  graph: Graph,
  options: FindFeedsOptions = {},
): Promise<readonly Trial[]> {
  const { seed = 0, sizes = {}, shapes = {}, count = 2, fetch, attempts = 40 } = options
  const inputs = namedDims(session.inputs.map(value => narrowed(value, options.inputs)))
  let neighbours = neighbouringConstants(graph)
  const seen = new Set<string>()
  let fallback: Found | undefined
  let complaint: unknown
  const attempt = async (plan: Plan, one: number): Promise<Found> => {
    const drawn = { ...sizesOf(inputs, plan), ...sizes }
    const feeds = {
      ...randomFeeds(
        { inputs: inputs.map(value => ranked(value, plan)) },
        { seed: seed + one, sizes: drawn, shapes, ranges: plan.ranges },
      ),
      ...chosen(inputs, neighbours, one),
    }
    const results = await session.run(feeds, fetch)
    return { plan, feeds, results }
  }
  const first = (await search()) ?? fallback ?? (neighbours.size > 0 ? await searchWithoutNeighbours() : undefined)
  if (first) return await further(first)
  throw new SinterError(
    'not-supported',
    `None of ${seen.size} kinds of random inputs that were tried runs through the model (${reasonOf(complaint)}). ` +
      'Give it inputs that it is made for.',
    { tried: seen.size },
    complaint,
  )

  async function search(): Promise<Found | undefined> {
    for (const plan of plans()) {
      if (seen.size >= attempts) break
      const key = keyOf(inputs, plan, sizes, shapes, neighbours)
      if (seen.has(key)) continue
      seen.add(key)
      try {
        const found = await attempt(plan, 0)
        if (telling(found.results)) return found
        fallback ??= found
      } catch (error) {
        if (!(error instanceof SinterError) || error.code === 'not-supported') throw error
        complaint ??= error
      }
    }
    return undefined
  }

  /** The numbers beside an input may also be such that it must not have them. */
  async function searchWithoutNeighbours(): Promise<Found | undefined> {
    neighbours = new Map()
    seen.clear()
    return (await search()) ?? fallback
  }

  /** More of them after the first: with other sizes where these run too, else with other numbers. */
  async function further(first: Found): Promise<readonly Trial[]> {
    const trials = [first]
    const lists = [...neighbours.values()].map(list => list.length)
    const wanted = Math.max(count, Math.min(4, Math.max(0, ...lists)))
    for (let one = 1; one < wanted; one++) {
      const others = one === 1 ? otherSizes(first.plan) : []
      const tried = new Set(others.length === 0 ? [] : [keyOf(inputs, first.plan, sizes, shapes, neighbours)])
      // Other numbers of the first plan come last: they say less than other sizes do.
      for (const plan of [...others.flatMap(withFewerIntegers), ...withFewerIntegers(first.plan)]) {
        const key = keyOf(inputs, plan, sizes, shapes, neighbours)
        if (plan !== first.plan && tried.has(key)) continue
        tried.add(key)
        const trial = await attempt(plan, one).catch(error => {
          if (error instanceof SinterError) return undefined
          throw error
        })
        if (!trial || (!telling(trial.results) && telling(first.results))) continue
        trials.push(trial)
        break
      }
    }
    return trials
  }
}

function narrowed(value: Value, known: readonly Value[] = []): Value {
  const type = known.find(({ name }) => name === value.name)?.type
  return isTensorType(type) && type.shape ? { ...value, type } : value
}

interface Found extends Trial {
  readonly plan: Plan
}

/** Whether results say something: some output has elements, and some of them are numbers. */
function telling(results: Results): boolean {
  const all = Object.values(results)
  return (
    all.length === 0 ||
    all.some(({ dtype, data }) => {
      if (data.length === 0) return false
      if (dtype !== 'float32' && dtype !== 'float64') return true
      return (data as Float32Array).some(Number.isFinite)
    })
  )
}

/** For the first feeds the first such number of each input, for the second the second, and so on. */
function chosen(inputs: readonly Value[], neighbours: ReadonlyMap<string, readonly Tensor[]>, one: number): Feeds {
  return Object.fromEntries(
    inputs.flatMap(({ name, type }) => {
      const list = neighbours.get(name)
      if (!list || !isTensorType(type)) return []
      const { dtype, data } = list[one % list.length]!
      return [[name, { dtype, shape: type.shape as readonly number[], data } as Tensor]]
    }),
  )
}

/** Shapes of feeds in words: `image float32[1,3,64,64]`. */
export function describeFeeds(feeds: Feeds): string {
  return Object.entries(feeds)
    .map(([name, { dtype, shape }]) => `${name} ${dtype}${formatShape(shape)}`)
    .join(', ')
}
