import { contradict, formatType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Node, Value } from '../graph/graph.ts'
import { isCommutative, type Side } from './diff-side.ts'

/** Which nodes, inputs and outputs of two graphs play the same role. */
export interface Matching {
  /** Nodes of the first by those of the second, both ways. */
  readonly toB: ReadonlyMap<Node, Node>
  readonly toA: ReadonlyMap<Node, Node>
  /** Inputs and outputs of the first, by name, and those of the second. */
  readonly inputs: ReadonlyMap<string, string>
  readonly outputs: ReadonlyMap<string, string>
}

/**
 * Matches the nodes of two graphs by role. First those that compute the same of the same: same operator, attributes and
 * constants, and operands that do, back to the inputs. From these, and from inputs and outputs, it goes on to neighbours
 * in both directions: those of the same form, then those that have the same name, then those of the same operator; and
 * at last to nodes of other operators that make a value of the same name.
 */
export function matchNodes(a: Side, b: Side, idOf: (t: Tensor) => number): Matching {
  const inputs = matchValues(inputsOf(a), inputsOf(b))
  const toB = new Map<Node, Node>()
  const toA = new Map<Node, Node>()
  const strict: (readonly [Node, Node])[] = []
  const loose: (readonly [Node, Node])[] = []
  let done = 0
  const join = (one: Node, other: Node) => {
    toB.set(one, other)
    toA.set(other, one)
    strict.push([one, other])
    loose.push([one, other])
  }
  const fits = (one: Node, other: Node, exact: boolean) =>
    !toB.has(one) &&
    !toA.has(other) &&
    (exact ? a.form(one) === b.form(other) : one.op === other.op && one.domain === other.domain)

  matchEqual(a, b, inputs, idOf, join)
  // A guess to go on from; which outputs belong together is decided by the nodes that make them.
  const guessed = matchValues(a.graph.outputs, b.graph.outputs)
  const around = (exact: boolean) => {
    for (const [one, other] of inputs) alongUses(one, other, exact)
    for (const [one, other] of guessed) backwards(one, other, exact)
  }
  around(true)
  settle(true)
  anchors((one, other) => fits(one, other, false))
  settle(true)
  around(false)
  settle(false)
  anchors(() => true)
  settle(false)
  return { toB, toA, inputs, outputs: matchOutputs(a, b, toB) }

  /** Readers of two values that are the same, at the same place. */
  function alongUses(one: string, other: string, exact: boolean): void {
    const candidates = b.uses(other).filter(({ node }) => !toA.has(node))
    for (const { node, port } of a.uses(one)) {
      const found = candidates.filter(use => fits(node, use.node, exact) && (use.port === port || isCommutative(node)))
      const best = found.find(use => use.node.name === node.name) ?? found.find(use => use.port === port) ?? found[0]
      if (best) join(node, best.node)
    }
  }

  /** Makers of two values that are the same. */
  function backwards(one: string, other: string, exact: boolean): void {
    const [made, makes] = [a.producer(one), b.producer(other)]
    if (made && makes && made.index === makes.index && fits(made.node, makes.node, exact)) join(made.node, makes.node)
  }

  function neighbours([one, other]: readonly [Node, Node], exact: boolean): void {
    one.outputs.forEach((name, i) => {
      const counterpart = other.outputs[i]
      if (name !== '' && counterpart) alongUses(name, counterpart, exact)
    })
    const [reads, others] = [a.operands(one), b.operands(other)]
    reads.forEach((name, i) => {
      if (name !== '' && others[i]) backwards(name, others[i], exact)
    })
  }

  /** Goes on from what is matched; whatever is found exactly comes before what is not. */
  function settle(exact: boolean): void {
    for (;;) {
      const next = strict.pop()
      if (next) {
        neighbours(next, true)
        continue
      }
      const wide = exact ? undefined : loose[done++]
      if (!wide) return
      neighbours(wide, false)
    }
  }

  /** Nodes of one name, or that make a value of one name. */
  function anchors(accepts: (one: Node, other: Node) => boolean): void {
    const byName = new Map<string, Node>()
    for (const node of b.nodes) if (node.name !== '' && !toA.has(node)) byName.set(node.name, node)
    for (const node of a.nodes) {
      if (toB.has(node)) continue
      const made = b.producer(node.outputs[0] ?? '')?.node
      const named = byName.get(node.name)
      const other = [made, named].find(one => one && !toA.has(one) && accepts(node, one))
      if (other) join(node, other)
    }
  }
}

