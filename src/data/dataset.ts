import type { DType } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatType, sameShape, type TensorType } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { allRows, checkRows, stackRows, takeRows } from './rows.ts'

/** Some rows of a data set: one tensor per field, whose first dimension counts the rows. */
export type Batch = Readonly<Record<string, Tensor>>

/** Labelled (or unlabelled) examples, numbered from 0, that are read in batches. */
export interface Dataset {
  readonly size: number
  /** Type of each field for ONE row: without the dimension that counts rows. */
  readonly fields: Readonly<Record<string, TensorType>>
  /** Names of the classes that whole-number labels stand for, in order. */
  readonly classes?: readonly string[] | undefined
  /**
   * Reads rows in the order asked for; a row may be asked for more than once.
   * @param only the fields that are wanted. A data set may return more: it saves work, it does not select.
   * @throws SinterError `invalid-argument` for a row that does not exist.
   */
  read(rows: ArrayLike<number>, only?: readonly string[]): Promise<Batch>
}

export interface DatasetOptions {
  readonly classes?: readonly string[] | undefined
}

/** A data set held in memory. The tensors are shared, not copied; each has one row per example: [N, ...]. */
export function tensorDataset(fields: Readonly<Record<string, Tensor>>, { classes }: DatasetOptions = {}): Dataset {
  const entries = Object.entries(fields)
  const [first] = entries
  if (!first) throw new SinterError('invalid-data', 'A data set needs at least one field.')
  const size = first[1].shape[0]
  for (const [name, { shape }] of entries) {
    if (shape[0] === undefined || shape[0] !== size) {
      const found = shape[0] === undefined ? 'rank 0' : `${shape[0]} rows`
      throw new SinterError(
        'invalid-data',
        `The fields of a data set must have equally many rows, but '${first[0]}' has ${size} and '${name}' has ${found}.`,
        { field: name, shape, expected: size },
      )
    }
  }
  return {
    size: size!,
    fields: Object.fromEntries(entries.map(([name, { dtype, shape }]) => [name, { dtype, shape: shape.slice(1) }])),
    classes,
    async read(rows, only) {
      const wanted = only ? entries.filter(([name]) => only.includes(name)) : entries
      return Object.fromEntries(wanted.map(([name, field]) => [name, takeRows(field, rows)]))
    },
  }
}

/** The named rows of a data set, renumbered from 0. */
export function subset(dataset: Dataset, rows: ArrayLike<number>): Dataset {
  checkRows(rows, dataset.size)
  const kept = Uint32Array.from(rows)
  return {
    ...dataset,
    size: kept.length,
    read: async (wanted, only) => {
      checkRows(wanted, kept.length)
      return dataset.read(
        Uint32Array.from(wanted, row => kept[row]!),
        only,
      )
    },
  }
}

/**
 * Data sets one after the other.
 * @throws SinterError `invalid-data` where their fields or class names differ.
 */
export function concat(first: Dataset, ...others: readonly Dataset[]): Dataset {
  const parts = [first, ...others]
  for (const other of others) checkSameKind(first, other)
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.size, 0))
  const size = starts.at(-1)! + parts.at(-1)!.size
  return {
    ...first,
    size,
    read: async (rows, only) => {
      checkRows(rows, size)
      const owner = (row: number) => starts.findLastIndex(start => start <= row)
      const owners = Uint32Array.from(rows, owner)
      const batches = await Promise.all(
        parts.map((part, p) => {
          const own = Uint32Array.from(rows).filter((_, i) => owners[i] === p)
          return part.read(
            own.map(row => row - starts[p]!),
            only,
          )
        }),
      )
      return interleave(batches, owners)
    },
  }
}

/** The same data set with one field's numbers converted as it is read, so that bytes can stay bytes in memory. */
export function cast(dataset: Dataset, field: string, dtype: DType): Dataset {
  const type = fieldType(dataset, field)
  return {
    ...dataset,
    fields: { ...dataset.fields, [field]: { ...type, dtype } },
    read: async (rows, only) => {
      const batch = await dataset.read(rows, only)
      const read = batch[field]
      return read ? { ...batch, [field]: fromNumbers(dtype, read.shape, numbers(read)) } : batch
    },
  }
}

/**
 * The class of every row, as 32-bit integers.
 * @param field a field of whole numbers, one per row (row shape [] or [1]).
 * @throws SinterError `invalid-data` naming the first row whose label is no such number.
 */
export async function labelsOf(dataset: Dataset, field = 'label'): Promise<Int32Array> {
  const type = fieldType(dataset, field)
  if (!type.shape?.every(dim => dim === 1)) {
    throw new SinterError('invalid-data', `'${field}' is ${formatType(type)} per row; labels are one number per row.`, {
      field,
      type,
    })
  }
  const labels = new Int32Array(dataset.size)
  const rows = allRows(dataset.size)
  // In pieces, because a data set may read (and decode) the other fields too.
  for (let start = 0; start < dataset.size; start += 1024) {
    const batch = await dataset.read(rows.subarray(start, start + 1024), [field])
    const read = numbers(batch[field]!)
    labels.set(read, start)
    const row = Array.prototype.findIndex.call(read, (label, i) => label !== labels[start + i])
    if (row >= 0) throw notALabel(field, start + row, read[row]!)
  }
  return labels
}

function notALabel(field: string, row: number, label: number): SinterError {
  return new SinterError('invalid-data', `Row ${row} has the ${field} ${label}, which is no whole number of 32 bits.`, {
    field,
    row,
    label,
  })
}

function fieldType(dataset: Dataset, field: string): TensorType {
  const type = dataset.fields[field]
  if (type) return type
  const known = Object.keys(dataset.fields)
  throw new SinterError('invalid-argument', `The data set has no field '${field}'; it has ${known.join(', ')}.`, {
    field,
    known,
  })
}

function checkSameKind(a: Dataset, b: Dataset): void {
  for (const field of new Set([...Object.keys(a.fields), ...Object.keys(b.fields)])) {
    const [x, y] = [a.fields[field], b.fields[field]]
    if (x?.dtype !== y?.dtype || !sameShape(x?.shape, y?.shape)) {
      throw new SinterError(
        'invalid-data',
        `Data sets to join differ in '${field}': ${formatType(x)} and ${formatType(y)}.`,
        { field },
      )
    }
  }
  if (a.classes?.join('\n') !== b.classes?.join('\n')) {
    throw new SinterError('invalid-data', 'Data sets to join name their classes differently.', {
      classes: [a.classes, b.classes],
    })
  }
}

/** Row i of the result is the next unread row of batch owners[i]. */
function interleave(batches: readonly Batch[], owners: Uint32Array): Batch {
  const sizes = new Uint32Array(batches.length)
  for (const owner of owners) sizes[owner]!++
  const next = sizes.map((_, b) => sizes.subarray(0, b).reduce((sum, size) => sum + size, 0))
  const order = owners.map(owner => next[owner]!++)
  const fields = Object.keys(batches[0]!)
  return Object.fromEntries(
    fields.map(field => [field, takeRows(stackRows(batches.map(batch => batch[field]!)), order)]),
  )
}
