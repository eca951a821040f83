import { SinterError } from '../base/errors.ts'
import { type Dim, isTensorType, type ValueType } from '../base/shape.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'
import { infer, scopeOf } from './infer.ts'

/** A graph's types for sizes of the dimensions that its inputs leave open. */
export interface Sized {
  readonly scope: Scope
  /** What each symbol became; unnamed dimensions go by their input and axis, `x:0`. */
  readonly sizes: Readonly<Record<string, number>>
  /** Symbols that stay open: they were not given, and 1 is too small for what the graph does with them. */
  readonly open: readonly string[]
}

/** Symbols that are tried one by one; each costs an inference of the whole graph. */
const mostTries = 16

/**
 * Sizes for a graph's symbols: those given, and for every other that of `*`, or 1, which makes one example. Where the graph cannot work on
 * a size of 1 (an image's height), symbols are taken one by one, the leading axes of inputs first, and those that do not
 * fit stay open.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator, whatever the sizes.
 */
export function sized(graph: Graph, bind: Readonly<Record<string, number>> = {}): Sized {
  const named = nameDims(graph)
  const { '*': rest = 1, ...given } = bind
  const unknown = openSymbols(named.inputs).filter(symbol => given[symbol] === undefined)
  const withRest = (symbols: readonly string[]) => ({
    ...given,
    ...Object.fromEntries(symbols.map(one => [one, rest])),
  })
  const attempt = (sizes: Readonly<Record<string, number>>): Scope | SinterError => {
    try {
      return scopeOf(named, infer(named, { bind: sizes }), sizes)
    } catch (error) {
      if (error instanceof SinterError) return error
      throw error
    }
  }
  const all = withRest(unknown)
  const whole = attempt(all)
  if (!(whole instanceof SinterError)) return { scope: whole, sizes: all, open: [] }
  const fitting: string[] = []
  let best = attempt(given)
  if (best instanceof SinterError) throw best
  for (const symbol of unknown.slice(0, mostTries)) {
    const scope = attempt(withRest([...fitting, symbol]))
    if (scope instanceof SinterError) continue
    fitting.push(symbol)
    best = scope
  }
  return { scope: best, sizes: withRest(fitting), open: unknown.filter(symbol => !fitting.includes(symbol)) }
}

/** Larger than any side of an image or length of a sequence that a graph needs to work at all. */
const largestTried = 4096

/**
 * The smallest power of 2 that fits in the place of all symbols that `sized` leaves open, for a hint; undefined if none
 * up to 4096 does.
 */
export function fittingSize(graph: Graph, { sizes, open }: Pick<Sized, 'sizes' | 'open'>): number | undefined {
  const named = nameDims(graph)
  for (let size = 2; size <= largestTried; size *= 2) {
    try {
      infer(named, { bind: { ...sizes, ...Object.fromEntries(open.map(symbol => [symbol, size])) } })
      return size
    } catch (error) {
      if (!(error instanceof SinterError)) throw error
    }
  }
  return undefined
}

/** What an unnamed dimension of an input is called: `x:0`. */
export function dimName(input: string, axis: number): string {
  return `${input}:${axis}`
}

/** The graph with names for the dimensions of its inputs of which nothing is stated. */
function nameDims(graph: Graph): Graph {
  const isOpen = (type: ValueType | undefined) => isTensorType(type) && type.shape?.includes('')
  if (!graph.inputs.some(({ type }) => isOpen(type))) return graph
  const inputs = graph.inputs.map((value): Value => {
    const { name, type } = value
    if (!isTensorType(type) || !type.shape) return value
    const shape = type.shape.map((dim, axis): Dim => (dim === '' ? dimName(name, axis) : dim))
    return { ...value, type: { ...type, shape } }
  })
  return { ...graph, inputs }
}

/** The symbols of inputs, those of leading axes first: there the examples are counted. */
function openSymbols(inputs: readonly Value[]): readonly string[] {
  const leading = new Set<string>()
  const inner = new Set<string>()
  for (const { type } of inputs) {
    const shape = (isTensorType(type) && type.shape) || []
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string') (axis === 0 ? leading : inner).add(dim)
    })
  }
  return [...new Set([...leading, ...inner])]
}

/** Every symbol that `sized` takes a size for. */
export function symbolsOf(graph: Graph): readonly string[] {
  return openSymbols(nameDims(graph).inputs)
}
