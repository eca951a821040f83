import { SinterError } from '../base/errors.ts'
import { isTensorType, type ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { edit, mapBodies, namesOf, node as toNode } from '../graph/edit.ts'
import { freshNames } from '../graph/fresh-names.ts'
import { type Body, bodiesOf, describe, type Graph, type Node } from '../graph/graph.ts'
import { builder, type Ops } from '../ops/build.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import { attributesOf, keyOf } from '../ops/spec.ts'
import { withoutDefaults } from '../read/evaluate.ts'
import { infer, scopeOf, scopeWithin } from '../read/infer.ts'
import { type Live, live, type Made, type Refusal } from './live.ts'
import { match, type Surroundings } from './match.ts'
import { type Pass, pass } from './pass.ts'
import { depthOf, type Matcher, type NodeMatcher, rootsOf } from './pattern.ts'
import { isDecline, type Rule, type Tools } from './rule.ts'
import type { Trace } from './trace.ts'

/** The metadata entry of a node that names the rule it comes from. */
export const ruleKey = 'sinter.rule'

/**
 * One pass that applies rules wherever they fit, in the graph and in the bodies of its nodes, until none fits any more.
 * Nodes are visited in order, and again when something near them changes; at each node the rules are tried in order.
 * @throws SinterError `invalid-argument` when rules keep undoing one another.
 */
export function rewrite(title: string, rules: readonly Rule[]): Pass {
  const table = ruleTable(rules)
  return pass(title, (graph, trace) => {
    const context: Context = { graph, table, trace, fresh: freshNames(takenIn(graph)) }
    return rewriteBody(
      graph,
      context,
      () => {
        const fixed = withoutDefaults(graph)
        return scopeOf(fixed, infer(fixed))
      },
      () => undefined,
    )
  })
}

/** Names of values and of nodes: a new node goes by the name of its first output, and no two nodes by one. */
function takenIn(graph: Graph): Set<string> {
  const taken = namesOf(graph)
  const add = (body: Body) => {
    for (const one of body.nodes) {
      taken.add(one.name)
      bodiesOf(one).forEach(add)
    }
  }
  add(graph)
  return taken
}

interface RuleTable {
  /** The rules that may apply at a node, each with the part of its pattern that has such a root. */
  rulesFor(node: Node): readonly Entry[]
  /** How far below a change a pattern may have its root. */
  readonly reach: number
  readonly names: string
}

interface Entry {
  readonly rule: Rule
  readonly matchers: readonly NodeMatcher[]
}

const none: readonly Entry[] = []

function ruleTable(rules: readonly Rule[]): RuleTable {
  const byRoot = new Map<string, Entry[]>()
  const anywhere: string[] = []
  for (const rule of rules) {
    const roots = rootsOf(rule.matcher)
    if (!roots) anywhere.push(rule.name)
    for (const root of roots ?? []) {
      const entry = { rule, matchers: rootMatchers(rule.matcher).filter(({ type }) => type === root) }
      const list = byRoot.get(root)
      if (list) list.push(entry)
      else byRoot.set(root, [entry])
    }
  }
  if (anywhere.length > 0) {
    const message = `The pattern of ${anywhere.join(', ')} must end in a node.`
    throw new SinterError('invalid-argument', message, { names: anywhere })
  }
  return {
    rulesFor: node => byRoot.get(keyOf(node)) ?? none,
    reach: Math.max(0, ...rules.map(({ matcher }) => depthOf(matcher) - 1)),
    names: rules.map(({ name }) => name).join(', '),
  }
}

/** The patterns that a root may fit, in order. */
function rootMatchers(matcher: Matcher): readonly NodeMatcher[] {
  if (matcher.kind === 'node') return [matcher]
  return matcher.kind === 'either' ? matcher.options.flatMap(rootMatchers) : []
}

interface Context {
  readonly graph: Graph
  readonly table: RuleTable
  readonly trace: Trace | undefined
  /** A name that no value has, in any body: names inside of a body must not hide those around it. */
  fresh(hint: string): string
}

function rewriteBody<B extends Body>(
  body: B,
  context: Context,
  openScope: () => Scope,
  constantAround: (name: string) => Tensor | undefined,
): B {
  return edit(body, draft => {
    const now = live(draft, constantAround)
    const scope = scopeOfLive(context.graph, now, openScope)
    const surroundings: Surroundings = {
      ...now,
      attributes: node => attributesOf(node, scope.opset(node.domain)),
    }
    for (const node of now.nodes()) {
      if (bodiesOf(node).length === 0) continue
      const inside = scopesInside(context.graph, node, scope)
      const attributes = mapBodies(node, inner => rewriteBody(inner, context, () => inside(inner), now.constant))
      if (attributes !== node.attributes) now.swap(node, { ...node, attributes })
    }
    const queue = new Set(now.nodes())
    let patience = 100 + 10 * queue.size
    for (const node of queue) {
      queue.delete(node)
      if (!now.has(node)) continue
      const touched = applyFirst(node, now, surroundings, scope, context)
      if (!touched) continue
      if (patience-- === 0) {
        const message = `The rules ${context.table.names} keep undoing one another at ${describe(node)}.`
        throw new SinterError('invalid-argument', message, { node: node.name })
      }
      for (const near of around(now, touched, context.table.reach)) queue.add(near)
    }
    now.finish()
  })
}

/** Tries the rules at a node until one replaces it. Returns the nodes that this touched. */
function applyFirst(
  root: Node,
  now: Live,
  surroundings: Surroundings,
  scope: LiveScope,
  context: Context,
): ReadonlySet<Node> | undefined {
  for (const { rule, matchers } of context.table.rulesFor(root)) {
    let touched: ReadonlySet<Node> | undefined
    let declined: string | undefined
    const started = context.trace ? performance.now() : 0
    const accept = (found: Readonly<Record<string, unknown>>) => {
      const made = attempt(rule, found, surroundings, now, scope, context)
      const answer = 'refused' in made ? made : now.replace(root, made)
      if ('refused' in answer) {
        declined ??= answer.refused
        return false
      }
      touched = answer.touched
      for (const node of touched) scope.learn(node)
      return true
    }
    for (const matcher of matchers) if (match(surroundings, matcher, root, accept)) break
    if (context.trace && (touched || declined)) {
      const seconds = (performance.now() - started) / 1000
      const at = describe(root)
      context.trace({ kind: 'rule', rule: rule.name, at, seconds, ...(touched ? {} : { declined: declined! }) })
    }
    if (touched) return touched
  }
  return undefined
}

/** Lets a rule build its replacement aside, so that nothing has happened yet if it declines. */
function attempt(
  rule: Rule,
  found: Readonly<Record<string, unknown>>,
  { attributes }: Surroundings,
  now: Live,
  scope: Scope,
  { fresh }: Context,
): Made | Refusal {
  const nodes: Node[] = []
  const constants = new Map<string, Tensor>()
  let op: Ops | undefined
  const tools: Tools = {
    get op() {
      op ??= builder(
        {
          add: made => void nodes.push({ ...toNode(made), extra: { metadata: { [ruleKey]: rule.name } } }),
          constant(hint, value) {
            const name = fresh(hint)
            constants.set(name, value)
            return name
          },
          fresh,
        },
        scope,
      )
      return op
    },
    decline: reason => ({ declined: reason }),
    type(ref) {
      const known = scope.type(ref)
      return isTensorType(known) ? known : undefined
    },
    uses: now.uses,
    constant: now.constant,
    producer: now.producer,
    readers: now.readers,
    attributes,
  }
  try {
    const answer = rule.replace(found, tools)
    if (isDecline(answer)) return { refused: answer.declined }
    return { nodes, constants, results: typeof answer === 'string' ? [answer] : answer }
  } catch (error) {
    // A rule that asks for what is not known (a fixed shape, a type) declines by asking.
    if (error instanceof SinterError && error.code === 'not-supported') return { refused: error.message }
    throw error
  }
}

/** The nodes given, and those that read from them through at most `reach` others. */
function around(now: Live, nodes: ReadonlySet<Node>, reach: number): ReadonlySet<Node> {
  const near = new Set(nodes)
  let edge: Iterable<Node> = nodes
  for (let step = 0; step < reach; step++) {
    const next = new Set<Node>()
    for (const node of edge) {
      for (const name of node.outputs) for (const reader of now.readers(name)) if (!near.has(reader)) next.add(reader)
    }
    for (const node of next) near.add(node)
    edge = next
  }
  return near
}

interface LiveScope extends Scope {
  /** Takes note of a node that is new. */
  learn(node: Node): void
}

/**
 * A scope over a body being changed. What was there is inferred when a type is first asked for, which many rules never
 * do; what is added, is inferred on top of that.
 */
function scopeOfLive(graph: Graph, now: Live, open: () => Scope): LiveScope {
  const learned = new Map<string, ValueType>()
  const unread: Node[] = []
  let base: Scope | undefined
  const type = (name: string) => learned.get(name) ?? base?.type(name)
  const scope: LiveScope = {
    opset: domain => graph.opset[domain] ?? 1,
    type(name) {
      base ??= open()
      for (const node of unread.splice(0)) {
        if (node.outputs.every(output => type(output) !== undefined)) continue
        inferNode(node, scope).forEach((found, i) => {
          const output = node.outputs[i]
          if (found && output && type(output) === undefined) learned.set(output, found)
        })
      }
      return type(name)
    },
    constant: now.constant,
    inferBody: (body, inputs) => (base ??= open()).inferBody(body, inputs),
    learn: node => void unread.push(node),
  }
  return scope
}

/** Scopes of a node's bodies: the operator itself says, while its outputs are inferred, what its bodies are given. */
function scopesInside(graph: Graph, node: Node, around: Scope): (body: Body) => Scope {
  let scopes: Map<Body, Scope> | undefined
  return body => {
    if (!scopes) {
      const noted = new Map<Body, Scope>()
      inferNode(node, {
        ...around,
        inferBody(inner, inputs) {
          const scope = scopeWithin(graph, inner, inputs, around)
          noted.set(inner, scope)
          return inner.outputs.map(({ name }) => scope.type(name))
        },
      })
      scopes = noted
    }
    return scopes.get(body) ?? scopeWithin(graph, body, [], around)
  }
}
