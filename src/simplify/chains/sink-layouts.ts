import type { Node } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { layoutAlong, transposes } from './compose-layouts.ts'
import { type Move, planOf } from './layout.ts'
import { emitMoves, follow, isLayoutNode, layoutOps } from './layout-node.ts'
import { type Sunk, sink, sinkingInput } from './sink.ts'

/** Nodes between two chains of layout nodes at most. */
const reach = 12

/**
 * Layout nodes above and below a row of nodes that do not mind them become one chain, if that has fewer nodes or copies:
 * the nodes between compute on what the upper chain was given, and both chains follow as one.
 */
export const sinkLayouts = rule({
  name: 'sink-layouts',
  match: ({ op, rest, either }) => either(...layoutOps.map(name => op[name]([rest('inputs')]).as('node'))),
  replace({ node: { node } }, tools) {
    const found = between(node, tools)
    if (typeof found === 'string') return tools.decline(found)
    const { source, sunk, moves } = found
    const computed = sunk.reduce((x, one) => one.build(x), source)
    return emitMoves(tools.op, computed, moves)
  },
})

interface Between {
  readonly source: Ref
  readonly sunk: readonly Sunk[]
  readonly moves: readonly Move[]
}

function between(root: Node, tools: Tools): Between | string {
  const { producer, uses } = tools
  const row: { readonly node: Node; readonly at: number }[] = []
  let node = producer(root.inputs[0]!)
  let value = root.inputs[0]!
  while (node && !isLayoutNode(node)) {
    const at = sinkingInput(node, tools)
    if (at === undefined || uses(value) > 1 || row.length === reach) return 'nothing above it has a layout to sink'
    row.unshift({ node, at })
    value = node.inputs[at]!
    node = producer(value)
  }
  if (!node || row.length === 0) return 'nothing above it has a layout to sink'
  const above: Node[] = []
  for (; node && isLayoutNode(node) && uses(value) === 1; node = producer(value)) {
    above.unshift(node)
    value = node.inputs[0]!
  }
  let layout = above.length > 0 ? layoutAlong(value, above, tools) : undefined
  if (!layout) return 'the layout above serves others too, or cannot be said'
  const sunk: Sunk[] = []
  for (const { node, at } of row) {
    const one = sink(layout, node, at, tools)
    if (!one) return `a ${node.op} between minds the layout`
    sunk.push(one)
    layout = one.layout
  }
  const whole = follow(layout, root, tools)
  const moves = whole && planOf(whole)
  if (!moves) return 'what is left to do cannot be said'
  const gone = [...above, root]
  const gain = 2 * (gone.length - moves.length) + transposes(gone) - transposes(moves)
  return gain > 0 && moves.length <= gone.length ? { source: value, sunk, moves } : 'fewer nodes would not do'
}
