import type { Random } from '../../base/random.ts'
import { isTensorType } from '../../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../../base/tensor.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { callOf, inferNode } from '../call.ts'
import { eachPosition, sources, take } from '../elements.ts'
import type { IndexMap, InferredType, Link, No, Operator, Port, Pruning, TypedCall } from '../operator.ts'
import { type OpName, toAttributes } from '../spec.ts'
import { type OneNode, oneNode, type Sample } from './sample.ts'

type Run = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => Promise<Readonly<Record<string, Tensor>>>
export type EachPair = (map: IndexMap, from: number, to: number, visit: (from: number, to: number) => void) => void

/** Outputs of a node some of whose channels have left, and of the whole node with these channels set to zero. */
export interface ComparedPruning {
  readonly what: string
  readonly pruned: readonly Tensor[]
  readonly masked: readonly Tensor[]
}

/** At most so many groups of a sample are tried. */
const most = 6

/**
 * Takes groups of coupled channels out of a node's inputs, and compares with setting them to zero in the whole node:
 * outside of the channels that leave the outputs must be the same.
 */
export async function comparePrunings(
  record: Operator,
  sample: Sample,
  stream: Random,
  run: Run,
  eachPair: EachPair,
): Promise<ComparedPruning[]> {
  const one = oneNode(record, sample, stream)
  const outputs = inferNode(one.node, one.scope).map(type => (isTensorType(type) ? (type as InferredType) : undefined))
  const call: TypedCall = { ...callOf(one.node, one.scope), outputs }
  const links = (record.coupling as Exclude<typeof record.coupling, No>)(call)
  const shapeAt = ([side, i]: Port) => (side === 'in' ? call.inputs : call.outputs)[i]?.shape as readonly number[]
  const groups = groupsOf(links, port => shapeAt(port)[port[2]]!, eachPair)
  const compared: ComparedPruning[] = []
  for (const group of someOf(groups)) {
    const masked = one.inputs.map((t, i) => (t ? zeroed(t, leaving(group, 'in', i)) : undefined))
    const cut = one.inputs.map((t, i) => (t ? without(t, leaving(group, 'in', i)) : undefined))
    const whole = await run(...withInputs(one, one.node, masked))
    const after = {
      inputs: cut.map(t => t?.shape),
      outputs: call.outputs.map((type, i) =>
        type?.shape?.map((n, k) => Number(n) - (leaving(group, 'out', i).get(k)?.size ?? 0)),
      ),
    }
    const node = adapted(record, one.node, { ...call, after, kept: (...port) => kept(group, port, shapeAt(port)) }, cut)
    const results = await run(...withInputs(one, node, cut))
    compared.push({
      what: [...group.keys()].map(key => `${key} without ${[...group.get(key)!]}`).join('; '),
      pruned: node.outputs.map(name => results[name]!),
      masked: one.node.outputs.map((name, i) => without(whole[name]!, leaving(group, 'out', i))),
    })
  }
  return compared
}

/** Indices that leave, by port. */
type Group = ReadonlyMap<string, ReadonlySet<number>>

/** Sets of indices that leave together, smallest sets that the links allow, none of which empties an axis. */
function groupsOf(links: readonly Link[], sizeOf: (port: Port) => number, eachPair: EachPair): Group[] {
  const neighbours = new Map<string, Set<string>>()
  const reached = new Map<string, Set<number>>()
  const ports = new Map<string, Port>()
  const join = (a: string, b: string) => neighbours.set(a, (neighbours.get(a) ?? new Set()).add(b))
  for (const { from, to, map } of links) {
    for (const port of [from, to]) {
      ports.set(`${port}`, port)
      if (!reached.has(`${port}`)) reached.set(`${port}`, new Set())
    }
    eachPair(map, sizeOf(from), sizeOf(to), (i, j) => {
      reached.get(`${from}`)!.add(i)
      reached.get(`${to}`)!.add(j)
      join(`${from}:${i}`, `${to}:${j}`)
      join(`${to}:${j}`, `${from}:${i}`)
    })
  }
  const groups: Group[] = []
  const seen = new Set<string>()
  for (const [key, port] of ports) {
    for (let i = 0; i < sizeOf(port); i++) {
      const group = new Map<string, Set<number>>()
      const open = [`${key}:${i}`]
      if (port[0] === 'out' && !reached.get(key)!.has(i)) continue
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        if (seen.has(at)) continue
        seen.add(at)
        const [where, index] = at.split(':') as [string, string]
        group.set(where, (group.get(where) ?? new Set()).add(Number(index)))
        open.push(...(neighbours.get(at) ?? []))
      }
      if (group.size > 0 && [...group].every(([where, gone]) => gone.size < sizeOf(ports.get(where)!)))
        groups.push(group)
    }
  }
  return groups
}

