import { messageOf, SinterError } from '../base/errors.ts'
import { formatType, isTensorType, type TensorType } from '../base/shape.ts'
import { lazyTensor, type Tensor } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import { describe, type Graph } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { infer, type Types } from '../read/infer.ts'
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
  const pruned = apply(graph, narrowing, takeAll)
  verify(pruned, narrowing)
  return pruned
}

/**
 * What `removeChannels` would give, with parameters that are cut when they are first read: for asking what it would be
 * like. Refuses as `removeChannels` does.
 */
export function outline(graph: Graph, removals: readonly Removal[]): Graph {
  const narrowing = narrow(graph, removals)
  if (narrowing.kept.size === 0) return graph
  const outlined = apply(graph, narrowing, (t, axes) => {
    const shape = t.shape.map((size, axis) => axes[axis]?.length ?? size)
    return lazyTensor(t.dtype, shape, () => takeAll(t, axes).data)
  })
  verify(outlined, narrowing)
  return outlined
}

type Kept = readonly (readonly number[] | undefined)[]

function takeAll(t: Tensor, axes: Kept): Tensor {
  return axes.reduce((cut, indices, axis) => (indices ? take(cut, axis, indices) : cut), t)
}

function apply(graph: Graph, { kept, changes, before }: Narrowing, cut: (t: Tensor, axes: Kept) => Tensor): Graph {
  const { producer, consumers, isOutput } = view(graph)
  return edit(graph, draft => {
    for (const [name, axes] of kept) {
      draft.types.delete(name)
      const value = before.constant(name)
      if (!value) continue
      // A constant that a node makes becomes an initializer of the same name.
      const maker = producer(name)
      if (maker) draft.remove(maker)
      draft.initializers.set(name, cut(value, axes))
    }
    for (const [node, change] of changes) {
      const inputs = [...node.inputs]
      for (const [key, value] of Object.entries(change.inputs ?? {})) {
        const i = Number(key)
        const old = node.inputs[i] ?? ''
        while (inputs.length <= i) inputs.push('')
        const uses = node.inputs.filter(name => name === old).length
        const own = graph.initializers.has(old) && consumers(old).length === 1 && uses === 1 && !isOutput(old)
        if (own) draft.initializers.set(old, value)
        else inputs[i] = draft.constant(old || `${node.outputs[0]}_constant`, value)
      }
      draft.replace(node, { ...withAttributes(node, change), inputs })
    }
    // Initializers may stand among the inputs too, as defaults.
    draft.inputs.forEach((value, i) => {
      const initial = draft.initializers.get(value.name)
      if (initial && initial !== graph.initializers.get(value.name)) {
        draft.inputs[i] = { ...value, type: { dtype: initial.dtype, shape: initial.shape } }
      }
    })
  })
}

/** Every value must have become what its channels say. */
function verify(graph: Graph, { type }: Narrowing): void {
  const advice = 'Simplify the graph first, or leave the group out.'
  let types: Types
  try {
    types = infer(graph)
  } catch (error) {
    throw new SinterError('not-supported', `Without the channels, ${messageOf(error)} ${advice}`, {}, error)
  }
  for (const node of graph.nodes) {
    for (const name of node.outputs) {
      const [found, expected] = [types.get(name), type(name)]
      if (!isTensorType(found) || !isTensorType(expected) || agree(found, expected)) continue
      throw new SinterError(
        'not-supported',
        `Without the channels, ${describe(node)} makes ${formatType(found)} where ${formatType(expected)} should be. ${advice}`,
        { node: node.name, value: name },
      )
    }
  }
}

function agree(found: TensorType, expected: TensorType): boolean {
  const [a, b] = [found.shape, expected.shape]
  if (!a || !b) return true
  const fits = (i: number) => typeof a[i] === 'string' || typeof b[i] === 'string' || a[i] === b[i]
  return a.length === b.length && a.every((_, i) => fits(i))
}
