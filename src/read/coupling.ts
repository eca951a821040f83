import { messageOf, SinterError } from '../base/errors.ts'
import { isTensorType } from '../base/shape.ts'
import { type Body, bodiesOf, capturesOf, describe, type Graph, type Node, requiredInputs } from '../graph/graph.ts'
import { asked, type Scope, typedCallOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { isNo, type Link, type Port } from '../ops/operator.ts'
import { type Axis, type AxisTable, axisTable, mostIndices } from './axes.ts'
import { gatherGroups } from './channel-groups.ts'
import { eachPair, isSame } from './index-map.ts'
import { infer, scopeOf } from './infer.ts'
import { sizeUsedAsData } from './sizes.ts'

/** One axis of a value that some of a group's channels lie on. */
export interface GroupAxis {
  readonly value: string
  readonly axis: number
  readonly size: number
  /** Whether the value is a parameter (an initializer or constant): what is physically cut. */
  readonly parameter: boolean
  /** Rank of the value. */
  readonly rank: number
  /** Slot s lies at `indices[starts[s]]` up to but without `indices[starts[s + 1]]`. */
  readonly starts: Int32Array
  readonly indices: Int32Array
}

/**
 * Channels that can leave independently of each other, each with all that leaves with it, and which lie on the same
 * axes: the filters of a layer, say. A slot is one of them. Slots are numbered in the order of their channels.
 */
export interface ChannelGroup {
  /** The first weight that the group lies on, with `#2`... where several groups share that. */
  readonly name: string
  readonly slots: number
  /** In the order of the graph, producers first. */
  readonly axes: readonly GroupAxis[]
}

/** A parameter's axis some of whose channels cannot leave, though the layers that read it would let them. */
export interface PinnedAxis {
  readonly value: string
  readonly axis: number
  readonly size: number
  /** How many of its indices stay. */
  readonly pinned: number
  readonly reason: string
}

/** Which channels of a graph can leave, and together with which others. */
export interface Coupling {
  readonly groups: readonly ChannelGroup[]
  readonly pinned: readonly PinnedAxis[]
}

const known = new WeakMap<Graph, Coupling>()

/**
 * The coupled channel groups of a graph, as the dependency graph of Fang et al. ("DepGraph: Towards Any Structural
 * Pruning", CVPR 2023) has them, but found by joining single indices of axes along the links that each node's record
 * states. Whatever touches an input or output of the graph, or a node that has no answer, stays.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function couple(graph: Graph): Coupling {
  let coupling = known.get(graph)
  if (!coupling) {
    coupling = findGroups(graph)
    known.set(graph, coupling)
  }
  return coupling
}

/** Where a slot of a group lies: what leaves when it does. */
export function entriesOf(group: ChannelGroup, slot: number): { axis: GroupAxis; indices: Int32Array }[] {
  return group.axes.map(axis => ({ axis, indices: indicesOf(axis, slot) }))
}

/** The indices of one slot on an axis, ascending. */
export function indicesOf({ starts, indices }: GroupAxis, slot: number): Int32Array {
  return indices.subarray(starts[slot]!, starts[slot + 1]!)
}

function findGroups(graph: Graph): Coupling {
  const scope = scopeOf(graph, infer(graph))
  const table = axisTable(scope)
  for (const { name } of requiredInputs(graph)) table.pinValue(name, `'${name}' is an input of the graph`)
  for (const { name } of graph.outputs) table.pinValue(name, `'${name}' is an output of the graph`)
  const joined: NodeLinks[] = []
  for (const node of graph.nodes) {
    // A node that only holds a constant is a parameter by another name.
    if (node.inputs.length === 0 && node.outputs.every(name => scope.constant(name))) continue
    for (const body of bodiesOf(node)) pinCaptures(table, node, body)
    const links = linksOf(node, scope)
    if (typeof links === 'string') pinAll(table, [...node.inputs, ...node.outputs], links)
    else joined.push(resolve(node, links, table))
  }
  for (const { node, links } of joined) {
    for (const { from, to, map } of links) {
      // Linked to itself, an axis is free: the node reads its size at most.
      if (from !== to || map !== 'same' || from.reason) continue
      const user = sizeUsedAsData(graph, scope, node, from)
      if (user) table.pin(from, `${describe(user)} computes with the size of '${from.value}', axis ${from.axis}`)
    }
  }
  table.spread()
  for (const { node, links } of joined) join(node, links, table)
  return gatherGroups(table)
}

interface ResolvedLink {
  readonly from: Axis
  readonly to: Axis
  readonly map: Link['map']
  /** The output's axis, in a link from an input to an output. */
  readonly output: Axis | undefined
}

interface NodeLinks {
  readonly node: Node
  readonly links: readonly ResolvedLink[]
}

/** The links of a node, or why it has none. */
function linksOf(node: Node, scope: Scope): readonly Link[] | string {
  const operator = operatorOf(node)
  if (!operator) return `${describe(node)} is an operator that Sinter has no record of`
  const { coupling } = operator
  if (isNo(coupling)) return `${describe(node)}: ${coupling.no}`
  for (const name of [...node.inputs, ...node.outputs]) {
    const type = name === '' ? undefined : scope.type(name)
    if (name !== '' && !(isTensorType(type) && type.shape)) return `the rank of '${name}' is not known`
  }
  return asked(node, () => coupling(typedCallOf(node, scope)))
}

/** Finds the axes that a node's links speak of, and pins those that they do not. */
function resolve(node: Node, links: readonly Link[], table: AxisTable): NodeLinks {
  const axisAt = ([side, index, axis]: Port): Axis => {
    const found = table.axesOf((side === 'in' ? node.inputs : node.outputs)[index] ?? '')[axis]
    if (found) return found
    throw new SinterError('invalid-graph', `${describe(node)}: its coupling names ${side} ${index}, axis ${axis}.`)
  }
  const touched = new Set<string>()
  const resolved = links.map(({ from, to, map }): ResolvedLink => {
    // What an output is made of must be said: a link among outputs alone does not.
    if (from[0] === 'in' || to[0] === 'in') touched.add(`${from}`).add(`${to}`)
    const [a, b] = [axisAt(from), axisAt(to)]
    const output = from[0] === to[0] ? undefined : from[0] === 'out' ? a : b
    if (a.size === undefined || b.size === undefined) {
      for (const end of [a, b]) table.pin(end, `${describe(node)} couples it with an axis whose size is not fixed`)
    } else if (a !== b && isSame(map, a.size, b.size)) table.tie(a, b)
    a.channels = true
    b.channels = true
    return { from: a, to: b, map, output }
  })
  for (const [side, names] of [['in', node.inputs] as const, ['out', node.outputs] as const]) {
    names.forEach((name, index) => {
      for (const axis of table.axesOf(name)) {
        if (!touched.has(`${[side, index, axis.axis]}`)) table.pin(axis, `${describe(node)} needs all of it`)
      }
    })
  }
  return { node, links: resolved }
}

/** Joins the indices that a node's links relate. */
function join(node: Node, links: readonly ResolvedLink[], table: AxisTable): void {
  const reached = new Map<Axis, Uint8Array | true>()
  for (const { from, to, map, output } of links) {
    if (from.reason !== undefined && to.reason !== undefined) continue
    if (Math.max(from.size!, to.size!) > mostIndices) {
      const [open, long] = from.reason === undefined ? [from, to] : [to, from]
      for (let i = 0; i < open.size!; i++) table.pinIndex(open, i, long.reason!)
      continue
    }
    const whole = isSame(map, from.size!, to.size!)
    let seen: Uint8Array | undefined
    if (output && whole) reached.set(output, true)
    else if (output && output.reason === undefined && reached.get(output) !== true) {
      seen = (reached.get(output) as Uint8Array | undefined) ?? new Uint8Array(output.size!)
      reached.set(output, seen)
    }
    try {
      eachPair(map, from.size!, to.size!, (i, j) => {
        table.join(from, i, to, j)
        if (seen) seen[output === from ? i : j] = 1
      })
    } catch (error) {
      throw new SinterError('invalid-graph', `${describe(node)}: ${messageOf(error)}.`, { node: node.name }, error)
    }
  }
  for (const [axis, seen] of reached) {
    if (seen === true) continue
    seen.forEach((is, i) => {
      if (!is) table.pinIndex(axis, i, `${describe(node)} makes it of nothing that could leave`)
    })
  }
}

function pinCaptures(table: AxisTable, node: Node, body: Body): void {
  for (const name of capturesOf(body)) pinAll(table, [name], `'${name}' is read inside of ${describe(node)}`)
}

/** Pins what a node touches that says nothing of channels. */
function pinAll(table: AxisTable, values: readonly string[], reason: string): void {
  for (const axis of values.flatMap(table.axesOf)) {
    axis.channels = true
    table.pin(axis, reason)
  }
}
