import type { Node } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { dyingWith } from '../dying.ts'
import { type Layout, layoutOf, type Move, planOf } from './layout.ts'
import { emitMoves, follow, isLayoutNode, layoutOps } from './layout-node.ts'

/**
 * A chain of Reshape, Transpose, Squeeze, Unsqueeze and Flatten is one permutation of factored axes, and is written as
 * the fewest nodes that do the same. Transposes that move no element become Reshapes, which engines do without a copy.
 */
export const composeLayouts = rule({
  name: 'compose-layouts',
  match: ({ op, rest, either }) => either(...layoutOps.map(name => op[name]([rest('inputs')]).as('node'))),
  replace({ node: { node } }, tools) {
    const found = shortest(node, tools)
    if (!found) return tools.decline('no shorter chain does the same')
    return emitMoves(tools.op, found.source, found.moves)
  },
})

interface Chain {
  readonly source: Ref
  readonly moves: readonly Move[]
}

/** The best way to make a node's output from one of the values above it in its chain. */
function shortest(root: Node, tools: Tools): Chain | undefined {
  let best: (Chain & { readonly gain: number }) | undefined
  const chain: Node[] = []
  for (let node: Node | undefined = root; node && isLayoutNode(node); node = tools.producer(node.inputs[0]!)) {
    chain.unshift(node)
    const source = node.inputs[0]!
    const layout = layoutAlong(source, chain, tools)
    const moves = layout && planOf(layout)
    if (!moves) continue
    const dying = dyingWith(root, tools, [source])
    const gone = chain.filter(one => dying.has(one))
    // A node fewer, or a copy of all elements fewer.
    const gain = 2 * (gone.length - moves.length) + transposes(gone) - transposes(moves)
    if (gain > (best?.gain ?? 0) && moves.length <= gone.length) best = { source, moves, gain }
  }
  return best
}

export function transposes(nodes: readonly { readonly op: string }[]): number {
  return nodes.filter(({ op }) => op === 'Transpose').length
}

/** What a chain of nodes does to a value. */
export function layoutAlong(source: Ref, chain: readonly Node[], tools: Tools): Layout | undefined {
  const shape = tools.type(source)?.shape
  let layout = shape && layoutOf(shape)
  for (const node of chain) layout = layout && follow(layout, node, tools)
  return layout
}
