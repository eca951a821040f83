import { type Draft, edit } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { builder, type Ops } from '../ops/build.ts'
import { infer, scopeOf } from './infer.ts'

/** Edits a graph with a builder at hand that knows the types of everything in it. */
export function extend(graph: Graph, change: (op: Ops, draft: Draft) => void): Graph {
  return edit(graph, draft => change(builder(draft, scopeOf(graph, infer(graph))), draft))
}
