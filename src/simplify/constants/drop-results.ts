import { mapBodies } from '../../graph/edit.ts'
import { type Body, capturesOf, type Node, readsOf } from '../../graph/graph.ts'
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

/** Drops results; the first `states` of them go back into the body, and stay where anything else in it needs them. */
function dropFrom(node: Node, isRead: (i: number) => boolean, states: number): Node {
  const bodies = Object.values(node.attributes).flatMap(one => (one.type === 'graph' ? [one.value] : []))
  // A Loop's body takes its counter and condition before the states, and gives its condition before the results.
  const before = keyOf(node) === 'Loop' ? { inputs: 2, outputs: 1 } : { inputs: 0, outputs: 0 }
  const gone = new Set<number>()
  for (let i = 0; i < node.outputs.length; i++) {
    if (isRead(i)) continue
    if (i < states && !bodies.every(body => isForItself(body, i, before))) continue
    gone.add(i)
  }
  // A node must give something, or it is dead as a whole.
  if (gone.size === 0 || gone.size === node.outputs.length) return node
  const without = <T>(list: readonly T[], offset: number, most = Number.POSITIVE_INFINITY) =>
    list.filter((_, k) => k < offset || k - offset >= most || !gone.has(k - offset))
  const attributes = mapBodies(node, body => ({
    ...body,
    inputs: without(body.inputs, before.inputs, states),
    outputs: without(body.outputs, before.outputs),
  }))
  const given = keyOf(node) === 'Loop' ? 2 : 0
  return {
    ...node,
    inputs: without(node.inputs, given, states),
    outputs: without(node.outputs, 0),
    attributes,
  }
}

/** Whether what a body does with a state is read by nothing but the state's next value. */
function isForItself(
  body: Body,
  state: number,
  before: { readonly inputs: number; readonly outputs: number },
): boolean {
  const name = body.inputs[state + before.inputs]?.name
  const next = state + before.outputs
  const open = body.outputs.filter((_, k) => k !== next).map(value => value.name)
  const producers = new Map(body.nodes.flatMap(one => one.outputs.map(output => [output, one] as const)))
  const seen = new Set(open)
  for (let read = open.pop(); read !== undefined; read = open.pop()) {
    if (read === name) return false
    const producer = producers.get(read)
    for (const more of producer ? readsOf(producer) : []) {
      if (seen.has(more)) continue
      seen.add(more)
      open.push(more)
    }
  }
  return name !== undefined && !capturesOf(body).has(name)
}
