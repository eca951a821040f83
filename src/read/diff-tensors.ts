import { formatShape } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import { type Node, namedBodiesOf } from '../graph/graph.ts'
import type { Side } from './diff-side.ts'
import type { Matching } from './match-nodes.ts'

/** Two tensors of one role with other contents. */
export interface ChangedTensor {
  readonly a: string
  readonly b: string
  readonly change: string
  /** Of the elements, where types and shapes are the same and elements are numbers. */
  readonly maxAbsDifference: number | null
}

export interface Renamed {
  readonly a: string
  readonly b: string
}

/** How the tensors of two graphs differ. */
export interface TensorsDiff {
  readonly same: number
  readonly renamed: readonly Renamed[]
  readonly changed: readonly ChangedTensor[]
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

/** What two nodes read in the same places; bodies that do not do the same capture in no order that could be compared. */
export function comparableOperands(
  node: Node,
  other: Node,
  { a, b }: { readonly a: Side; readonly b: Side },
): readonly [readonly string[], readonly string[]] {
  const bodies = namedBodiesOf(node).length + namedBodiesOf(other).length > 0
  if (bodies && a.form(node) !== b.form(other)) return [node.inputs, other.inputs]
  return [a.operands(node), b.operands(other)]
}

/** How one tensor differs from another, in a few words. */
export function changeOf(x: Tensor, y: Tensor): string {
  const [before, after] = [x, y].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`)
  return before === after ? 'has other values' : `${before} became ${after}`
}

interface TensorMatching {
  /** Names of the first by those of the second, with both tensors. */
  readonly pairs: readonly { readonly a: string; readonly b: string; readonly x: Tensor; readonly y: Tensor }[]
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

/** Tensors by role: what matched nodes read in the same place; those left by content, and then by name. */
function matchTensors(a: Side, b: Side, { toB }: Matching, idOf: (t: Tensor) => number): TensorMatching {
  const [all, others] = [constantsOf(a), constantsOf(b)]
  const pairs: { a: string; b: string; x: Tensor; y: Tensor }[] = []
  const [left, right] = [new Map(all), new Map(others)]
  const join = (one: string, other: string) => {
    pairs.push({ a: one, b: other, x: left.get(one)!, y: right.get(other)! })
    left.delete(one)
    right.delete(other)
  }
  for (const [node, other] of toB) {
    const [reads, counterparts] = comparableOperands(node, other, { a, b })
    reads.forEach((name, i) => {
      const counterpart = counterparts[i]
      if (counterpart && left.has(name) && right.has(counterpart)) join(name, counterpart)
    })
  }
  const byContent = new Map<number, string[]>()
  for (const [name, value] of right) byContent.set(idOf(value), [...(byContent.get(idOf(value)) ?? []), name])
  for (const [name, value] of [...left]) {
    const list = byContent.get(idOf(value))
    const at = list ? Math.max(0, list.indexOf(name)) : -1
    const other = list?.splice(at, 1)[0]
    if (other !== undefined) join(name, other)
  }
  for (const name of [...left.keys()]) if (right.has(name)) join(name, name)
  return { pairs, removed: [...left.keys()], added: [...right.keys()] }
}

/** The constants that nodes of the graph itself read, by name. */
function constantsOf(side: Side): ReadonlyMap<string, Tensor> {
  const found = new Map<string, Tensor>()
  const add = (name: string) => {
    const value = name === '' ? undefined : side.constant(name)
    if (value) found.set(name, value)
  }
  for (const node of side.nodes) for (const name of side.operands(node)) add(name)
  for (const { name } of side.graph.outputs) add(name)
  return found
}

/** The difference of the tensors that the nodes of two graphs read. */
export function diffTensors(a: Side, b: Side, matching: Matching, idOf: (t: Tensor) => number): TensorsDiff {
  const { pairs, removed, added } = matchTensors(a, b, matching, idOf)
  const renamed: Renamed[] = []
  const changed: ChangedTensor[] = []
  let same = 0
  for (const { a, b, x, y } of pairs) {
    if (idOf(x) !== idOf(y)) changed.push({ a, b, change: changeOf(x, y), maxAbsDifference: largestDifference(x, y) })
    else if (a !== b) renamed.push({ a, b })
    else same++
  }
  return { same, renamed, changed, removed, added }
}

function largestDifference(x: Tensor, y: Tensor): number | null {
  if (
    x.dtype !== y.dtype ||
    `${x.shape}` !== `${y.shape}` ||
    !/^(bool|u?int(8|16|32|64)|b?float(16|32|64))$/.test(x.dtype)
  )
    return null
  const [p, q] = [numbers(x), numbers(y)]
  let largest = 0
  for (let i = 0; i < p.length; i++) if (p[i] !== q[i]) largest = Math.max(largest, Math.abs(p[i]! - q[i]!))
  return largest
}
