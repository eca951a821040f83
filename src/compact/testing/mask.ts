import { elementCount } from '../../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import { indicesOf } from '../../read/coupling.ts'
import { infer, scopeOf } from '../../read/infer.ts'
import type { Removal } from '../narrow.ts'

/** The graph with all constants as initializers, and every parameter set to zero along the channels that a removal takes: what pruning must equal. */
export function mask(graph: Graph, removals: readonly Removal[]): Graph {
  const { constant } = scopeOf(graph, infer(graph))
  const constants = graph.nodes.filter(node => constant(node.outputs[0]!))
  const initializers = new Map(graph.initializers)
  for (const { outputs } of constants) initializers.set(outputs[0]!, constant(outputs[0]!)!)
  for (const { group, slots } of removals) {
    for (const axis of group.axes) {
      if (!axis.parameter) continue
      const gone = new Set(Array.from(slots).flatMap(slot => Array.from(indicesOf(axis, slot))))
      initializers.set(axis.value, zeroed(initializers.get(axis.value)!, axis.axis, gone))
    }
  }
  return { ...graph, initializers, nodes: graph.nodes.filter(node => !constants.includes(node)) }
}

function zeroed(t: Tensor, axis: number, gone: ReadonlySet<number>): Tensor {
  const size = t.shape[axis]!
  const inner = elementCount(t.shape.slice(axis + 1))
  const values = Array.from(numbers(t), (value, i) => (gone.has(Math.floor(i / inner) % size) ? 0 : value))
  return fromNumbers(t.dtype, t.shape, values)
}
