import { CsvError, parse } from 'csv-parse/sync'
import { SinterError } from '../base/errors.ts'
import { type Tensor, tensor } from '../base/tensor.ts'

export interface CsvOptions {
  /** The column that holds the label. */
  readonly target: string
  /** The columns of numbers, in the order wanted; default: all but the target, in the file's order. */
  readonly features?: readonly string[] | undefined
  /**
   * The labels' classes in order; a label outside of them is refused. Default: the labels that occur, in ascending order
   * (as numbers if all are). Give the training file's classes when reading its test file.
   */
  readonly classes?: readonly string[] | undefined
  readonly delimiter?: string | undefined
}

export interface CsvTable {
  /** float32 [rows, columns]. */
  readonly features: Tensor<'float32'>
  /** int64 [rows]: positions in `classes`. */
  readonly label: Tensor<'int64'>
  readonly columns: readonly string[]
  readonly classes: readonly string[]
}

interface Row {
  readonly line: number
  readonly cells: readonly string[]
}

/**
 * Reads a table with a header line (RFC 4180) into a matrix of numbers and a column of labels.
 * @param name what to call the file in errors.
 * @throws SinterError `invalid-data` with line and column for a missing value, a feature that is not a finite number, a
 * row that is too long or short, or an unknown label; `invalid-argument` where a named column does not exist.
 */
export function parseCsv(text: string, name: string, options: CsvOptions): CsvTable {
  const [header, ...rows] = parseRows(text, name, options.delimiter)
  if (!header) throw new SinterError('invalid-data', `${name} is empty; its first line must name the columns.`)
  if (rows.length === 0) throw new SinterError('invalid-data', `${name} has a header but no rows.`, { file: name })
  const position = (column: string) => {
    const found = header.cells.indexOf(column)
    if (found >= 0) return found
    throw new SinterError('invalid-argument', `${name} has no column '${column}'; it has ${header.cells.join(', ')}.`, {
      file: name,
      column,
      columns: header.cells,
    })
  }
  const target = position(options.target)
  const columns = options.features ?? header.cells.filter((_, i) => i !== target)
  const positions = columns.map(position)

  const features = new Float32Array(rows.length * columns.length)
  rows.forEach(({ line, cells }, row) => {
    positions.forEach((from, column) => {
      const value = parseNumber(cells[from]!)
      if (value === undefined) throw refusedCell(name, line, columns[column]!, cells[from]!, 'a finite number')
      features[row * columns.length + column] = value
    })
  })

  const labels = rows.map(({ line, cells }) => {
    const label = cells[target]!.trim()
    if (label === '') throw refusedCell(name, line, options.target, label, 'a label')
    return label
  })
  const classes = options.classes ?? sortedClasses(labels)
  const codes = new Map(classes.map((label, code) => [label, BigInt(code)]))
  const label = BigInt64Array.from(labels, (text, row) => {
    const code = codes.get(text)
    if (code !== undefined) return code
    throw refusedCell(name, rows[row]!.line, options.target, text, `one of the classes ${classes.join(', ')}`)
  })
  return {
    features: tensor('float32', [rows.length, columns.length], features),
    label: tensor('int64', [rows.length], label),
    columns,
    classes,
  }
}

function parseRows(text: string, name: string, delimiter = ','): Row[] {
  try {
    const records: unknown = parse(text, { bom: true, delimiter, info: true, skip_empty_lines: true })
    return (records as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      line: info.lines,
      cells: record,
    }))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new SinterError(
      'invalid-data',
      `${name} is not a well-formed table: ${error.message}.`,
      { file: name },
      error,
    )
  }
}

/** A decimal number that fits float32; undefined for anything else, also for NaN, infinities and hexadecimal. */
function parseNumber(text: string): number | undefined {
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)) return undefined
  const value = Math.fround(Number(text))
  return Number.isFinite(value) ? value : undefined
}

function sortedClasses(labels: readonly string[]): string[] {
  const classes = [...new Set(labels)]
  const numeric = classes.every(label => parseNumber(label) !== undefined)
  return numeric ? classes.sort((a, b) => Number(a) - Number(b)) : classes.sort()
}

function refusedCell(file: string, line: number, column: string, value: string, expected: string): SinterError {
  const found = value.trim() === '' ? 'is missing a value' : `has '${value}'`
  return new SinterError('invalid-data', `${file}, line ${line}, column '${column}' ${found}; expected ${expected}.`, {
    file,
    line,
    column,
    value,
  })
}
