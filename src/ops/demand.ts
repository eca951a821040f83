import { type Dim, formatShape, type Shape, type TensorType } from '../base/shape.ts'

/**
 * Refuses an input that does not have the shape which its operator reads, as far as both are known: engines read that far
 * whatever is there. '' among the wanted sizes is any size.
 */
export function demandShape(what: string, type: TensorType | undefined, wanted: Shape): void {
  const shape = type?.shape
  if (!shape) return
  const fits = shape.length === wanted.length && shape.every((dim, i) => mayEqual(dim, wanted[i]!))
  if (!fits) throw new Error(`its ${what} has the shape ${formatShape(shape)} where ${formatShape(wanted)} is read`)
}

function mayEqual(a: Dim, b: Dim): boolean {
  return typeof a === 'string' || typeof b === 'string' || a === b
}

/** Refuses a count that is not a whole number above 0: engines divide by it. */
export function demandPositive(what: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value > 0)) throw new Error(`its ${what} is ${value}`)
}

/** Refuses a value that stands for nothing: engines look it up unseen. */
export function demandOneOf(
  what: string,
  value: number | string | undefined,
  known: readonly (number | string)[],
): void {
  if (value !== undefined && !known.includes(value))
    throw new Error(`its ${what} is ${value}, known are ${known.join(', ')}`)
}

/** Refuses a tensor that is known not to hold exactly one element: engines read the first. */
export function demandSingle(what: string, type: TensorType | undefined): void {
  if (type?.shape?.some(dim => typeof dim === 'number' && dim !== 1))
    throw new Error(`its ${what} has the shape ${formatShape(type.shape)} where one element is read`)
}
