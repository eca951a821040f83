import { isFloat } from '../../src/base/dtype.ts'
import { type Dim, elementCount } from '../../src/base/shape.ts'
import { fromNumbers } from '../../src/base/tensor.ts'
import { type Known, Nothing, type Site } from './network-site.ts'

export const isOwn = ({ own }: Known) => own
export const isExact = (type: Known) => type.own && type.exact
export const isRanked = (type: Known) => type.own && type.shape.length > 0
export const ofRank = (rank: number) => (type: Known) => type.own && type.shape.length === rank

export function require<T>(value: T | undefined | false): T {
  if (value === undefined || value === false) throw new Nothing()
  return value
}

export const fixed = (dim: number | string | undefined) => require(typeof dim === 'number' && dim > 0 && dim)

/** Quarters from -2 to 2, different for each salt; whole numbers where the network has no others. */
export function constant({ op, dtype }: Site, shape: readonly number[], salt: number): string {
  const values = Array.from({ length: elementCount(shape) }, (_, i) => (((i * 7 + salt * 5) % 17) - 8) / 4)
  return op.constant(fromNumbers(dtype, shape, values))
}

/** Halves and quarters from 0.5 to 2.5; whole numbers from 1. */
export function positive({ op, dtype }: Site, shape: readonly number[], salt: number): string {
  const least = isFloat(dtype) ? 0.5 : 1
  const values = Array.from({ length: elementCount(shape) }, (_, i) => Math.abs(((i * 7 + salt * 5) % 17) - 8) / 4)
  return op.constant(
    fromNumbers(
      dtype,
      shape,
      values.map(value => value + least),
    ),
  )
}

/** One number, mostly of rank 0, but at times of one that raises that of the value it meets. */
export function number({ op, dtype, below }: Site, value: number, beside: Known): string {
  const shape = [[], [], [1], beside.shape.map(() => 1), [1, ...beside.shape.map(() => 1)]][below(5)]!
  return op.constant(fromNumbers(dtype, shape, [value]))
}

export const scalarOf = ({ op, dtype }: Site, value: number) => op.constant(fromNumbers(dtype, [], [value]))

/** Whether two values surely broadcast. */
export function broadcasts(a: Known, b: Known): boolean {
  return alongAxes(a, b, (x, y) => x === y || x === 1 || y === 1)
}

/** Whether two values broadcast if open sizes are as they should be. */
export function mayBroadcast(a: Known, b: Known): boolean {
  return alongAxes(a, b, (x, y) => x === y || x === 1 || y === 1 || typeof x === 'string' || typeof y === 'string')
}

function alongAxes(a: Known, b: Known, fits: (x: Dim, y: Dim) => boolean): boolean {
  const shared = Math.min(a.shape.length, b.shape.length)
  return Array.from({ length: shared }, (_, i) => fits(a.shape.at(-1 - i)!, b.shape.at(-1 - i)!)).every(Boolean)
}

/**
 * The size of an axis once a constant of several elements has met it: of one element, or open, and then 3 where it is an
 * input's. Sizes computed from those have no such constant.
 */
export function widened(dim: Dim | undefined): number | undefined {
  if (typeof dim === 'string') return /^[A-Z]$/.test(dim) ? 3 : undefined
  return dim === 1 ? 3 : dim
}
