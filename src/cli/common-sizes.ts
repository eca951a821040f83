import { SinterError } from '../base/errors.ts'
import { shapeOf } from '../base/shape.ts'
import type { Graph } from '../graph/graph.ts'
import type { GraphDiff } from '../read/diff.ts'
import { dimName, symbolsOf } from '../read/sized.ts'
import { type Summary, summarize } from '../read/summary.ts'

type Sizes = Readonly<Record<string, number>>

/** Sizes of the open dimensions of two models, at which they can be set side by side. */
interface CommonSizes {
  readonly a: Sizes
  readonly b: Sizes
  /** Dimensions that both leave open, by what each calls them. */
  readonly links: readonly (readonly [a: string, b: string])[]
}

/** Two models at a glance, for the same sizes of what either leaves open; what a run takes is `sizes`. */
export interface Summaries {
  readonly first: Summary
  readonly second: Summary
  /** Those given, and those that one model has fixed and the other has not. */
  readonly sizes: Sizes
}

/**
 * Summaries of two models that cost the same sizes: those given; where one model leaves open what the other has fixed,
 * that; and where 1 is too small for one of them, what fits it.
 * @throws SinterError as `summarize` does.
 */
export function summarizeBoth(a: Graph, b: Graph, { inputs }: GraphDiff, given: Sizes): Summaries {
  const common = commonSizes(a, b, new Map(inputs.renamed.map(pair => [pair.a, pair.b])), given)
  const first = summarize(a, { bind: common.a })
  const second = summarize(b, { bind: common.b })
  const sizes = { ...common.b, ...common.a }
  const [x, y] = [fittedSize(first), fittedSize(second)]
  if (x === y) return { first, second, sizes }
  const back = common.links.map(([left, right]) => [right, left] as const)
  return x > y
    ? { first, second: withSizes(second, b, common.b, first, common.links), sizes }
    : { first: withSizes(first, a, common.a, second, back), second, sizes }
}

function fittedSize({ fitted, sizes }: Summary): number {
  return sizes[fitted[0] ?? ''] ?? 1
}

/** A model at a glance for what fits another, where it can work on that. */
function withSizes(own: Summary, graph: Graph, bind: Sizes, other: Summary, links: CommonSizes['links']): Summary {
  const linked = links.filter(([name]) => other.fitted.includes(name))
  try {
    return summarize(graph, {
      bind: { ...Object.fromEntries(linked.map(([name, here]) => [here, other.sizes[name]!])), ...bind },
    })
  } catch (error) {
    if (error instanceof SinterError) return own
    throw error
  }
}

/** @param renamed inputs of the second model by the first's, where their names differ. */
function commonSizes(a: Graph, b: Graph, renamed: ReadonlyMap<string, string>, given: Sizes): CommonSizes {
  const [ofA, ofB] = [ownSizes(a, given), ownSizes(b, given)]
  const links: [string, string][] = []
  const inputsOfB = new Map(b.inputs.map(({ name, type }) => [name, shapeOf(type)]))
  for (const { name, type } of a.inputs) {
    const other = renamed.get(name) ?? name
    const [x, y] = [shapeOf(type), inputsOfB.get(other)]
    if (!x || !y || x.length !== y.length) continue
    for (const [axis, left] of x.entries()) {
      const right = y[axis]!
      const [keyA, keyB] = [left || dimName(name, axis), right || dimName(other, axis)]
      if (typeof keyA === 'number' && typeof keyB === 'string') ofB[keyB] ??= keyA
      else if (typeof keyB === 'number' && typeof keyA === 'string') ofA[keyA] ??= keyB
      else if (typeof keyA === 'string' && typeof keyB === 'string') links.push([keyA, keyB])
    }
  }
  for (const [keyA, keyB] of links) {
    const size = ofA[keyA] ?? ofB[keyB]
    if (size === undefined) continue
    ofA[keyA] ??= size
    ofB[keyB] ??= size
  }
  return { a: ofA, b: ofB, links }
}

function ownSizes(graph: Graph, sizes: Sizes): Record<string, number> {
  const own = new Set(symbolsOf(graph))
  return Object.fromEntries(Object.entries(sizes).filter(([name]) => own.has(name)))
}