/** Pairs nodes that compute the same, by numbers that only equal computations share. */
function matchEqual(
  a: Side,
  b: Side,
  inputs: ReadonlyMap<string, string>,
  idOf: (t: Tensor) => number,
  join: (one: Node, other: Node) => void,
): void {
  const known = new Map<string, number>()
  const intern = (key: string) => {
    const id = known.get(key) ?? known.size
    known.set(key, id)
    return id
  }
  const numbered = (side: Side, ids: Map<string, number>): ReadonlyMap<Node, number> => {
    const found = new Map<Node, number>()
    const idOfValue = (name: string): number => {
      if (name === '') return -1
      const value = side.constant(name)
      return ids.get(name) ?? intern(value ? `constant ${idOf(value)}` : `${side === a ? 'a' : 'b'} ${name}`)
    }
    for (const node of side.nodes) {
      const reads = side.operands(node).map(idOfValue)
      if (isCommutative(node)) reads.sort((x, y) => x - y)
      const id = intern(`${side.form(node)}<${reads}>`)
      found.set(node, id)
      for (const [i, name] of node.outputs.entries()) ids.set(name, intern(`${id}.${i}`))
    }
    return found
  }
  const starts = [...inputs].map(([one, other], i) => [one, other, intern(`input ${i}`)] as const)
  const first = new Map(numbered(a, new Map(starts.map(([one, , id]) => [one, id]))))
  const second = numbered(b, new Map(starts.map(([, other, id]) => [other, id])))
  const open = new Map<number, Node[]>()
  for (const [node, id] of second) {
    const list = open.get(id)
    if (list) list.push(node)
    else open.set(id, [node])
  }
  // Of several that compute the same, those of one name belong together.
  for (const byName of [true, false]) {
    for (const [node, id] of first) {
      const list = open.get(id)
      if (!list || list.length === 0) continue
      const at = byName
        ? list.findIndex(({ name, outputs }) => name === node.name && outputs[0] === node.outputs[0])
        : 0
      if (at < 0) continue
      join(node, list.splice(at, 1)[0]!)
      first.delete(node)
    }
  }
}

/** Outputs of one name, and those left that matched nodes make in the same place. */
function matchOutputs(a: Side, b: Side, toB: ReadonlyMap<Node, Node>): ReadonlyMap<string, string> {
  const left = new Set(b.graph.outputs.map(({ name }) => name))
  const matched = new Map<string, string>()
  for (const { name } of a.graph.outputs) if (left.delete(name)) matched.set(name, name)
  for (const { name } of a.graph.outputs) {
    const made = matched.has(name) ? undefined : a.producer(name)
    const other = made && toB.get(made.node)?.outputs[made.index]
    if (other !== undefined && left.delete(other)) matched.set(name, other)
  }
  return matched
}

function inputsOf({ graph, inputs }: Side): readonly Value[] {
  const fed = new Set(inputs)
  return graph.inputs.filter(({ name }) => fed.has(name))
}

/** Inputs or outputs of one name; those left, in order, where their types are the same, and then where they may be. */
function matchValues(a: readonly Value[], b: readonly Value[]): ReadonlyMap<string, string> {
  const names = new Set(b.map(({ name }) => name))
  const matched = new Map(a.filter(({ name }) => names.has(name)).map(({ name }) => [name, name]))
  const left = b.filter(({ name }) => !matched.has(name))
  const equal = (one: Value, other: Value) => formatType(one.type) === formatType(other.type)
  const possible = (one: Value, other: Value) => !contradict(one.type, other.type)
  for (const fits of [equal, possible]) {
    for (const value of a) {
      if (matched.has(value.name)) continue
      const at = left.findIndex(other => fits(value, other))
      if (at >= 0) matched.set(value.name, left.splice(at, 1)[0]!.name)
    }
  }
  return matched
}
