import type { Node } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import { broadcasting, pointwise } from '../../ops/kinds.ts'
import type { OpName } from '../../ops/spec.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { transposes } from './compose-layouts.ts'
import { type Layout, layoutOf, type Move, planOf } from './layout.ts'
import { arranged, broadcastLayout, composed, isIdentity, keyOfLayout } from './layout-algebra.ts'
import { emitMoves, follow, isLayoutNode, layoutOps } from './layout-node.ts'
import { isSingle, statedBy } from './sink.ts'

/** Nodes that are computed anew at most. */
const most = 64

/** Constants of at most so many elements are kept in a second arrangement. */
const small = 1024

/**
 * What elementwise nodes compute in one layout, they can compute in another. The layout below a region of them, or those
 * of a Concat's inputs, are asked of the region's inputs instead, where they meet the layouts that made these: if fewer
 * nodes are left that move data, or fewer copies, the whole region is computed that way.
 */
export const liftLayouts = rule({
  name: 'lift-layouts',
  match: ({ op, rest, either }) =>
    either(...([...layoutOps, 'Concat'] as const).map(name => op[name as 'Reshape']([rest('inputs')]).as('node'))),
  replace({ node: { node: root } }, tools) {
    const region = explore(root, tools)
    if (!region) return tools.decline('no elementwise nodes stand between layouts')
    const { gone, leaves, computed } = region
    const moves = leaves.flatMap(leaf => leaf.moves)
    const gain = 2 * (gone.length - moves.length) + transposes(gone) - transposes(moves)
    if (computed === 0 || gain <= 0 || moves.length > gone.length) return tools.decline('fewer nodes would not do')
    return build(root, region, tools)
  },
})

/** A value that a region reads in some layout. */
interface Want {
  readonly ref: Ref
  readonly layout: Layout
  readonly key: string
  /** How often nodes of the region read it so. */
  reads: number
}

interface Leaf {
  readonly key: string
  readonly source: Ref
  readonly moves: readonly Move[]
}

interface Region {
  /** What is read, by the value and the layout. */
  readonly wants: ReadonlyMap<string, Want>
  /** Values that are computed in the layout asked for, and those that layout nodes make of others. */
  readonly absorbed: ReadonlyMap<string, readonly (string | undefined)[]>
  readonly leaves: readonly Leaf[]
  readonly gone: readonly Node[]
  readonly computed: number
  /** What the root reads, by the place of the input. */
  readonly inputs: readonly (string | undefined)[]
}

function explore(root: Node, tools: Tools): Region | undefined {
  const { producer, uses, type, constant } = tools
  const wants = new Map<string, Want>()
  const absorbed = new Map<string, readonly (string | undefined)[]>()
  const gone: Node[] = isLayoutNode(root) ? [root] : []
  let computed = 0

  function want(ref: Ref, layout: Layout): string {
    const key = `${ref}\n${keyOfLayout(layout)}`
    const known = wants.get(key)
    if (known) known.reads++
    else wants.set(key, { ref, layout, key, reads: 1 })
    absorb(wants.get(key)!)
    return key
  }

  /** Looks through a value that nothing but the region reads, and only in this layout. */
  function absorb({ ref, layout, key, reads }: Want): void {
    const node = producer(ref)
    if (!node || absorbed.has(key) || uses(ref) !== reads || computed >= most) return
    if (isLayoutNode(node)) {
      const above = layoutAbove(node, layout, tools)
      if (!above) return
      gone.push(node)
      absorbed.set(key, [want(node.inputs[0]!, above)])
    } else if (!isIdentity(layout)) {
      const operands = operandsOf(node, layout, tools)
      if (!operands) return
      computed++
      absorbed.set(
        key,
        operands.map((one, i) => one && want(node.inputs[i]!, one)),
      )
    }
  }

  const inputs = root.inputs.map((ref, i) => {
    const shape = type(ref)?.shape
    if (isLayoutNode(root)) {
      const layout = shape && i === 0 ? follow(layoutOf(shape), root, tools) : undefined
      return layout && want(ref, layout)
    }
    const node = producer(ref)
    return node && isLayoutNode(node) && shape ? want(ref, layoutOf(shape)) : undefined
  })
  if (computed === 0 || (isLayoutNode(root) && inputs[0] === undefined)) return undefined
  const leaves: Leaf[] = []
  for (const one of wants.values()) {
    if (absorbed.has(one.key)) continue
    const leaf = constant(one.ref) ? { key: one.key, source: one.ref, moves: [] } : leafOf(one, tools)
    if (!leaf) return undefined
    leaves.push(leaf)
  }
  return { wants, absorbed, leaves, gone, computed, inputs }
}

