import { isFloat } from '../../base/dtype.ts'
import { fromNumbers } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import { keyOf } from '../../ops/spec.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { floatNumber } from '../float-number.ts'

/** A node that computes `min(max(x, low), high)`. */
interface Bounds {
  readonly x: Ref
  readonly low: number
  readonly high: number
}

/**
 * Relu, Clip, and Max and Min with one number, in a row, become one of them: the bounds of the last applied to those
 * before. A lower bound of 0 alone is a Relu, which engines fuse with what it follows. The largest number of a type is a
 * bound like any other: it is there to make infinities finite.
 */
export const mergeBounds = rule({
  name: 'merge-bounds',
  match: ({ op, rest, either }) =>
    either(
      op.Relu([rest('inputs')]).as('root'),
      op.Clip([rest('inputs')]).as('root'),
      op.Max([rest('inputs')]).as('root'),
      op.Min([rest('inputs')]).as('root'),
    ),
  replace({ root }, tools) {
    const { op, decline, type, uses, producer } = tools
    const last = boundsOf(root.node, tools)
    if (!last) return decline('its bounds are not two numbers')
    let { x, low, high } = last
    let count = 1
    for (;;) {
      const before = producer(x)
      const inner = before && uses(x) === 1 ? boundsOf(before, tools) : undefined
      if (!inner || inner.low > inner.high) break
      const within = (value: number) => Math.min(Math.max(value, low), high)
      ;[x, low, high] = [inner.x, within(inner.low), within(inner.high)]
      count++
    }
    const relu = low === 0 && high === Number.POSITIVE_INFINITY
    if (count === 1 && !(relu && root.type !== 'Relu')) return decline('there is nothing to merge')
    const dtype = type(x)?.dtype
    if (!dtype || !isFloat(dtype)) return decline('its elements are not known to be floats')
    if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) return x
    if (relu) return op.Relu([x])
    const bound = (value: number) =>
      Number.isFinite(value) ? op.constant(fromNumbers(dtype, [], [value]), 'bound') : null
    return op.Clip([x, bound(low), bound(high)])
  },
})

function boundsOf(node: Node, { constant, type }: Tools): Bounds | undefined {
  const [x = '', second = '', third = ''] = node.inputs
  const none = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const single = (ref: Ref) => floatNumber(constant(ref))
  switch (keyOf(node)) {
    case 'Relu':
      return { ...none, x, low: 0 }
    case 'Clip': {
      const low = second === '' ? none.low : single(second)
      const high = third === '' ? none.high : single(third)
      if (low === undefined || high === undefined) return undefined
      return { x, low, high }
    }
    case 'Max':
    case 'Min': {
      if (node.inputs.length !== 2) return undefined
      const [left, right] = [single(x), single(second)]
      const [value, bounded, held] = left === undefined ? [right, x, second] : [left, second, x]
      const rank = type(bounded)?.shape?.length
      if (value === undefined || rank === undefined || constant(held)!.shape.length > rank) return undefined
      return keyOf(node) === 'Max' ? { ...none, x: bounded, low: value } : { ...none, x: bounded, high: value }
    }
    default:
      return undefined
  }
}
