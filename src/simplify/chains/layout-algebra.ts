import { type Dim, elementCount, type Shape, sameDim } from '../../base/shape.ts'
import { reshape, type Tensor } from '../../base/tensor.ts'
import { transposed } from '../../ops/transpose.ts'
import { type Axis, type Layout, reshapedLayout, sameAxes, squeezedLayout, type Wanted } from './layout.ts'

/** One layout after another: the second is of the first's result. undefined where their factors cannot be told apart. */
export function composed(first: Layout, second: Layout): Layout | undefined {
  const ones = second.source.flatMap((axis, i) => (axis.length === 0 && first.result[i]!.length > 0 ? [i] : []))
  const before = ones.length > 0 ? squeezedLayout(first, ones) : first
  const axes = second.source.filter((_, i) => !ones.includes(i))
  // An axis that stays whole is copied, of whatever size.
  const wanted = axes.flatMap((axis, i): Wanted[] => {
    if (axis.length === 1) return [before.result[i]!]
    return axis.map(factor => second.sizes[factor]!)
  })
  const refined = reshapedLayout(before, wanted)
  if (!refined) return undefined
  const order = axes.flat()
  const parts = new Map(order.map((factor, i) => [factor, refined.result[i]!]))
  return { ...refined, result: second.result.map(axis => axis.flatMap(factor => parts.get(factor)!)) }
}

export function isIdentity({ source, result }: Layout): boolean {
  return sameAxes(source, result)
}

/** Text that is equal for layouts that do the same. */
export function keyOfLayout({ sizes, source, result }: Layout): string {
  const order = source.flat()
  const number = (axis: Axis) => axis.map(factor => order.indexOf(factor)).join('.')
  return [order.map(factor => sizes[factor]), source.map(number), result.map(number)].join('|')
}

/**
 * The layout that an operand takes which broadcasts to a shape that takes another: axes of size 1 have no factors. Leading
 * axes of size 1 in the result may be left out. undefined where an axis would be broadcast in part.
 */
export function broadcastLayout(layout: Layout, to: Shape, from: Shape, trim: boolean): Layout | undefined {
  const missing = to.length - from.length
  if (missing < 0) return undefined
  const sizes: Dim[] = [...layout.sizes]
  const dropped = new Set<number>()
  const unmixed = isUnmixed(layout)
  for (const [i, axis] of layout.source.entries()) {
    const dim = i < missing ? 1 : from[i - missing]!
    if (dim === 1) for (const factor of axis) dropped.add(factor)
    else if (!sameDim(dim, to[i]!)) {
      // Whether it is broadcast is not known, and does not matter to axes that move whole.
      if (!unmixed || axis.length === 0) return undefined
      sizes[axis[0]!] = dim
    }
  }
  const keep = (axis: Axis) => axis.filter(factor => !dropped.has(factor))
  const result = layout.result.map(keep)
  if (result.some((axis, i) => axis.length > 0 && axis.length < layout.result[i]!.length)) return undefined
  const first = trim ? result.findIndex(axis => axis.length > 0) : 0
  return {
    sizes,
    source: layout.source.slice(missing).map(keep),
    result: result.slice(first < 0 ? result.length : first),
  }
}

function isUnmixed({ source, result }: Layout): boolean {
  return [...source, ...result].every(axis => axis.length <= 1)
}

/** A constant's elements as a layout arranges them. */
export function arranged(constant: Tensor, { sizes, source, result }: Layout): Tensor | undefined {
  const order = source.flat()
  const parts = order.map(factor => sizes[factor]!)
  if (
    !parts.every(size => typeof size === 'number') ||
    elementCount(parts as number[]) !== elementCount(constant.shape)
  ) {
    return undefined
  }
  const moved = transposed(
    reshape(constant, parts as number[]),
    result.flat().map(factor => order.indexOf(factor)),
  )
  const sizeOf = (axis: Axis) => axis.reduce((product, factor) => product * (sizes[factor] as number), 1)
  return reshape(moved, result.map(sizeOf))
}
