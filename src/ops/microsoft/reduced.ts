import type { Shape } from '../../base/shape.ts'
import { axesOf } from '../axes.ts'

/** A shape with some axes summed over; all of them where none are named. */
export function reducedShape(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  const all = axes.length === 0 ? shape.map((_, i) => i) : axesOf(axes, shape.length)
  const gone = new Set(all)
  return shape.flatMap((dim, i) => (gone.has(i) ? (keep ? [1] : []) : [dim]))
}
