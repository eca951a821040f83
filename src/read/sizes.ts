import { SinterError } from '../base/errors.ts'
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
  const around: Scope = { ...scope, type: name => marked.get(name) ?? scope.type(name) }
  const whole = scope.type(axis.value) as InferredType
  const asRead = { ...whole, shape: whole.shape!.map((dim, i) => (i === axis.axis ? marker : dim)) }
  const ofReader: Scope = { ...scope, type: name => (name === axis.value ? asRead : scope.type(name)) }
  for (const node of graph.nodes) {
    if (node !== reader && !node.inputs.some(name => marked.has(name))) continue
    const before = inferNode(node, scope)
    const after = attempt(() => inferNode(node, node === reader ? ofReader : around))
    if (!after) continue // only a size can be refused for what it is
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

function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute()
  } catch (error) {
    if (error instanceof SinterError) return undefined
    throw error
  }
}
