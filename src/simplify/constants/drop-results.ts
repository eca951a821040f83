import { mapBodies } from '../../graph/edit.ts'
import { type Node, readsOf } from '../../graph/graph.ts'
import { keyOf } from '../../ops/spec.ts'

/**
 * An If, Loop or Scan without the results that nothing reads: an If's in both of its branches, a loop's states that only
 * make themselves, and what it collects of each iteration. The node itself if all are read.
 */
export function dropResults(node: Node, read: ReadonlySet<string>): Node {
  if (node.outputs.every(name => name !== '' && read.has(name))) return node
  const isRead = (i: number) => node.outputs[i] !== '' && read.has(node.outputs[i]!)
  switch (keyOf(node)) {
    case 'If':
      return dropFrom(node, isRead, 0)
    case 'Loop':
      return dropFrom(node, isRead, node.inputs.length - 2)
    case 'Scan': {
      const scanned = node.attributes.num_scan_inputs
      // The lists of axes and directions count outputs too.
      const listed = ['scan_output_axes', 'scan_output_directions'].some(name => node.attributes[name])
      if (scanned?.type !== 'int' || listed) return node
      return dropFrom(node, isRead, node.inputs.length - Number(scanned.value))
    }
    default:
      return node
  }
}

/** Drops results; the first `states` of them go back into the body, and stay where what is left of it needs them. */
function dropFrom(node: Node, isRead: (i: number) => boolean, states: number): Node {
  // A Loop takes a limit and a condition before the states; its body takes a counter for the limit, and gives no counter.
  const before = keyOf(node) === 'Loop' ? { given: 2, inputs: 2, outputs: 1 } : { given: 0, inputs: 0, outputs: 0 }
  const gone = new Set(node.outputs.keys())
  for (const i of gone) if (isRead(i)) gone.delete(i)
  if (states > 0) keepNeeded(gone, node, before, states)
  // A node must give something, or it is dead as a whole.
  if (gone.size === 0 || gone.size === node.outputs.length) return node
  const without = <T>(list: readonly T[], offset: number, most = Number.POSITIVE_INFINITY) =>
    list.filter((_, k) => k < offset || k - offset >= most || !gone.has(k - offset))
  const attributes = mapBodies(node, body => ({
    ...body,
    inputs: without(body.inputs, before.inputs, states),
    outputs: without(body.outputs, before.outputs),
  }))
  return { ...node, inputs: without(node.inputs, before.given, states), outputs: without(node.outputs, 0), attributes }
}

/** Takes out of the results to drop those states that what stays is made of, until no more follow from that. */
function keepNeeded(
  gone: Set<number>,
  node: Node,
  before: { readonly inputs: number; readonly outputs: number },
  states: number,
): void {
  const { body } = node.attributes
  if (body?.type !== 'graph') {
    gone.clear()
    return
  }
  const producers = new Map(body.value.nodes.flatMap(one => one.outputs.map(output => [output, one] as const)))
  const stateOf = new Map(
    body.value.inputs.slice(before.inputs, before.inputs + states).map(({ name }, i) => [name, i]),
  )
  const open = body.value.outputs.filter((_, k) => !gone.has(k - before.outputs)).map(({ name }) => name)
  const seen = new Set(open)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const producer = producers.get(name)
    const more = producer ? [...readsOf(producer)] : []
    const state = stateOf.get(name)
    if (state !== undefined && gone.delete(state)) more.push(body.value.outputs[state + before.outputs]!.name)
    for (const read of more) {
      if (seen.has(read)) continue
      seen.add(read)
      open.push(read)
    }
  }
}