/** A few groups from all over the list, which goes from port to port. */
function someOf(groups: readonly Group[]): readonly Group[] {
  if (groups.length <= most) return groups
  return Array.from({ length: most }, (_, i) => groups[Math.floor((i * groups.length) / most)]!)
}

function leaving(group: Group, side: 'in' | 'out', index: number): ReadonlyMap<number, ReadonlySet<number>> {
  const found = new Map<number, ReadonlySet<number>>()
  for (const [key, gone] of group) {
    const [where, i, axis] = key.split(',')
    if (where === side && Number(i) === index) found.set(Number(axis), gone)
  }
  return found
}

function kept(group: Group, port: Port, shape: readonly number[]): readonly number[] | undefined {
  const gone = group.get(`${port}`)
  return gone && Array.from({ length: shape[port[2]]! }, (_, i) => i).filter(i => !gone.has(i))
}

function zeroed(t: Tensor, gone: ReadonlyMap<number, ReadonlySet<number>>): Tensor {
  if (gone.size === 0) return t
  const values = Array.from(numbers(t))
  eachPosition(t.shape, (position, flat) => {
    if (position.some((i, axis) => gone.get(axis)?.has(i))) values[flat] = 0
  })
  return fromNumbers(t.dtype, t.shape, values)
}

function without(t: Tensor, gone: ReadonlyMap<number, ReadonlySet<number>>): Tensor {
  if (gone.size === 0) return t
  const stays = t.shape.map((size, axis) =>
    Array.from({ length: size }, (_, i) => i).filter(i => !gone.get(axis)?.has(i)),
  )
  const shape = stays.map(list => list.length)
  return take(
    t,
    shape,
    sources(shape, t.shape, position => position.map((i, axis) => stays[axis]![i]!)),
  )
}

/** The node as its record adapts it. Constants that the record replaces take their places among the inputs. */
function adapted(record: Operator, node: Node, call: Pruning, inputs: (Tensor | undefined)[]): Node {
  if (record.prune === 'same') return node
  const { attributes = {}, inputs: constants = {} } = record.prune(call)
  for (const [i, t] of Object.entries(constants)) inputs[Number(i)] = t
  const changed = { ...node.attributes, ...toAttributes(record.type as OpName, attributes) }
  for (const [name, value] of Object.entries(attributes)) if (value === undefined) delete changed[name]
  return { ...node, attributes: changed, inputs: inputs.map((t, i) => (t ? `x${i}` : '')) }
}

/** The graph of one node over other inputs: constants stay constants. */
function withInputs(
  one: OneNode,
  node: Node,
  inputs: readonly (Tensor | undefined)[],
): [Graph, Record<string, Tensor>] {
  const initializers = new Map<string, Tensor>()
  const feeds: Record<string, Tensor> = {}
  inputs.forEach((t, i) => {
    if (!t) return
    const name = `x${i}`
    if (one.graph.inputs.some(input => input.name === name)) feeds[name] = t
    else initializers.set(name, t)
  })
  const typed = Object.entries(feeds).map(([name, t]) => ({ name, type: { dtype: t.dtype, shape: t.shape } }))
  return [{ ...one.graph, nodes: [node], inputs: typed, initializers }, feeds]
}
