import type { Tensor } from '../base/tensor.ts'
import type { Node } from '../graph/graph.ts'
import type { Ref } from '../ops/build.ts'
import type { AttributesOf, OpName } from '../ops/spec.ts'

/** A constant that a pattern found: a tensor that knows the name it goes by. */
export type Constant = Tensor & { readonly ref: Ref }

/** A node that a pattern found. `type` tells the attributes' type where several operators were looked for. */
export interface Found<K extends OpName = OpName> {
  readonly type: K
  readonly node: Node
  /** With the standard's defaults filled in. */
  readonly attributes: AttributesOf[K]
  /** Only what the node itself states: for a new node like this one. */
  readonly stated: Partial<AttributesOf[K]>
}

/** What to look for at a value. `C` is what is found there, by the names that the pattern gives. */
export interface Pattern<C = unknown> {
  readonly matcher: Matcher
  /** Holds nothing: it carries the type. */
  readonly captures?: C
}

export interface NodePattern<K extends OpName, C> extends Pattern<C> {
  readonly matcher: NodeMatcher
  /** Calls the node found by a name. */
  as<N extends string>(name: N): NodePattern<K, C & { readonly [key in N]: Found<K> }>
  /** Only where nothing but the pattern reads the value, and the graph does not put it out. */
  once(): NodePattern<K, C>
  /** Only where the attributes (defaults filled in) pass a test. */
  where(test: (attributes: AttributesOf[K], node: Node) => boolean): NodePattern<K, C>
  /** The value looked at is not the node's first output but the one given. */
  output(index: number): NodePattern<K, C>
}

/** Patterns as data, which `match` walks. */
export type Matcher =
  | { readonly kind: 'any'; readonly name: string | undefined }
  | {
      readonly kind: 'constant'
      readonly name: string | undefined
      readonly test: ((t: Tensor) => boolean) | undefined
    }
  | { readonly kind: 'maybe'; readonly inner: Matcher }
  | { readonly kind: 'either'; readonly options: readonly Matcher[] }
  | { readonly kind: 'rest'; readonly name: string }
  | NodeMatcher

export interface NodeMatcher {
  readonly kind: 'node'
  readonly type: string
  readonly inputs: readonly Matcher[]
  readonly output: number
  readonly once: boolean
  readonly tests: readonly ((attributes: never, node: Node) => boolean)[]
  readonly name: string | undefined
}

type Patterns = readonly Pattern[]
/** All that a list of patterns finds together. */
type AllOf<P extends Patterns> = P extends readonly [Pattern<infer A>, ...infer R extends Patterns]
  ? A & AllOf<R>
  : object
type CapturesOf<P> = P extends Pattern<infer C> ? C : never
type OrNull<C> = { readonly [K in keyof C]: C[K] | null }
type Named<N extends string, T> = { readonly [key in N]: T }

/** The words that patterns are written in. */
export interface Vocabulary {
  /** A node of an operator with these inputs: `op.Relu([op.Add([any('a'), any('b')])])`. Operands that commute match both ways. */
  readonly op: { readonly [K in OpName]: <const P extends Patterns>(inputs: P) => NodePattern<K, AllOf<P>> }
  /** Any value. A name that stands twice must be the same value both times. */
  any<N extends string>(name: N): Pattern<Named<N, Ref>>
  any(): Pattern<object>
  /** A value that never changes: an initializer that a caller cannot override, or a Constant node's. */
  constant<N extends string>(name: N, test?: (t: Tensor) => boolean): Pattern<Named<N, Constant>>
  constant(test?: (t: Tensor) => boolean): Pattern<object>
  /** An optional input: null where it is left out. A name stands for `any(name)`. */
  maybe<N extends string>(name: N): Pattern<Named<N, Ref | null>>
  maybe<C>(pattern: Pattern<C>): Pattern<OrNull<C>>
  /** The first of several patterns that fits. */
  either<P extends Patterns>(...patterns: P): Pattern<CapturesOf<P[number]>>
  /** All inputs from here on, in order; last in a list. */
  rest<N extends string>(name: N): Pattern<Named<N, readonly Ref[]>>
}

const any = (name?: string): Pattern => ({ matcher: { kind: 'any', name } })

type Test = (t: Tensor) => boolean

/** The vocabulary itself. Its functions make data and keep no state. */
export const vocabulary = {
  op: new Proxy(
    {},
    {
      get: (_, type) => (inputs: Patterns) =>
        nodePattern({
          kind: 'node',
          type: String(type),
          inputs: inputs.map(pattern => pattern.matcher),
          output: 0,
          once: false,
          tests: [],
          name: undefined,
        }),
    },
  ),
  any,
  constant: (first?: string | Test, second?: Test): Pattern => {
    const [name, test] = typeof first === 'string' ? [first, second] : [undefined, first]
    return { matcher: { kind: 'constant', name, test } }
  },
  maybe: (what: string | Pattern): Pattern => ({
    matcher: { kind: 'maybe', inner: (typeof what === 'string' ? any(what) : what).matcher },
  }),
  either: (...patterns: Patterns): Pattern => ({
    matcher: { kind: 'either', options: patterns.map(pattern => pattern.matcher) },
  }),
  rest: (name: string): Pattern => ({ matcher: { kind: 'rest', name } }),
} as unknown as Vocabulary

function nodePattern(matcher: NodeMatcher): NodePattern<OpName, unknown> {
  const having = (change: Partial<NodeMatcher>) => nodePattern({ ...matcher, ...change })
  return {
    matcher,
    as: name => having({ name }) as NodePattern<OpName, never>,
    once: () => having({ once: true }),
    where: test => having({ tests: [...matcher.tests, test] }),
    output: index => having({ output: index }),
  }
}

/** Keys of the operators at which a pattern can be found. undefined if that could be any. */
export function rootsOf(matcher: Matcher): readonly string[] | undefined {
  if (matcher.kind === 'node') return [matcher.type]
  if (matcher.kind !== 'either') return undefined
  const roots = matcher.options.map(rootsOf)
  return roots.every(list => list !== undefined) ? [...new Set(roots.flat())] : undefined
}

/** How many nodes a pattern reaches upwards from its root, the root included. */
export function depthOf(matcher: Matcher): number {
  switch (matcher.kind) {
    case 'node':
      return 1 + Math.max(0, ...matcher.inputs.map(depthOf))
    case 'either':
      return Math.max(0, ...matcher.options.map(depthOf))
    case 'maybe':
      return depthOf(matcher.inner)
    default:
      return 0
  }
}

/** Names that a pattern gives. */
export function namesIn(matcher: Matcher): readonly string[] {
  const own = 'name' in matcher && matcher.name !== undefined ? [matcher.name] : []
  switch (matcher.kind) {
    case 'node':
      return [...own, ...matcher.inputs.flatMap(namesIn)]
    case 'either':
      return matcher.options.flatMap(namesIn)
    case 'maybe':
      return namesIn(matcher.inner)
    default:
      return own
  }
}
