import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { apportion } from './apportion.ts'
import { type Dataset, labelsOf, subset } from './dataset.ts'

/** A part's size: below 1 a fraction of all rows, otherwise a number of rows; 'rest' is what the other parts leave. */
export type PartSize = number | 'rest'

/**
 * Divides rows at random into disjoint parts that keep the classes' proportions.
 *
 * Part sizes are exact, and each class has in each part its share (rows of the class x rows of the part / all rows)
 * rounded down or up. Rows that the sizes leave over are in no part. Within a part rows are ascending. The draw depends
 * on the seed of `random` and on nothing that was drawn from it before.
 * @param labels the class of each row, any whole numbers.
 * @throws SinterError `invalid-argument` where the sizes are not sizes or exceed the rows.
 */
export function stratifiedSplit<Part extends string>(
  labels: ArrayLike<number>,
  parts: Readonly<Record<Part, PartSize>>,
  random: Random,
): Record<Part, Uint32Array> {
  const names = Object.keys(parts) as Part[]
  const sizes = partSizes(labels.length, parts)
  const left = labels.length - sizes.reduce((sum, size) => sum + size, 0)
  const classes = rowsByClass(labels)
  const shares = apportion(
    classes.map(({ rows }) => rows.length),
    [...sizes, left],
  )

  const draws = random.fork('stratified split')
  const taken = names.map(() => [] as number[])
  classes.forEach(({ label, rows }, c) => {
    const order = draws.fork(label).permutation(rows.length)
    let next = 0
    for (const [p, part] of taken.entries()) {
      for (const end = next + shares[c]![p]!; next < end; next++) part.push(rows[order[next]!]!)
    }
  })
  const ascending = taken.map(rows => Uint32Array.from(rows).sort())
  return Object.fromEntries(names.map((name, p) => [name, ascending[p]])) as Record<Part, Uint32Array>
}

/** A random part of the rows that keeps the classes' proportions; see `stratifiedSplit`. */
export function stratifiedSubset(labels: ArrayLike<number>, size: number, random: Random): Uint32Array {
  return stratifiedSplit(labels, { subset: size }, random).subset
}

/** Splits a data set as `stratifiedSplit` does, by the classes in one of its fields. */
export async function splitDataset<Part extends string>(
  dataset: Dataset,
  parts: Readonly<Record<Part, PartSize>>,
  random: Random,
  { by = 'label' }: { readonly by?: string } = {},
): Promise<Record<Part, Dataset>> {
  const rows = stratifiedSplit(await labelsOf(dataset, by), parts, random)
  const names = Object.keys(rows) as Part[]
  return Object.fromEntries(names.map(name => [name, subset(dataset, rows[name])])) as Record<Part, Dataset>
}

/** The rows of each class, ascending; classes in ascending order. */
export function rowsByClass(labels: ArrayLike<number>): { readonly label: number; readonly rows: readonly number[] }[] {
  const groups = new Map<number, number[]>()
  for (let row = 0; row < labels.length; row++) {
    const rows = groups.get(labels[row]!)
    if (rows) rows.push(row)
    else groups.set(labels[row]!, [row])
  }
  return [...groups].sort(([a], [b]) => a - b).map(([label, rows]) => ({ label, rows }))
}

/** Fractions are rounded so that parts whose fractions add up to 1 take every row (largest remainders first). */
function partSizes(total: number, parts: Readonly<Record<string, PartSize>>): number[] {
  const entries = Object.entries(parts)
  for (const [name, size] of entries) {
    if (size !== 'rest' && !(size >= 0 && (size < 1 || Number.isInteger(size)))) {
      throw new SinterError(
        'invalid-argument',
        `Part '${name}' has size ${size}; give a fraction below 1, a whole number of rows, or 'rest'.`,
        { part: name, size },
      )
    }
  }
  if (entries.filter(([, size]) => size === 'rest').length > 1) {
    throw new SinterError('invalid-argument', "Only one part can be the 'rest'.", { parts })
  }

  const fractions = entries.map(([, size]) => (size !== 'rest' && size < 1 ? size : 0))
  const rounded = roundTogether(fractions.map(fraction => fraction * total))
  const sizes = entries.map(([, size], p) => (size === 'rest' ? 0 : size < 1 ? rounded[p]! : size))
  const asked = sizes.reduce((sum, size) => sum + size, 0)
  if (asked > total) {
    throw new SinterError('invalid-argument', `The parts need ${asked} rows, but there are ${total}.`, {
      parts,
      asked,
      total,
    })
  }
  return sizes.map((size, p) => (entries[p]![1] === 'rest' ? total - asked : size))
}

/** Rounds each number down or up so that the sum is the nearest whole number to their sum. */
function roundTogether(values: readonly number[]): number[] {
  const floors = values.map(value => Math.floor(value + 1e-9))
  const sum = Math.round(values.reduce((total, value) => total + value, 0))
  const missing = sum - floors.reduce((total, value) => total + value, 0)
  const byRemainder = values.map((value, i) => ({ i, rest: value - floors[i]! })).sort((a, b) => b.rest - a.rest)
  for (const { i } of byRemainder.slice(0, missing)) floors[i]!++
  return floors
}
