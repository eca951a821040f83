import { contentIds } from '../base/content.ts'
import { formatShape } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import { type Graph, type Node, namedBodiesOf } from '../graph/graph.ts'
import { attributesOf, keyOf } from '../ops/spec.ts'
import { isCommutative, type Side, sideOf } from './diff-side.ts'
import { type Matching, matchNodes } from './match-nodes.ts'
import { layerName } from './summary.ts'

/** A node, in a list of differences. */
export interface NodeName {
  readonly name: string
  readonly operator: string
}

/** Two nodes of one role that do not do quite the same. */
export interface ChangedNode {
  readonly a: string
  readonly b: string
  readonly operator: string
  /** What differs, each in a few words. */
  readonly changes: readonly string[]
}

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

/** How two graphs differ in structure. Nodes that only hold constants count as tensors. */
export interface GraphDiff {
  readonly nodes: {
    readonly same: number
    readonly renamed: readonly (Renamed & { readonly operator: string })[]
    readonly changed: readonly ChangedNode[]
    readonly removed: readonly NodeName[]
    readonly added: readonly NodeName[]
  }
  readonly tensors: {
    readonly same: number
    readonly renamed: readonly Renamed[]
    readonly changed: readonly ChangedTensor[]
    readonly removed: readonly string[]
    readonly added: readonly string[]
  }
  readonly inputs: ValuesDiff
  readonly outputs: ValuesDiff
}

export interface ValuesDiff {
  readonly renamed: readonly Renamed[]
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

/**
 * The structural difference of two graphs: what was removed, added, changed or only renamed between the first and the
 * second. Nodes and tensors are matched by their roles (see `matchNodes`), so that a graph whose every name changed
 * differs in names alone. Both should be in one opset.
 */
export function diff(graphA: Graph, graphB: Graph): GraphDiff {
  const idOf = contentIds()
  const [a, b] = [sideOf(graphA, idOf), sideOf(graphB, idOf)]
  const matching = matchNodes(a, b, idOf)
  const tensors = matchTensors(a, b, matching, idOf)
  const context: Context = { a, b, matching, idOf, tensors }
  const renamed: (Renamed & { operator: string })[] = []
  const changed: ChangedNode[] = []
  let same = 0
  for (const node of a.nodes) {
    const other = matching.toB.get(node)
    if (!other) continue
    const changes = changesBetween(node, other, context)
    const [nameA, nameB] = [layerName(node), layerName(other)]
    const operator = keyOf(node) === keyOf(other) ? keyOf(node) : `${keyOf(node)} -> ${keyOf(other)}`
    if (changes.length > 0) changed.push({ a: nameA, b: nameB, operator, changes })
    else if (nameA !== nameB) renamed.push({ a: nameA, b: nameB, operator })
    else same++
  }
  const named = (node: Node): NodeName => ({ name: layerName(node), operator: keyOf(node) })
  return {
    nodes: {
      same,
      renamed,
      changed,
      removed: a.nodes.filter(node => !matching.toB.has(node)).map(named),
      added: b.nodes.filter(node => !matching.toA.has(node)).map(named),
    },
    tensors: tensorsDiff(tensors, idOf),
    inputs: valuesDiff(a.inputs, b.inputs, matching.inputs),
    outputs: valuesDiff(namesOf(graphA), namesOf(graphB), matching.outputs),
  }
}

/** Whether nothing differs but names. */
export function isSame({ nodes, tensors, inputs, outputs }: GraphDiff): boolean {
  return [nodes, tensors, inputs, outputs].every(
    part => part.removed.length + part.added.length + ('changed' in part ? part.changed.length : 0) === 0,
  )
}

interface Context {
  readonly a: Side
  readonly b: Side
  readonly matching: Matching
  readonly idOf: (t: Tensor) => number
  readonly tensors: TensorMatching
}

const namesOf = ({ outputs }: Graph) => outputs.map(({ name }) => name)

function changesBetween(node: Node, other: Node, context: Context): string[] {
  const { a, b } = context
  const changes: string[] = []
  if (keyOf(node) !== keyOf(other)) changes.push(`${keyOf(node)} became ${keyOf(other)}`)
  else if (a.form(node) !== b.form(other)) changes.push(...attributeChanges(node, other, context))
  const [reads, others] = comparableOperands(node, other, context)
  if (isCommutative(node) && reads.length === 2 && others.length === 2) {
    const straight = operandChanges(reads, others, context)
    const crossed = operandChanges(reads, [others[1]!, others[0]!], context)
    changes.push(...(crossed.length < straight.length ? crossed : straight))
  } else changes.push(...operandChanges(reads, others, context))
  const present = ({ outputs }: Node) => outputs.filter(name => name !== '').length
  if (present(node) !== present(other)) changes.push(`${present(node)} outputs became ${present(other)}`)
  return changes
}

/** What two nodes read in the same places; bodies that do not do the same capture in no order that could be compared. */
function comparableOperands(
  node: Node,
  other: Node,
  { a, b }: Pick<Context, 'a' | 'b'>,
): readonly [readonly string[], readonly string[]] {
  const bodies = namedBodiesOf(node).length + namedBodiesOf(other).length > 0
  if (bodies && a.form(node) !== b.form(other)) return [node.inputs, other.inputs]
  return [a.operands(node), b.operands(other)]
}

function attributeChanges(node: Node, other: Node, { a, b }: Context): string[] {
  const [x, y] = [node, other].map((one, i) => attributesOf(one, (i === 0 ? a : b).graph.opset[one.domain] ?? 1))
  const bodies = new Set([...namedBodiesOf(node), ...namedBodiesOf(other)].map(([name]) => name.replace(/\[.*/, '')))
  const text = (value: unknown): string => {
    if (value === undefined) return 'nothing'
    if (typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value)
      return `${value.dtype}${formatShape(value.shape as readonly number[])}`
    const json = JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? Number(one) : one)) ?? '?'
    return json.length > 40 ? `${json.slice(0, 39)}…` : json
  }
  const changes = [...new Set([...Object.keys(x!), ...Object.keys(y!)])].flatMap(name => {
    if (bodies.has(name)) return []
    const [before, after] = [text(x![name]), text(y![name])]
    return before === after ? [] : [`${name} ${before} became ${after}`]
  })
  // What is left is in the bodies, or in the elements of a tensor.
  return changes.length > 0 ? changes : [bodies.size > 0 ? 'what its bodies do' : 'an attribute']
}

