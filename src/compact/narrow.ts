import { messageOf, SinterError } from '../base/errors.ts'
import { isTensorType, shapeOf, type ValueType } from '../base/shape.ts'
import { describe, type Graph, type Node } from '../graph/graph.ts'
import { type Scope, typedCallOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import type { InferredType, Pruned, Pruning } from '../ops/operator.ts'
import { keyOf, type OpName, toAttributes } from '../ops/spec.ts'
import { type ChannelGroup, indicesOf } from '../read/coupling.ts'
import { infer, scopeOf } from '../read/infer.ts'

/** Slots of a group that are to leave. */
export interface Removal {
  readonly group: ChannelGroup
  readonly slots: ArrayLike<number>
}

/** What a graph becomes when channels leave, in types and attributes: nothing is copied yet. */
export interface Narrowing {
  /** The values that get narrower: by axis the indices that stay, undefined where all do. */
  readonly kept: ReadonlyMap<string, readonly (readonly number[] | undefined)[]>
  /** A value's type afterwards. */
  type(name: string): ValueType | undefined
  /** Nodes with other attributes or constants. */
  readonly changes: ReadonlyMap<Node, Pruned>
  /** What is known of the graph around a node. */
  readonly before: Scope
}

/** @throws SinterError `invalid-argument` if nothing of an axis would be left. */
export function narrow(graph: Graph, removals: readonly Removal[]): Narrowing {
  const before = scopeOf(graph, infer(graph))
  const kept = keptIndices(removals)
  const narrowed = new Map<string, InferredType>()
  for (const [name, axes] of kept) {
    const type = before.type(name)
    if (!isTensorType(type) || !type.shape) continue
    narrowed.set(name, { dtype: type.dtype, shape: type.shape.map((dim, axis) => axes[axis]?.length ?? dim) })
  }
  const type = (name: string) => narrowed.get(name) ?? before.type(name)
  const changes = new Map<Node, Pruned>()
  for (const node of graph.nodes) {
    if (![...node.inputs, ...node.outputs].some(name => kept.has(name))) continue
    const rule = operatorOf(node)?.prune
    if (!rule || rule === 'same') continue
    const shapes = (names: readonly string[]) => names.map(name => shapeOf(type(name)))
    const call: Pruning = {
      ...typedCallOf(node, before),
      after: { inputs: shapes(node.inputs), outputs: shapes(node.outputs) },
      kept: (side, index, axis) => kept.get((side === 'in' ? node.inputs : node.outputs)[index] ?? '')?.[axis],
    }
    try {
      changes.set(node, rule(call))
    } catch (error) {
      const code = error instanceof SinterError ? error.code : 'not-supported'
      throw new SinterError(code, `${describe(node)}: ${messageOf(error)}`, { node: node.name }, error)
    }
  }
  return { kept, type, changes, before }
}

/** The node with the attributes that it has afterwards. */
export function withAttributes(node: Node, { attributes = {} }: Pruned): Node {
  const merged = { ...node.attributes, ...toAttributes(keyOf(node) as OpName, attributes) }
  for (const [name, value] of Object.entries(attributes)) if (value === undefined) delete merged[name]
  return { ...node, attributes: merged }
}

function keptIndices(removals: readonly Removal[]): Map<string, (readonly number[] | undefined)[]> {
  const leaving = new Map<string, (Uint8Array | undefined)[]>()
  for (const { group, slots } of removals) {
    if (slots.length === 0) continue
    for (const axis of group.axes) {
      let axes = leaving.get(axis.value)
      if (!axes) {
        axes = new Array<Uint8Array | undefined>(axis.rank).fill(undefined)
        leaving.set(axis.value, axes)
      }
      const marks = (axes[axis.axis] ??= new Uint8Array(axis.size))
      for (let s = 0; s < slots.length; s++) for (const i of indicesOf(axis, slots[s]!)) marks[i] = 1
    }
  }
  const kept = new Map<string, (readonly number[] | undefined)[]>()
  for (const [name, axes] of leaving) {
    kept.set(
      name,
      axes.map((marks, axis) => {
        if (!marks) return undefined
        const indices: number[] = []
        marks.forEach((gone, i) => {
          if (!gone) indices.push(i)
        })
        if (indices.length > 0) return indices
        throw new SinterError('invalid-argument', `Nothing would be left of '${name}' along axis ${axis}.`, {
          value: name,
          axis,
        })
      }),
    )
  }
  return kept
}
