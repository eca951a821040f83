import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import { broadcasting } from '../../ops/kinds.ts'
import type { OpName } from '../../ops/spec.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { layoutAlong, transposes } from './compose-layouts.ts'
import { type Axis, type Layout, type Move, planOf, sameList } from './layout.ts'
import { emitMoves, isLayoutNode } from './layout-node.ts'
import { statedBy, underneath } from './sink.ts'

/** A value that a chain of layout nodes makes, and what the chain does. */
interface LaidOut {
  readonly source: Ref
  readonly chain: readonly Node[]
  readonly layout: Layout
}

/** The chain above a value, as far up as it serves nothing else; undefined where there is none. */
export function laidOut(ref: Ref, tools: Tools): LaidOut | undefined {
  const chain: Node[] = []
  let source = ref
  for (let node = tools.producer(source); node && isLayoutNode(node); node = tools.producer(source)) {
    if (tools.uses(source) > 1) break
    chain.unshift(node)
    source = node.inputs[0]!
  }
  const layout = chain.length > 0 ? layoutAlong(source, chain, tools) : undefined
  return layout && { source, chain, layout }
}

const joining = [...broadcasting] as readonly ('Add' | 'Where')[]

/** Where all operands that vary are laid out alike, the result is, once. */
export const joinLayouts = rule({
  name: 'join-layouts',
  match: ({ op, rest, either }) => either(...joining.map(name => op[name]([rest('inputs')]).as('node'))),
  replace({ node: { node } }, tools) {
    const { op, constant, decline } = tools
    const operands = node.inputs.map(ref => (constant(ref) ? undefined : laidOut(ref, tools)))
    const varying = node.inputs.flatMap((ref, i) => (constant(ref) ? [] : [i]))
    const [first, ...others] = varying.map(i => operands[i])
    if (!first || others.length === 0) return decline('its operands are not laid out')
    if (!others.every(other => other && sameLayout(first.layout, other.layout))) {
      return decline('its operands are laid out differently')
    }
    const moves = planOf(first.layout)
    const chains = varying.map(i => operands[i]!.chain)
    const distinct = new Set(chains.flat())
    if (!moves || moves.length >= distinct.size) return decline('fewer nodes would not do')
    const inputs = node.inputs.map((ref, i): Ref | undefined => {
      if (operands[i]) return operands[i].source
      const below = underneath(constant(ref)!, first.layout)
      return below && op.constant(below, 'constant')
    })
    if (inputs.includes(undefined)) return decline('a constant operand does not fit the layout before')
    return emitMoves(op, op.many(node.op as OpName, 1, inputs, statedBy(node, tools))[0]!, moves)
  },
})

/** Whether two layouts do the same to tensors of the same shape. */
function sameLayout(a: Layout, b: Layout): boolean {
  const alike = (x: readonly Axis[], y: readonly Axis[]) =>
    x.length === y.length && x.every((axis, i) => sameList(axis, y[i]!))
  const sizes = a.sizes.length === b.sizes.length && a.sizes.every((size, i) => size === b.sizes[i] && size !== '')
  return sizes && alike(a.source, b.source) && alike(a.result, b.result)
}

/** A layout after a Concat goes to its inputs, if it joins with theirs to fewer nodes, or to fewer copies. */
export const concatAfterLayout = rule({
  name: 'concat-after-layout',
  match: ({ op, rest }) =>
    op
      .Transpose([
        op
          .Concat([rest('inputs')])
          .once()
          .as('concat'),
      ])
      .as('root'),
  replace({ inputs, concat, root }, tools) {
    const { op, type, decline } = tools
    const rank = type(concat.node.outputs[0]!)?.shape?.length
    if (rank === undefined) return decline('the rank is not known')
    const perm = root.attributes.perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
    const axis = countedAxis(concat.attributes.axis, rank)
    const parts = inputs.map(ref => laidOut(ref, tools))
    const plans: { readonly source: Ref; readonly moves: readonly Move[] }[] = []
    for (const [i, part] of parts.entries()) {
      const shape = type(inputs[i]!)?.shape
      if (!shape) return decline('a shape is not known')
      const layout = part ? { ...part.layout, result: perm.map(from => part.layout.result[from]!) } : undefined
      const moves: readonly Move[] | undefined = layout ? planOf(layout) : [{ op: 'Transpose', perm }]
      if (!moves) return decline('an input is laid out in a way that cannot be said')
      plans.push({ source: part?.source ?? inputs[i]!, moves })
    }
    const gone = [root.node, ...new Set(parts.flatMap(part => part?.chain ?? []))]
    const made = plans.flatMap(({ moves }) => moves)
    const gain = 2 * (gone.length - made.length) + transposes(gone) - transposes(made)
    if (gain <= 0 || made.length > gone.length) return decline('fewer nodes would not do')
    const moved = plans.map(({ source, moves }) => emitMoves(op, source, moves))
    return op.Concat(moved, { axis: perm.indexOf(axis) })
  },
})
