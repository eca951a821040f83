/** What stands for a number that is not there. */
export const absent = '–'

type Maybe = number | null | undefined

/** Formats a number unless there is none. */
const present = (format: (value: number) => string) => (value: Maybe) =>
  value === null || value === undefined ? absent : format(value)

/** Three significant digits with k, M, G or T for thousands, ...: 77 754 is "77.8k". */
export const compact = present(value => {
  const exponent = Math.min(Math.max(Math.floor(Math.log10(Math.abs(value) || 1) / 3), 0), 4)
  const scaled = value / 1000 ** exponent
  if (exponent === 0) return significant(scaled)
  if (Math.abs(scaled) >= 999.5 && exponent < 4) return `1.00${'kMGT'[exponent]}`
  return significant(scaled) + 'kMGT'[exponent - 1]
})

/** A whole number with commas between thousands. */
export const whole = present(value =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ','),
)

/** Bytes as kilobytes (1000 bytes), without the unit. */
export const kilobytes = present(bytes => significant(bytes / 1000))

/** Bytes with the unit that suits them. */
export const fileSize = present(bytes => {
  if (bytes >= 1e9) return `${significant(bytes / 1e9)} GB`
  if (bytes >= 1e6) return `${significant(bytes / 1e6)} MB`
  return `${significant(bytes / 1000)} KB`
})

/** A share in percent, without the sign: 0.9952 is "99.52". */
export const percent = present(share => (share * 100).toFixed(2))

/** A share of what was there before, in whole percent. */
export const shareOf = (after: Maybe, before: Maybe) =>
  typeof after === 'number' && typeof before === 'number' && before > 0
    ? `${significant((after / before) * 100)} %`
    : absent

/** A difference of two shares in percentage points, with its sign. */
export const points = present(difference => signed(difference * 100, 2))

export const decimals = (digits: number) => present(value => value.toFixed(digits))

/** A time, or any other positive measure, with three significant digits. */
export const measured = present(value => significant(value))

/** How many times as much: "2.4×". */
export const times = present(ratio => `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)}×`)

/** A p-value as it is usually given: two significant digits, very small ones bounded. */
export const pValue = (p: number) => (p < 0.0001 ? 'p < 0.0001' : `p = ${p >= 0.1 ? p.toFixed(2) : p.toPrecision(2)}`)

/** Seconds in words: "5 min 36 s". */
export const duration = present(seconds => {
  const total = Math.round(seconds)
  if (total < 60) return `${seconds < 10 ? significant(seconds) : total} s`
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`
  return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`
})

/** A number of things: "1 row", "1,372 rows". */
export const counted = (count: number, thing: string) => `${whole(count)} ${thing}${count === 1 ? '' : 's'}`

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('')
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits)
  if (Number(text) === 0) return `±${text}`
  return (value < 0 ? '−' : '+') + text
}

/** Three significant digits, never in exponent form; whole numbers above 100 stay whole. */
function significant(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value)
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  if (size >= 1) return value.toFixed(2)
  return value.toFixed(3)
}
