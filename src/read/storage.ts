import type { DType } from '../base/dtype.ts'
import { type Tensor, tensorBytes } from '../base/tensor.ts'
import { type Body, bodiesOf, type Graph, type Node } from '../graph/graph.ts'
import { constantOf } from '../ops/generate.ts'

/** A tensor that a model carries: an initializer, or what a Constant node holds. */
export interface StoredTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly bytes: number
  /** The first node of the graph itself that reads it, there or in its bodies; undefined where nothing does. */
  readonly reader: Node | undefined
}

/** Where a model's bytes are. A tensor under two names counts once. */
export interface Storage {
  readonly bytes: number
  /** Largest first. */
  readonly tensors: readonly StoredTensor[]
  readonly dtypes: readonly { readonly dtype: DType; readonly tensors: number; readonly bytes: number }[]
  /** Bytes of the tensors whose first reader a node is. */
  readonly byNode: ReadonlyMap<Node, number>
}

/** The tensors of a graph and of the bodies inside of it. Tensors in attributes of other nodes than Constant are no weights. */
export function storageOf(graph: Graph): Storage {
  const found = new Map<Tensor, { name: string; value: Tensor; reader: Node | undefined }>()
  const visit = (body: Body, around: (name: string) => Tensor | undefined, inside: Node | undefined) => {
    const local = new Map<string, Tensor>(body.initializers)
    for (const node of body.nodes) {
      const value = constantOf(node)
      if (value) local.set(node.outputs[0]!, value)
    }
    for (const [name, value] of local) if (!found.has(value)) found.set(value, { name, value, reader: undefined })
    const constant = (name: string) => local.get(name) ?? around(name)
    for (const node of body.nodes) {
      const reader = inside ?? node
      for (const name of node.inputs) {
        const entry = name === '' ? undefined : found.get(constant(name) as Tensor)
        if (entry) entry.reader ??= reader
      }
      for (const inner of bodiesOf(node)) visit(inner, constant, reader)
    }
  }
  visit(graph, () => undefined, undefined)
  const tensors = Array.from(found.values(), ({ name, value, reader }): StoredTensor => {
    return { name, dtype: value.dtype, shape: value.shape, bytes: tensorBytes(value), reader }
  }).sort((a, b) => b.bytes - a.bytes)
  const dtypes = new Map<DType, { dtype: DType; tensors: number; bytes: number }>()
  const byNode = new Map<Node, number>()
  for (const { dtype, bytes, reader } of tensors) {
    const sum = dtypes.get(dtype) ?? { dtype, tensors: 0, bytes: 0 }
    sum.tensors++
    sum.bytes += bytes
    dtypes.set(dtype, sum)
    if (reader) byNode.set(reader, (byNode.get(reader) ?? 0) + bytes)
  }
  return {
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    tensors,
    dtypes: [...dtypes.values()].sort((a, b) => b.bytes - a.bytes),
    byNode,
  }
}
