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
  /** Symbols that are larger than 1, as that is too small for what the graph does with them; all have one size. */
  readonly fitted: readonly string[]
  /** Symbols that stay open: nothing that was tried fits them all. */
  readonly open: readonly string[]
}

/** Symbols that are tried one by one; each costs an inference of the whole graph. */
const mostTries = 16

/** Larger than any side of an image or length of a sequence that a graph needs to work at all. */
const largestTried = 4096

/**
 * Sizes for a graph's symbols: those given, and for every other that of `*`, or 1, which makes one
 * example. Where the graph cannot work on a size of 1 (an image's height), symbols are taken one by one, the leading axes
 * of inputs first; those that do not fit all get the smallest power of 2 up to 4096 that does, or stay open.
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
  if (!(whole instanceof SinterError)) return { scope: whole, sizes: all, fitted: [], open: [] }
  const fitting: string[] = []
  let best = attempt(given)
  if (best instanceof SinterError) throw best
  for (const symbol of unknown.slice(0, mostTries)) {
    const scope = attempt(withRest([...fitting, symbol]))
    if (scope instanceof SinterError) continue
    fitting.push(symbol)
    best = scope
  }
  const sizes = withRest(fitting)
  const tooSmall = unknown.filter(symbol => !fitting.includes(symbol))
  for (let size = 2; size <= largestTried; size *= 2) {
    const larger = { ...sizes, ...Object.fromEntries(tooSmall.map(symbol => [symbol, size])) }
    const scope = attempt(larger)
    if (!(scope instanceof SinterError)) return { scope, sizes: larger, fitted: tooSmall, open: [] }
  }
  return { scope: best, sizes, fitted: [], open: tooSmall }
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
