import {
  type Dim,
  exactQuotient,
  isFixed,
  multiplyDims,
  productOf,
  type Shape,
  sameDim,
  shapeOf,
} from '../base/shape.ts'
import { int64s, numbers, type Tensor } from '../base/tensor.ts'
import type { Node } from '../graph/graph.ts'
import type { Scope } from '../ops/call.ts'

/** A new constant for an input of a node, or why there is none. */
export type Refit = { readonly input: number; readonly value: Tensor } | { readonly why: string }

/**
 * What must change in a node so that it goes with new sizes of its inputs: the constant target of a Reshape, into which
 * the old size was burnt. undefined where nothing must.
 *
 * A changed dimension is the outermost factor of an axis of the input; everything to its right it moves over as one
 * block. It can become the outermost factor of that axis of the output whose block, with all to its right, is as long:
 * then every element stays in its place. Among several such axes (of size 1 beside it) the one in the same place is
 * taken, else the first.
 * @param before shapes as they were.
 */
export function refit(node: Node, scope: Scope, before: (name: string) => Shape | undefined): Refit | undefined {
  if (node.op !== 'Reshape' || node.domain !== '') return undefined
  const [x = '', target = ''] = node.inputs
  const [was, now] = [before(x), shapeOf(scope.type(x))]
  const constant = scope.constant(target)
  if (!was || !now || !constant || was.length !== now.length) return undefined
  const changed = now.flatMap((dim, axis) => (dim !== was[axis] ? [axis] : []))
  if (changed.length === 0) return undefined
  const made = before(node.outputs[0] ?? '')
  const wanted = Array.from(numbers(constant))
  if (!made) return { why: 'its output has no known shape' }
  // With sizes of which nothing is known there is nothing to count; an open entry may follow by itself.
  if ([...was, ...made].includes('')) {
    return wanted.some(entry => entry <= 0)
      ? undefined
      : { why: `the sizes around its target [${wanted}] are not known` }
  }
  const shape = [...made]
  const moved: { readonly from: number; readonly to: number }[] = []
  for (const axis of changed) {
    const to = landing(was, made, axis)
    if (to === undefined) return { why: `axis ${axis} of its input does not keep together in [${wanted}]` }
    const dim = scaled(made[to]!, was[axis]!, now[axis]!)
    if (dim === undefined)
      return { why: `axis ${to} of its output, ${made[to]}, is not made of whole blocks of ${was[axis]}` }
    shape[to] = dim
    moved.push({ from: axis, to })
  }
  const keepsZero = node.attributes.allowzero?.type !== 'int' || Number(node.attributes.allowzero.value) === 0
  const fits = (entries: readonly number[]) => sameAs(resolved(entries, now, keepsZero), shape)
  // As it is, it may do: a 0 or a -1 in the right place follows by itself.
  if (fits(wanted)) return undefined
  const entries = wanted.map((entry, axis): number | undefined => {
    const dim = shape[axis]!
    if (typeof dim === 'number') return dim
    if (keepsZero && axis < now.length && sameDim(now[axis]!, dim)) return 0
    return entry === -1 || !isFixed([made[axis]!]) || moved.some(({ to }) => to === axis) ? -1 : undefined
  })
  if (entries.some(entry => entry === undefined) || entries.filter(entry => entry === -1).length > 1)
    return { why: `its target [${wanted}] would need more than one open size` }
  return { input: 1, value: int64s(entries as number[]) }
}

/** The output axis that takes the place of an input axis: blocks to the right of both, axes included, are equally long. */
function landing(was: Shape, made: Shape, axis: number): number | undefined {
  const block = productOf(was.slice(axis))
  const qualifies = (k: number) => k < made.length && sameDim(productOf(made.slice(k)), block)
  if (qualifies(axis)) return axis
  const found = made.findIndex((_, k) => qualifies(k))
  return found < 0 ? undefined : found
}

/** A dimension with another factor in the place of one that it had. */
function scaled(dim: Dim, was: Dim, now: Dim): Dim | undefined {
  const rest = exactQuotient(dim, was)
  if (rest !== undefined) return multiplyDims(now, rest)
  // The input's axis is itself a product: n*4 where the output has 2 of the 4.
  const grown = exactQuotient(now, was)
  return grown === undefined ? undefined : multiplyDims(grown, dim)
}

/** The shape that a target stands for. */
function resolved(entries: readonly number[], from: Shape, keepsZero: boolean): Shape {
  const shape = entries.map((entry, axis): Dim => (entry === 0 && keepsZero ? (from[axis] ?? 0) : entry))
  const open = shape.indexOf(-1)
  if (open < 0) return shape
  const rest = exactQuotient(productOf(from), productOf(shape.toSpliced(open, 1)))
  return shape.with(open, rest ?? '')
}

function sameAs(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]!))
}
