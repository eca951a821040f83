import { isTensorType, type ValueType } from '../base/shape.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import type { InferredType } from '../ops/operator.ts'
import type { Axis } from './axes.ts'

/** Stands for the size in question; no model can name a dimension like this. */
const marker = '\u0000size'

/**
 * The node, if any, that makes data of the size of an axis that `reader` reads: as attention divides by the root of its
 * width. Where a size only goes into other shapes, these follow by themselves when channels leave, but such a number
 * would change.
 *
 * Found by inferring again with a symbol in the size's place: what the symbol reaches depends on the size.
 */
export function sizeUsedAsData(graph: Graph, scope: Scope, reader: Node, axis: Axis): Node | undefined {
  const { isOutput } = view(graph)
  const marked = new Map<string, ValueType | InferredType>()
  const inner: Scope = { ...scope, type: name => marked.get(name) ?? scope.type(name) }
  const type = scope.type(axis.value) as InferredType
  marked.set(axis.value, { ...type, shape: type.shape!.map((dim, i) => (i === axis.axis ? marker : dim)) })
  for (const node of graph.nodes) {
    if (node !== reader && !node.inputs.some(name => name !== axis.value && marked.has(name))) continue
    const [before, after] = [inferNode(node, scope), inferNode(node, inner)]
    for (const [i, name] of node.outputs.entries()) {
      const [known, found] = [before[i], after[i]]
      if (name === '' || !isTensorType(known) || !isTensorType(found)) continue
      if (`${known.shape}` !== `${found.shape}`) continue // read as a size: the shape follows
      const { value } = found as InferredType
      if (value && !value.some(dim => `${dim}`.includes(marker))) continue // of other sizes
      if (!value || isOutput(name)) return node
      marked.set(name, found)
    }
  }
  return undefined
}
