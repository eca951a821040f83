import type { TensorType } from '../../src/base/shape.ts'
import { edit } from '../../src/graph/edit.ts'
import { emptyGraph, type Graph } from '../../src/graph/graph.ts'
import { renameValues } from '../../src/graph/rename.ts'
import { builder, type Ops, type Ref } from '../../src/ops/build.ts'
import { infer, scopeOf } from '../../src/read/infer.ts'

type Inputs = Readonly<Record<string, TensorType>>

/** A small graph for a test: nodes as the function builds them, outputs under the names of what it returns. */
export function makeGraph<I extends Inputs>(
  inputs: I,
  build: (op: Ops, values: { readonly [K in keyof I]: Ref }) => Readonly<Record<string, Ref>>,
): Graph {
  const values = Object.entries(inputs).map(([name, type]) => ({ name, type }))
  const empty: Graph = { ...emptyGraph('test'), inputs: values }
  const made: Record<string, Ref> = {}
  const graph = edit(empty, draft => {
    const op = builder(draft, scopeOf(empty, infer(empty)))
    Object.assign(made, build(op, Object.fromEntries(values.map(({ name }) => [name, name])) as never))
    for (const ref of Object.values(made)) draft.outputs.push({ name: ref, type: undefined })
  })
  const names = new Map(Object.entries(made).map(([name, ref]) => [ref, name]))
  const named = renameValues(graph, name => (name in inputs ? name : (names.get(name) ?? name)))
  const types = infer(named)
  return { ...named, outputs: named.outputs.map(({ name }) => ({ name, type: types.get(name) })) }
}

export function f32(...shape: readonly (number | string)[]): TensorType {
  return { dtype: 'float32', shape }
}