function layoutAbove(node: Node, layout: Layout, tools: Tools): Layout | undefined {
  const shape = tools.type(node.inputs[0]!)?.shape
  const own = shape && follow(layoutOf(shape), node, tools)
  return own && composed(own, layout)
}

/** What a node asks of its operands so that it computes in a layout; undefined for an input that stays as it is. */
function operandsOf(node: Node, layout: Layout, tools: Tools): readonly (Layout | undefined)[] | undefined {
  if (node.domain !== '' || node.outputs.length !== 1) return undefined
  if (pointwise.has(node.op)) {
    const single = node.inputs.slice(1).every(ref => ref === '' || isSingle(ref, tools))
    return single ? [layout, ...node.inputs.slice(1).map(() => undefined)] : undefined
  }
  if (!broadcasting.has(node.op)) return undefined
  const to = tools.type(node.outputs[0]!)?.shape
  const shapes = node.inputs.map(ref => tools.type(ref)?.shape)
  if (!to || !shapes.every(shape => shape !== undefined)) return undefined
  // Operands of lower rank may stay so, if one has them all.
  const full = shapes.some(shape => shape.length === to.length)
  const operands = shapes.map(shape => broadcastLayout(layout, to, shape, full && shape.length < to.length))
  for (const [i, operand] of operands.entries()) {
    if (!operand) return undefined
    const value = tools.constant(node.inputs[i]!)
    if (!value || isIdentity(operand)) continue
    if ((value.data.length > small && tools.uses(node.inputs[i]!) > 1) || !arranged(value, operand)) return undefined
  }
  return operands
}

/** A value that stays, reached through layout nodes that may serve others too. */
function leafOf({ ref, layout, key }: Want, tools: Tools): Leaf | undefined {
  let best: Leaf | undefined
  let source = ref
  let current: Layout | undefined = layout
  while (current) {
    const moves = planOf(current)
    if (moves && moves.length < (best?.moves.length ?? Number.POSITIVE_INFINITY)) best = { key, source, moves }
    const node = tools.producer(source)
    if (!node || !isLayoutNode(node)) break
    current = layoutAbove(node, current, tools)
    source = node.inputs[0]!
  }
  return best
}

function build(root: Node, { wants, absorbed, leaves, inputs }: Region, tools: Tools): Ref {
  const { op, producer, constant } = tools
  const made = new Map<string, Ref>()
  for (const { key, source, moves } of leaves) {
    const { layout } = wants.get(key)!
    const value = constant(source)
    const moved = value && !isIdentity(layout) ? op.constant(arranged(value, layout)!, source) : undefined
    made.set(key, moved ?? emitMoves(op, source, moves))
  }
  function make(key: string): Ref {
    const known = made.get(key)
    if (known !== undefined) return known
    const node = producer(wants.get(key)!.ref)!
    const reads = absorbed.get(key)!
    const result = isLayoutNode(node) ? make(reads[0]!) : again(node, reads)
    made.set(key, result)
    return result
  }
  function again(node: Node, reads: readonly (string | undefined)[]): Ref {
    const operands = node.inputs.map((ref, i) => (reads[i] === undefined ? ref || null : make(reads[i])))
    return op.many(node.op as OpName, 1, operands, statedBy(node, tools))[0]!
  }
  return isLayoutNode(root) ? make(inputs[0]!) : again(root, inputs)
}
