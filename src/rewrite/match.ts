import { isLazy, type Tensor } from '../base/tensor.ts'
import type { Node } from '../graph/graph.ts'
import { operatorOf } from '../ops/index.ts'
import { keyOf } from '../ops/spec.ts'
import { type Constant, type Found, type Matcher, type NodeMatcher, namesIn } from './pattern.ts'

/** What matching asks of the graph around. */
export interface Surroundings {
  producer(name: string): Node | undefined
  /** A value that cannot change. */
  constant(name: string): Tensor | undefined
  /** How often a value is read, being put out counted too. */
  uses(name: string): number
  /** A node's attributes with defaults filled in. */
  attributes(node: Node): Readonly<Record<string, unknown>>
}

type Capture = string | null | readonly string[] | Constant | Found
export type Captures = Map<string, Capture>

/**
 * Looks for a pattern at a node and calls `accept` with what it captured. If `accept` says no, other ways to match are
 * tried (commuted operands, alternatives) until there are none left.
 */
export function match(
  around: Surroundings,
  root: Matcher,
  node: Node,
  accept: (captures: Readonly<Record<string, unknown>>) => boolean,
): boolean {
  const found: Captures = new Map()
  const then = () => accept(Object.fromEntries(found))
  if (root.kind === 'either') return root.options.some(option => match(around, option, node, accept))
  return root.kind === 'node' && matchNode(around, root, node, found, then)
}

// Continuations rather than results: a later mismatch comes back here and the next way is tried.
type Then = () => boolean

function matchValue(around: Surroundings, matcher: Matcher, name: string, found: Captures, then: Then): boolean {
  switch (matcher.kind) {
    case 'any':
      return name !== '' && capture(found, matcher.name, name, then)
    case 'constant': {
      const value = name === '' ? undefined : around.constant(name)
      if (!value || (matcher.test && !matcher.test(value))) return false
      return capture(found, matcher.name, constantCalled(name, value), then)
    }
    case 'maybe': {
      if (name !== '') return matchValue(around, matcher.inner, name, found, then)
      return namesIn(matcher.inner).reduceRight<Then>((next, key) => () => capture(found, key, null, next), then)()
    }
    case 'either':
      return matcher.options.some(option => matchValue(around, option, name, found, then))
    case 'node': {
      const node = around.producer(name)
      if (!node || node.outputs[matcher.output] !== name) return false
      if (matcher.once && around.uses(name) !== 1) return false
      return matchNode(around, matcher, node, found, then)
    }
    case 'rest':
      return false // Stands for a list of values, never for one.
  }
}

function matchNode(around: Surroundings, matcher: NodeMatcher, node: Node, found: Captures, then: Then): boolean {
  if (keyOf(node) !== matcher.type || !mayMatch(around, matcher, node)) return false
  if (matcher.tests.length > 0) {
    const attributes = around.attributes(node) as never
    if (!matcher.tests.every(test => test(attributes, node))) return false
  }
  const inputs = () =>
    matchInputs(around, matcher.inputs, node.inputs, found, then) ||
    (matcher.inputs.length === 2 &&
      (operatorOf(node)?.commutative ?? false) &&
      matchInputs(around, matcher.inputs, [node.inputs[1] ?? '', node.inputs[0] ?? ''], found, then))
  if (matcher.name === undefined) return inputs()
  return capture(found, matcher.name, new FoundNode(matcher.type, node, around) as unknown as Found, inputs)
}

/** Most finds come to nothing: attributes are looked up when they are asked for. */
class FoundNode {
  readonly type: string
  readonly node: Node
  readonly #around: Surroundings
  constructor(type: string, node: Node, around: Surroundings) {
    this.type = type
    this.node = node
    this.#around = around
  }
  get attributes(): Readonly<Record<string, unknown>> {
    return this.#around.attributes(this.node)
  }
  get stated(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(this.attributes).filter(([name]) => name in this.node.attributes))
  }
}

/** Whether the makers of a node's inputs are of the right operators: nearly always they are not, and nothing else is asked. */
function mayMatch(around: Surroundings, { inputs }: NodeMatcher, node: Node): boolean {
  for (let i = 0; i < inputs.length; i++) {
    if (mayBe(around, inputs[i]!, node.inputs[i] ?? '')) continue
    const swapped = inputs.length === 2 && operatorOf(node)?.commutative
    return (
      (swapped && mayBe(around, inputs[0]!, node.inputs[1] ?? '') && mayBe(around, inputs[1]!, node.inputs[0] ?? '')) ??
      false
    )
  }
  return true
}

function mayBe(around: Surroundings, matcher: Matcher, name: string): boolean {
  if (matcher.kind === 'constant') return name !== '' && around.constant(name) !== undefined
  if (matcher.kind !== 'node') return true
  const producer = around.producer(name)
  return producer !== undefined && keyOf(producer) === matcher.type
}

function matchInputs(
  around: Surroundings,
  matchers: readonly Matcher[],
  names: readonly string[],
  found: Captures,
  then: Then,
): boolean {
  const at = (i: number): boolean => {
    const matcher = matchers[i]
    if (!matcher) return names.slice(i).every(name => name === '') && then()
    if (matcher.kind === 'rest') return capture(found, matcher.name, names.slice(i), then)
    return matchValue(around, matcher, names[i] ?? '', found, () => at(i + 1))
  }
  return at(0)
}

/** Notes a capture while `then` runs, and takes it back if that fails. A name captured before must be the same again. */
function capture(found: Captures, name: string | undefined, value: Capture, then: Then): boolean {
  if (name === undefined) return then()
  if (found.has(name)) return identity(found.get(name)!) === identity(value) && then()
  found.set(name, value)
  if (then()) return true
  found.delete(name)
  return false
}

// A spread would read the data of a tensor that is read only when asked for.
function constantCalled(ref: string, value: Tensor): Constant {
  const { dtype, shape } = value
  if (!isLazy(value)) return { dtype, shape, data: value.data, ref }
  return {
    dtype,
    shape,
    get data() {
      return value.data
    },
    ref,
  }
}

function identity(value: Capture): unknown {
  if (value === null || typeof value === 'string') return value
  if ('ref' in value) return value.ref
  if ('node' in value) return value.node
  return value.join('\n')
}
