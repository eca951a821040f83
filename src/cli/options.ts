import { InvalidArgumentError } from 'commander'

/** Parses a whole number above 0. */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value > 0)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return value
}

/** Parses a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}
