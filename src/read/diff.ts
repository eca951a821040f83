import { contentIds } from '../base/content.ts'
import { formatShape } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { type Graph, type Node, namedBodiesOf } from '../graph/graph.ts'
import { attributesOf, keyOf } from '../ops/spec.ts'
import { isCommutative, type Side, sideOf } from './diff-side.ts'
import { changeOf, comparableOperands, diffTensors, type Renamed, type TensorsDiff } from './diff-tensors.ts'
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

/** How two graphs differ in structure. Nodes that only hold constants count as tensors. */
export interface GraphDiff {
  readonly nodes: {
    readonly same: number
    readonly renamed: readonly (Renamed & { readonly operator: string })[]
    readonly changed: readonly ChangedNode[]
    readonly removed: readonly NodeName[]
    readonly added: readonly NodeName[]
  }
  readonly tensors: TensorsDiff
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
  const context: Context = { a, b, matching, idOf }
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
    tensors: diffTensors(a, b, matching, idOf),
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

function valuesDiff(a: readonly string[], b: readonly string[], matched: ReadonlyMap<string, string>): ValuesDiff {
  const reached = new Set(matched.values())
  return {
    renamed: [...matched].filter(([one, other]) => one !== other).map(([one, other]) => ({ a: one, b: other })),
    removed: a.filter(name => !matched.has(name)),
    added: b.filter(name => !reached.has(name)),
  }
}
