import { isFloat } from '../base/dtype.ts'
import { elementCount } from '../base/shape.ts'
import type { Graph } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { typedCallOf } from '../read/coupling.ts'
import { type NarrowOptions, narrow, type Removal, withAttributes } from './narrow.ts'

/** How large a graph is. */
export interface Size {
  /** Elements of the initializers and constants that hold floating point numbers. */
  readonly parameters: number
  /** Multiply-accumulates of one run; undefined where a dimension they depend on has no size. */
  readonly macs: number | undefined
}

/** How large a graph will be when channels have left, without copying a number. */
export function sizeAfter(graph: Graph, removals: readonly Removal[], options: NarrowOptions = {}): Size {
  const { type, kept, changes, before } = narrow(graph, removals, options)
  const scope: Scope = { ...before, type }
  let macs: number | undefined = 0
  for (const node of graph.nodes) {
    const operator = operatorOf(node)
    const change = changes.get(node)
    const cost = operator?.cost(typedCallOf(change ? withAttributes(node, change) : node, scope)).macs ?? Number.NaN
    macs = macs === undefined || Number.isNaN(cost) ? undefined : macs + cost
  }
  const names = [
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(node => (node.inputs.length === 0 ? node.outputs : [])),
  ]
  const parameters = names.reduce((count, name) => {
    const value = before.constant(name)
    if (!value || !isFloat(value.dtype)) return count
    return count + elementCount(value.shape.map((size, axis) => kept.get(name)?.[axis]?.length ?? size))
  }, 0)
  return { parameters, macs }
}
