import { numbers } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import type { Tools } from '../../rewrite/rule.ts'
import {
  flattenedLayout,
  type Layout,
  type Move,
  reshapedLayout,
  squeezedLayout,
  transposedLayout,
  unsqueezedLayout,
  type Wanted,
} from './layout.ts'

/** Operators that give a tensor's elements another shape or order, and do nothing else. */
export const layoutOps = ['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten'] as const

type LayoutTools = Pick<Tools, 'attributes' | 'constant' | 'type'>

export function isLayoutNode(node: Node): boolean {
  return node.domain === '' && (layoutOps as readonly string[]).includes(node.op)
}

/** The layout after one more node; undefined where it cannot be said. */
export function follow(layout: Layout, node: Node, tools: LayoutTools): Layout | undefined {
  const rank = layout.result.length
  switch (node.op) {
    case 'Transpose': {
      const { perm } = tools.attributes(node) as { perm?: readonly number[] }
      return transposedLayout(layout, perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i))
    }
    case 'Flatten': {
      const { axis } = tools.attributes(node) as { axis: number }
      return flattenedLayout(layout, countedAxis(axis, rank))
    }
    case 'Unsqueeze': {
      const axes = wholeNumbers(node.inputs[1], tools)
      return axes && unsqueezedLayout(layout, counted(axes, rank + axes.length))
    }
    case 'Squeeze': {
      const axes = node.inputs[1]
        ? wholeNumbers(node.inputs[1], tools)
        : layout.result.flatMap((axis, i) => (axis.length === 0 ? [i] : []))
      // Without a list all axes of size 1 go, and a symbol may stand for 1.
      const fixed = layout.sizes.every(size => typeof size === 'number')
      return axes && (node.inputs[1] || fixed) ? squeezedLayout(layout, counted(axes, rank)) : undefined
    }
    case 'Reshape': {
      const wanted = wantedOf(layout, node, tools)
      return wanted && reshapedLayout(layout, wanted)
    }
    default:
      return undefined
  }
}

function wantedOf(layout: Layout, node: Node, tools: LayoutTools): readonly Wanted[] | undefined {
  const { allowzero } = tools.attributes(node)
  const target = wholeNumbers(node.inputs[1], tools)
  if (target) {
    return target.map((size, axis): Wanted => {
      if (size === -1) return 'rest'
      return size === 0 && !allowzero ? (layout.result[axis] ?? 0) : size
    })
  }
  const shape = tools.type(node.outputs[0]!)?.shape
  if (!shape || shape.filter(size => size === '').length > 1) return undefined
  return shape.map((size): Wanted => (size === '' ? 'rest' : size))
}

function counted(axes: readonly number[], rank: number): readonly number[] {
  return axes.map(axis => countedAxis(axis, rank))
}

/** The numbers in a constant. */
export function wholeNumbers(ref: Ref | undefined, { constant }: Pick<Tools, 'constant'>): number[] | undefined {
  const value = ref ? constant(ref) : undefined
  return value && Array.from(numbers(value))
}

/** Builds what a plan says, on top of a value. */
export function emitMoves(op: Ops, x: Ref, moves: readonly Move[]): Ref {
  return moves.reduce((ref, move) => {
    switch (move.op) {
      case 'Transpose':
        return op.Transpose([ref], { perm: move.perm })
      case 'Reshape':
        return op.Reshape([ref, op.ints(move.target)])
      case 'Flatten':
        return op.Flatten([ref], { axis: move.axis })
      default:
        return op[move.op]([ref, op.ints(move.axes)])
    }
  }, x)
}
