import type { TensorType } from '../../base/shape.ts'
import type { Tensor } from '../../base/tensor.ts'
import { type NewNode, node } from '../../graph/edit.ts'
import { emptyGraph, type Graph, type Value } from '../../graph/graph.ts'

export interface Parts {
  readonly inputs: Readonly<Record<string, TensorType>>
  readonly outputs: Readonly<Record<string, TensorType | undefined>>
  readonly nodes: readonly NewNode[]
  readonly initializers?: Readonly<Record<string, Tensor>>
}

/** A small graph written out by hand. */
export function graphOf({ inputs, outputs, nodes, initializers = {} }: Parts): Graph {
  const values = (types: Readonly<Record<string, TensorType | undefined>>): Value[] =>
    Object.entries(types).map(([name, type]) => ({ name, type }))
  return {
    ...emptyGraph('test'),
    inputs: values(inputs),
    outputs: values(outputs),
    nodes: nodes.map(node),
    initializers: new Map(Object.entries(initializers)),
  }
}

/** float32 of a shape. */
export function f32(...shape: readonly (number | string)[]): TensorType {
  return { dtype: 'float32', shape }
}
