import { SinterError } from '../base/errors.ts'
import { formatType, isTensorType, type TensorType } from '../base/shape.ts'
import { edit } from '../graph/edit.ts'
import { describe, type Graph } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { infer } from '../read/infer.ts'
import { type Narrowing, narrow, type Removal, withAttributes } from './narrow.ts'
import { take } from './take.ts'

/**
 * The graph without some of its channels: parameters are cut, attributes and shape constants that count channels
 * follow, no value is renamed. Gives what the graph gives whose parameters are zero in those channels.
 * @throws SinterError `invalid-argument` if nothing of an axis would be left; `not-supported` if a node's output does not
 * follow (a shape that the graph computes in a way that Sinter cannot see through).
 */
export function removeChannels(graph: Graph, removals: readonly Removal[]): Graph {
  const narrowing = narrow(graph, removals)
  if (narrowing.kept.size === 0) return graph
  const pruned = apply(graph, narrowing)
  verify(pruned, narrowing)
  return pruned
}

function apply(graph: Graph, { kept, type, changes, before }: Narrowing): Graph {
  const { producer } = view(graph)
  return edit(graph, draft => {
    for (const [name, axes] of kept) {
      draft.types.delete(name)
      const value = before.constant(name)
      if (!value) continue
      const cut = axes.reduce((t, indices, axis) => (indices ? take(t, axis, indices) : t), value)
      // A constant that a node makes becomes an initializer of the same name.
      const maker = producer(name)
      if (maker) draft.remove(maker)
      draft.initializers.set(name, cut)
    }
    // Initializers may stand among the inputs too, as defaults.
    draft.inputs.forEach((value, i) => {
      if (kept.has(value.name)) draft.inputs[i] = { ...value, type: type(value.name) }
    })
    for (const [node, change] of changes) {
      const inputs = [...node.inputs]
      for (const [i, value] of Object.entries(change.inputs ?? {})) {
        while (inputs.length <= Number(i)) inputs.push('')
        inputs[Number(i)] = draft.constant(node.inputs[Number(i)] || `${node.outputs[0]}_constant`, value)
      }
      draft.replace(node, { ...withAttributes(node, change), inputs })
    }
  })
}

/** Every value must have become what its channels say. */
function verify(graph: Graph, { type }: Narrowing): void {
  const types = infer(graph)
  for (const node of graph.nodes) {
    for (const name of node.outputs) {
      const found = types.get(name)
      const expected = type(name)
      if (!isTensorType(found) || !isTensorType(expected) || agree(found, expected)) continue
      throw new SinterError(
        'not-supported',
        `Without the channels, ${describe(node)} makes ${formatType(found)} where ${formatType(expected)} should be. ` +
          'Simplify the graph first, or leave the group out.',
        { node: node.name, value: name },
      )
    }
  }
}

function agree(found: TensorType, expected: TensorType): boolean {
  const [a, b] = [found.shape, expected.shape]
  if (!a || !b) return true
  return (
    a.length === b.length && a.every((dim, i) => typeof dim === 'string' || typeof b[i] === 'string' || dim === b[i])
  )
}