/** Where operands come from; constants are compared by content. */
function operandChanges(reads: readonly string[], others: readonly string[], context: Context): string[] {
  const changes: string[] = []
  for (let i = 0; i < Math.max(reads.length, others.length); i++) {
    const [name, other] = [reads[i] ?? '', others[i] ?? '']
    const change = operandChange(name, other, context)
    if (change !== undefined) changes.push(`input ${i} ${change}`)
  }
  return changes
}

function operandChange(name: string, other: string, { a, b, matching, idOf }: Context): string | undefined {
  if (name === '' || other === '') return name === other ? undefined : name === '' ? 'was added' : 'was left out'
  const [x, y] = [a.constant(name), b.constant(other)]
  if (x && y) return idOf(x) === idOf(y) ? undefined : changeOf(x, y)
  if (x || y) return x ? 'is no constant any more' : 'became a constant'
  const [made, makes] = [a.producer(name), b.producer(other)]
  if (!made || !makes) return matching.inputs.get(name) === other ? undefined : `comes from '${other}'`
  if (matching.toB.get(made.node) === makes.node && made.index === makes.index) return undefined
  return `comes from ${keyOf(makes.node)} '${layerName(makes.node)}'`
}

function changeOf(x: Tensor, y: Tensor): string {
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

function tensorsDiff({ pairs, removed, added }: TensorMatching, idOf: (t: Tensor) => number): GraphDiff['tensors'] {
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

function valuesDiff(a: readonly string[], b: readonly string[], matched: ReadonlyMap<string, string>): ValuesDiff {
  const reached = new Set(matched.values())
  return {
    renamed: [...matched].filter(([one, other]) => one !== other).map(([one, other]) => ({ a: one, b: other })),
    removed: a.filter(name => !matched.has(name)),
    added: b.filter(name => !reached.has(name)),
  }
}
