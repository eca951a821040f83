import { SinterError } from '../base/errors.ts'
import { contradict, formatType, isTensorType, type ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { edit, mapBodies, type NewNode, namesOf, node as toNode } from '../graph/edit.ts'
import { freshNames } from '../graph/fresh-names.ts'
import { type Body, bodiesOf, describe, type Graph, type Node } from '../graph/graph.ts'
import { builder, type Ops } from '../ops/build.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import { hasKernel } from '../ops/kernels.ts'
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
 * Rules that keep undoing one another are stopped: the graph is given back as it then is, and the trace hears where.
 */
export function rewrite(title: string, rules: readonly Rule[], options: RewriteOptions = {}): Pass {
  const table = ruleTable(rules)
  const calm: Calm | undefined = options.remember ? new WeakMap() : undefined
  return pass(title, (graph, trace) => {
    const context: Context = { graph, table, trace, calm, fresh: freshNames(namesOf(graph)) }
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

export interface RewriteOptions {
  /**
   * For passes that run again and again: nodes around which nothing has changed since the last run are looked at only if
   * nothing is to be done at the others. What a run leaves undone by that, the next one does.
   */
  readonly remember?: boolean
}

/** Nodes that no rule had anything to do at, each with what it and its neighbours were then. */
type Calm = WeakMap<Node, readonly unknown[]>

interface RuleTable {
  /** The rules that may apply at a node, each with the part of its pattern that has such a root. */
  rulesFor(node: Node): readonly Entry[]
  /** How far below a change a pattern may have its root. */
  readonly reach: number
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
  readonly calm: Calm | undefined
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
    const { calm, table } = context
    const workshop = workshopOf(surroundings, now, scope, context)

    /** Visits nodes, and what changes near them on from there. Returns whether anything has changed. */
    function visit(list: readonly Node[]): boolean {
      let changed = false
      const queue = new Set<Node>()
      for (const node of list) {
        const after = rewriteBodies(node, now, scope, context)
        changed ||= after !== node
        queue.add(after)
      }
      let patience = 100 + 10 * queue.size
      for (const node of queue) {
        queue.delete(node)
        if (!now.has(node)) continue
        const touched = applyFirst(node, now, surroundings, scope, workshop, context)
        if (!touched) continue
        changed = true
        if (patience-- === 0) {
          context.trace?.({ kind: 'unsettled', title: `rules that undo one another at ${describe(node)}`, rounds: 1 })
          break
        }
        for (const near of around(now, touched, table.reach)) queue.add(near)
      }
      return changed
    }

    const all = now.nodes()
    if (calm) {
      const seen = all.map(node => surroundingsOf(node, now, scope))
      const fresh = new Set(all.filter((node, i) => !sameItems(calm.get(node), seen[i]!)))
      const near = fresh.size < all.length ? around(now, fresh, table.reach) : fresh
      const done = all.filter(node => !near.has(node))
      if (!visit(all.filter(node => near.has(node)))) visit(done)
      for (const [i, node] of all.entries()) if (now.has(node)) calm.set(node, seen[i]!)
    } else visit(all)
    now.finish()
  })
}

/** What the rules may look at around a node: types of what it reads and makes, who makes and how many read it. */
function surroundingsOf(node: Node, now: Live, scope: Scope): readonly unknown[] {
  const seen: unknown[] = []
  for (const name of node.inputs) if (name !== '') seen.push(scope.type(name), now.producer(name), now.constant(name))
  for (const name of node.outputs) if (name !== '') seen.push(scope.type(name), now.uses(name))
  return seen
}

function sameItems(a: readonly unknown[] | undefined, b: readonly unknown[]): boolean {
  if (a?.length !== b.length) return false
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Applies the rules in a node's bodies. Returns the node that then stands there. */
function rewriteBodies(node: Node, now: Live, scope: Scope, context: Context): Node {
  if (bodiesOf(node).length === 0) return node
  const inside = scopesInside(context.graph, node, scope)
  const attributes = mapBodies(node, inner => rewriteBody(inner, context, () => inside(inner), now.constant))
  if (attributes === node.attributes) return node
  const after = { ...node, attributes }
  now.swap(node, after)
  return after
}

/** Tries the rules at a node until one replaces it. Returns the nodes that this touched. */
function applyFirst(
  root: Node,
  now: Live,
  surroundings: Surroundings,
  scope: LiveScope,
  workshop: Workshop,
  context: Context,
): ReadonlySet<Node> | undefined {
  for (const { rule, matchers } of context.table.rulesFor(root)) {
    let touched: ReadonlySet<Node> | undefined
    let refusal: Refusal | undefined
    const started = context.trace ? performance.now() : 0
    const accept = (found: Readonly<Record<string, unknown>>) => {
      const made = workshop(rule, found, root)
      const answer = 'refused' in made ? made : now.replace(root, made)
      if ('refused' in answer) {
        refusal ??= answer
        return false
      }
      touched = answer.touched
      for (const node of touched) scope.learn(node)
      return true
    }
    for (const matcher of matchers) if (match(surroundings, matcher, root, accept)) break
    if (context.trace && (touched || refusal?.refused)) {
      const seconds = (performance.now() - started) / 1000
      const why = touched ? {} : { declined: refusal!.refused, ...(refusal!.failed ? { failed: true as const } : {}) }
      context.trace({ kind: 'rule', rule: rule.name, at: describe(root), seconds, ...why })
    }
    if (touched) return touched
  }
  return undefined
}

/** Lets a rule build what is to replace a root aside, so that nothing has happened yet if it declines. */
type Workshop = (rule: Rule, found: Readonly<Record<string, unknown>>, root: Node) => Made | Refusal

/** The workshop of a body: its tools are the same for all rules, what they make is put together anew for each. */
function workshopOf({ attributes }: Surroundings, now: Live, scope: LiveScope, { fresh }: Context): Workshop {
  let nodes: Node[] = []
  let constants = new Map<string, Tensor>()
  let name = ''
  let op: Ops | undefined
  const known = (ref: string) => (op ? op.known(ref) : scope.type(ref))
  const target = {
    add(made: NewNode) {
      const node = toNode(made)
      const type = known(node.inputs[0] ?? '')
      if (isTensorType(type) && !hasKernel(keyOf(node), type.dtype)) {
        throw new SinterError('not-supported', `the engine has no ${node.op} of ${type.dtype}`, { op: node.op })
      }
      nodes.push({ ...node, extra: { metadata: { [ruleKey]: name } } })
    },
    constant(hint: string, value: Tensor) {
      const given = fresh(hint)
      constants.set(given, value)
      return given
    },
    fresh,
  }
  const tools: Tools = {
    get op() {
      op ??= builder(target, scope)
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
  return (rule, found, root) => {
    if (nodes.length > 0) nodes = []
    if (constants.size > 0) constants = new Map()
    op = undefined
    name = rule.name
    try {
      const answer = rule.replace(found, tools)
      if (isDecline(answer)) return { refused: answer.declined }
      const results = typeof answer === 'string' ? [answer] : answer
      for (const [i, output] of root.outputs.entries()) {
        const result = results[i]
        if (output === '' || !result || result === output) continue
        const [before, after] = [scope.type(output), known(result)]
        if (contradict(before, after))
          return { refused: `'${output}' is ${formatType(before)}, and ${formatType(after)} would stand for it` }
      }
      return { nodes, constants, results }
    } catch (error) {
      if (!(error instanceof SinterError) || error === scope.failure) throw error
      // A rule that asks for what is not known (a fixed shape, a type) declines by asking; what it may not build is its fault.
      return error.code === 'not-supported' ? { refused: error.message } : { refused: error.message, failed: true }
    }
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
  /** What was thrown where the types of what was there could not be inferred: no rule is to blame for that. */
  readonly failure: unknown
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
  let failure: unknown
  function opened(): Scope {
    if (failure !== undefined) throw failure
    try {
      base ??= open()
      return base
    } catch (error) {
      failure = error
      throw error
    }
  }
  const type = (name: string) => learned.get(name) ?? base?.type(name)
  const scope: LiveScope = {
    get failure() {
      return failure
    },
    opset: domain => graph.opset[domain] ?? 1,
    type(name) {
      opened()
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
    inferBody: (body, inputs) => opened().inferBody(body, inputs),
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
