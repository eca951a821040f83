import { exactQuotient, productOf, type Shape, sameDim } from '../../base/shape.ts'
import { float32s } from '../../base/tensor.ts'
import { rule } from '../../rewrite/rule.ts'
import { targetOf } from '../chains/layout.ts'
import type { Settings } from '../settings.ts'

/** The opset whose Flatten first takes elements of all types. */
const flattensAll = 9

/** The opset whose Reshape first takes a 0 for a size, if asked to. */
const saysZero = 14

/**
 * A Reshape whose computed target is known as numbers and symbols takes a constant one: 0 copies a symbol from the same
 * axis, and one size is left for -1. Where axes merge into two it is a Flatten, which leaves none open: a size is not to be
 * told where another is 0.
 */
export const constantReshape = ({ opset }: Pick<Settings, 'opset'>) =>
  rule({
    name: 'constant-reshape',
    match: ({ op, any }) => op.Reshape([any('x'), any('target')]).as('node'),
    replace({ x, target, node }, { op, type, constant, decline }) {
      if (constant(target)) return decline('the target is a constant')
      const [from, to] = [type(x)?.shape, type(node.node.outputs[0]!)?.shape]
      if (!from || !to) return decline('the rank is not known')
      if (to.every(dim => typeof dim === 'number')) {
        if (to.includes(0) && opset < saysZero) return decline('the opset has no Reshape to a size of 0')
        return op.Reshape([x, op.ints(to as number[])], to.includes(0) ? { allowzero: 1 } : {})
      }
      const sizes = targetOf(from, to)
      const split = sizes?.includes(-1) && opset >= flattensAll ? flattenedAt(from, to) : undefined
      if (split !== undefined) return op.Flatten([x], { axis: split })
      return sizes ? op.Reshape([x, op.ints(sizes)]) : decline('more than one size is neither fixed nor copied')
    },
  })

/** The axis at which a shape falls into two whose products are the sizes of another. */
function flattenedAt(from: Shape, to: Shape): number | undefined {
  if (to.length !== 2) return undefined
  for (let axis = 0; axis <= from.length; axis++) {
    const [front, back] = [productOf(from.slice(0, axis)), productOf(from.slice(axis))]
    if (sameDim(front, to[0]!) && sameDim(back, to[1]!)) return axis
  }
  return undefined
}

/** An Expand's computed target needs only the sizes that change: where x has the size already, 1 says as much. */
export const constantExpand = rule({
  name: 'constant-expand',
  match: ({ op, any }) => op.Expand([any('x'), any('target')]).as('node'),
  replace({ x, target, node }, { op, type, constant, decline }) {
    if (constant(target)) return decline('the target is a constant')
    const [from, to] = [type(x)?.shape, type(node.node.outputs[0]!)?.shape]
    if (!from || !to) return decline('the rank is not known')
    const added = to.length - from.length
    const sizes = to.map((dim, axis) => {
      if (axis >= added && sameDim(dim, from[axis - added]!)) return 1
      return typeof dim === 'number' ? dim : undefined
    })
    if (sizes.includes(undefined)) return decline('a size that changes is not fixed')
    return op.Expand([x, op.ints(sizes as number[])])
  },
})

/** A Resize to computed sizes that are the input's, times whole numbers, takes these for its scales. */
export const constantResize = rule({
  name: 'constant-resize',
  match: ({ op, any, maybe }) =>
    op
      .Resize([any('x'), maybe('roi'), maybe('scales'), any('sizes')])
      .where(({ axes, keep_aspect_ratio_policy }) => !axes && keep_aspect_ratio_policy === 'stretch')
      .as('node'),
  replace({ x, roi, sizes, node }, { op, type, constant, decline }) {
    if (constant(sizes)) return decline('the sizes are a constant')
    const [from, to] = [type(x)?.shape, type(sizes)?.value]
    if (!from || !to) return decline('the sizes are not known')
    const scales = to.map((dim, axis) => exactQuotient(dim, from[axis]!))
    if (!scales.every(scale => typeof scale === 'number' && scale > 0)) return decline('a scale is not a whole number')
    return op.Resize([x, roi, op.constant(float32s([scales.length], scales as number[]), 'scales')], node.stated)
  },
})
