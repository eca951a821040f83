import { scalar, tensor } from '../../src/base/tensor.ts'
import { attribute } from '../../src/graph/attributes.ts'
import { node } from '../../src/graph/edit.ts'
import type { Body, Node } from '../../src/graph/graph.ts'
import { broadcasts, isExact, isOwn, mayBroadcast, scalarOf } from './network-constants.ts'
import type { Made, Site, Step } from './network-site.ts'

function body(name: string, nodes: readonly Node[], outputs: readonly string[], inputs: Body['inputs'] = []): Body {
  return {
    name,
    inputs,
    outputs: outputs.map(output => ({ name: output, type: undefined })),
    nodes,
    initializers: new Map(),
    types: new Map(),
  }
}

/** A node with bodies, whose output types follow from what it was given. */
function emit({ op, draft }: Site, made: Node, like: Made): string {
  // The builder learns the type from a node whose output has it.
  draft.add(made)
  const result = op.Identity([like.ref])
  for (const one of draft.nodes()) {
    if (one.outputs[0] === result) draft.replace(one, { ...one, inputs: [made.outputs[0]!] })
  }
  return result
}

/** Nodes with bodies. */
export const bodies: Readonly<Record<string, Step>> = {
  If: site => {
    const { op, draft, value, make, below } = site
    const a = value(isOwn)
    const b = value(type => type.own && `${type.shape}` === `${a.shape}`)
    const bools = below(2) === 0 ? op.constant(tensor('bool', [], Uint8Array.of(below(2)))) : undefined
    const condition =
      bools ?? op.Greater([op.ReduceMax([value(isExact).ref], { keepdims: 0 }), scalarOf(site, below(3) - 1)])
    const [yes, no, out] = [draft.fresh('yes'), draft.fresh('no'), draft.fresh('if')]
    const branch = (type: string, name: string) =>
      body(name, [node({ op: type, name, inputs: [a.ref, b.ref], outputs: [name] })], [name])
    const made = node({
      op: 'If',
      name: out,
      inputs: [condition],
      outputs: [out],
      attributes: { then_branch: attribute.graph(branch('Add', yes)), else_branch: attribute.graph(branch('Max', no)) },
    })
    make(emit(site, made, a), a.exact && b.exact)
  },
  Loop: site => {
    const { op, draft, value, make, below } = site
    const a = value(isExact)
    const form = below(3)
    const names = ['i', 'going', 'state', 'next', 'still', 'loop', 'sum', 'total'].map(draft.fresh)
    const [iteration, going, state, next, still, out, sum, total] = names as [string, ...string[]]
    // A sum that is the same each time round. Where the loop never goes round, it need not even be one.
    const b = value(isExact)
    const c = value(type => isExact(type) && mayBroadcast(type, b))
    const steady = [
      node({ op: 'Add', inputs: [b.ref, c.ref], outputs: [sum!] }),
      node({ op: 'ReduceMax', inputs: [sum!], outputs: [total!], attributes: { keepdims: attribute.int(0) } }),
    ]
    const nodes = [
      node({ op: 'Identity', inputs: [going!], outputs: [still!] }),
      ...(form === 0 ? [] : steady),
      node({ op: 'Add', inputs: [state!, form === 0 ? a.ref : total!], outputs: [next!] }),
    ]
    const inputs = [
      { name: iteration!, type: { dtype: 'int64' as const, shape: [] } },
      { name: going!, type: { dtype: 'bool' as const, shape: [] } },
      { name: state!, type: { dtype: a.dtype, shape: a.shape } },
    ]
    const largest = () => op.ReduceMax([value(isExact).ref], { keepdims: 0 })
    const count = (ref: string) => op.Cast([ref], { to: 7 })
    const none = () => count(op.Min([largest(), scalarOf(site, 0)]))
    const open = () => count(op.Clip([largest(), scalarOf(site, 0), scalarOf(site, 3)]))
    const given = () => (below(2) === 0 ? op.constant(scalar('int64', below(4))) : open())
    const trips = form === 0 || (broadcasts(c, b) && below(2) === 0) ? given() : none()
    const condition = op.constant(tensor('bool', [], Uint8Array.of(1)))
    const made = node({
      op: 'Loop',
      name: out!,
      inputs: [trips, condition, a.ref],
      outputs: [out!],
      attributes: { body: attribute.graph(body('body', nodes, [still!, next!], inputs)) },
    })
    make(emit(site, made, a), true)
  },
}
