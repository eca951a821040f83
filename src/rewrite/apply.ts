import type { Tensor } from '../base/tensor.ts'
import { edit, mapBodies, namesOf } from '../graph/edit.ts'
import { freshNames } from '../graph/fresh-names.ts'
import { type Body, bodiesOf, describe, type Graph, type Node } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'
import { attributesOf } from '../ops/spec.ts'
import { withoutDefaults } from '../read/evaluate.ts'
import { infer, scopeOf } from '../read/infer.ts'
import { type Live, live, type Refusal } from './live.ts'
import { type LiveScope, scopeOfLive, scopesInside } from './live-scope.ts'
import { match, type Surroundings } from './match.ts'
import { type Pass, pass } from './pass.ts'
import type { Rule } from './rule.ts'
import { type RuleTable, ruleTable } from './rule-table.ts'
import type { Trace } from './trace.ts'
import { type Workshop, workshopOf } from './workshop.ts'

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
    const workshop = workshopOf(surroundings, now, scope, context.fresh)

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
