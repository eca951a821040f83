import { InvalidArgumentError } from 'commander'

/** Parses a whole number above 0. */
export function wholeNumber(text: string): number {
  const value = decimal(text)
  if (!(Number.isSafeInteger(value) && value > 0)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return value
}

/** Parses a whole number, 0 included. */
export function count(text: string): number {
  const value = decimal(text)
  if (!(Number.isSafeInteger(value) && value >= 0)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** Parses a number above 0. */
export function positiveNumber(text: string): number {
  const value = decimal(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

/** Parses a share from 0 up to, but not including, 1. */
export function share(text: string): number {
  const value = decimal(text)
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError('It must be at least 0 and below 1.')
  return value
}

/** Parses numbers that are not negative, separated by commas: `2,1,1`. */
export function numberList(text: string): readonly number[] {
  const values = text.split(',').map(decimal)
  if (!values.every(value => value >= 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('It must be numbers with commas between them, such as 2,1,1.')
  return values
}

/** Parses sizes of symbolic dimensions, `N=8,height=224`; given again, it adds to those before. */
export function sizes(text: string, before: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const entries = text.split(',').map(part => {
    const [, symbol, size] = /^(.+)=(\d+)$/.exec(part) ?? []
    if (symbol === undefined || Number(size) < 1)
      throw new InvalidArgumentError('It must be a dimension and its size, such as N=8.')
    return [symbol, Number(size)] as const
  })
  return { ...before, ...Object.fromEntries(entries) }
}

/** `Number` takes blanks for 0. */
function decimal(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

/** Parses shapes of inputs, `x=1,3,224,224`, or of an axis, `x:2=224`; given again, it adds. `?` leaves a dimension open. */
export function inputShapes(
  text: string,
  before: Readonly<Record<string, readonly (number | string)[]>> = {},
): Readonly<Record<string, readonly (number | string)[]>> {
  const at = text.lastIndexOf('=')
  const dims = text.slice(at + 1)
  const parts = dims === '' ? [] : dims.split(/[,x]/)
  if (at < 1 || !parts.every(part => part === '?' || /^\d{1,15}$/.test(part)))
    throw new InvalidArgumentError('It must be an input and its shape, such as image=1,3,224,224.')
  const shape = parts.map(part => (part === '?' ? '' : Number(part)))
  const name = text.slice(0, at)
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`'${name}' has a shape already; give it once.`)
  return { ...before, [name]: shape }
}

/** Parses a number of bytes, `64k`, `10M` or `2G` in units of 1024, or `none` for no limit. */
export function byteCount(text: string): number {
  if (text === 'none') return Number.POSITIVE_INFINITY
  const [, digits, unit = ''] = /^(\d+)([kKmMgG]?)$/.exec(text) ?? []
  if (digits === undefined) throw new InvalidArgumentError('It must be bytes such as 64k or 10M, or none.')
  return Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase())
}
