import { elementCount } from '../../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../../base/tensor.ts'
import { broadcast } from '../../ops/broadcast.ts'
import { broadcastSources } from '../../ops/elements.ts'

/** Numbers in the shape of a tensor, on their way through a computation in float64. */
export interface Grid {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
}

export const single = (value: number): Grid => ({ shape: [], values: [value] })

export function gridOf(t: Tensor): Grid {
  return { shape: t.shape, values: numbers(t) }
}

/** The grid rounded once to an element type; undefined if that leaves something that is not finite. */
export function rounded(dtype: Tensor['dtype'], { shape, values }: Grid): Tensor | undefined {
  const made = fromNumbers(dtype, shape, values)
  return allFinite(numbers(made)) ? made : undefined
}

export function map({ shape, values }: Grid, f: (a: number) => number): Grid {
  const result = new Float64Array(values.length)
  for (let i = 0; i < result.length; i++) result[i] = f(values[i]!)
  return { shape, values: result }
}

/** `f` of each pair of elements, where shapes broadcast. @throws Error if they do not. */
export function combine(a: Grid, b: Grid, f: (a: number, b: number) => number): Grid {
  const shape = broadcast([a.shape, b.shape]) as readonly number[]
  const count = elementCount(shape)
  const [atA, atB] = [indexOf(shape, a), indexOf(shape, b)]
  const result = new Float64Array(count)
  for (let i = 0; i < count; i++) result[i] = f(a.values[atA(i)]!, b.values[atB(i)]!)
  return { shape, values: result }
}

function indexOf(shape: readonly number[], { shape: from, values }: Grid): (i: number) => number {
  if (values.length === 1) return () => 0
  if (values.length === elementCount(shape)) return i => i
  const sources = broadcastSources(shape, from)
  return i => sources[i]!
}

/** Whether all elements are one number. */
export function isAll({ values }: Grid, value: number): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== value) return false
  return true
}

/** The largest magnitude among the elements that are finite. */
export function largest({ values }: Grid): number {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    if (size > most && size < Number.POSITIVE_INFINITY) most = size
  }
  return most
}

export function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false
  return true
}

/**
 * One number for each place along an axis of a value of some rank, that a grid broadcast to it holds; undefined if the
 * grid differs along another axis too, or has a rank of its own beyond the value's.
 * @param axis counted from the value's end, -1 being its last.
 */
export function along({ shape, values }: Grid, axis: number, rank: number, size: number): Float64Array | undefined {
  if (shape.length > rank) return undefined
  if (values.length === 1) return new Float64Array(size).fill(values[0]!)
  if (values.length !== size || shape.at(axis) !== size || shape.length < -axis) return undefined
  return Float64Array.from(values)
}
