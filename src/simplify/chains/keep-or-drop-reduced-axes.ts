import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import { reducing } from '../../ops/kinds.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { type Layout, layoutOf, planOf, squeezedLayout, unsqueezedLayout } from './layout.ts'
import { emitMoves, follow, isLayoutNode, layoutOps, wholeNumbers } from './layout-node.ts'
import { statedBy } from './sink.ts'

const withKeepdims = [...reducing, 'ArgMax', 'ArgMin'] as readonly ('ReduceSum' | 'ArgMax')[]

/**
 * A reduction keeps the axes that it reduces, or drops them, as suits the Squeeze, Unsqueeze or Reshape that follows: the
 * chain after it is shorter then, or gone.
 */
export const keepOrDropReducedAxes = rule({
  name: 'keep-or-drop-reduced-axes',
  match: ({ op, rest, either }) => either(...layoutOps.map(name => op[name]([rest('inputs')]).as('node'))),
  replace({ node: { node: root } }, tools) {
    const chain = [root]
    let above = tools.producer(root.inputs[0]!)
    for (
      ;
      above && isLayoutNode(above) && tools.uses(above.outputs[0]!) === 1;
      above = tools.producer(above.inputs[0]!)
    ) {
      chain.unshift(above)
    }
    const name = withKeepdims.find(op => above?.domain === '' && above.op === op)
    if (!above || !name || tools.uses(above.outputs[0]!) > 1) return tools.decline('it follows no reduction')
    const keeps = tools.attributes(above).keepdims !== 0
    let layout = flipped(above, keeps, tools)
    for (const node of chain) layout = layout && follow(layout, node, tools)
    const moves = layout && planOf(layout)
    if (!moves || moves.length >= chain.length) return tools.decline('fewer nodes would not do')
    const inputs = above.inputs.map(ref => (ref === '' ? null : ref))
    const attributes = { ...statedBy(above, tools), keepdims: keeps ? 0 : 1 }
    return emitMoves(tools.op, tools.op.many(name, 1, inputs, attributes)[0]!, moves)
  },
})

/** The output of a reduction as it is, seen from how it would be with its axes kept, or dropped. */
function flipped(node: Node, keeps: boolean, tools: Tools): Layout | undefined {
  const shape = tools.type(node.inputs[0]!)?.shape
  const given = node.op.startsWith('Arg')
    ? [Number(tools.attributes(node).axis ?? 0)]
    : wholeNumbers(node.inputs[1], tools)
  if (!shape || !given || given.length === 0) return undefined
  const axes = given.map(axis => countedAxis(axis, shape.length))
  if (!keeps) {
    return squeezedLayout(layoutOf(shape.map((size, axis) => (axes.includes(axis) ? 1 : size))), axes)
  }
  return unsqueezedLayout(layoutOf(shape.filter((_, axis) => !axes.includes(axis))), axes)
}
