import { resolve } from 'node:path'
import type { DType } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatShape, isTensorType, type Shape, type ValueType } from '../base/shape.ts'
import type { Dataset } from '../data/dataset.ts'
import { type LabelledFiles, readLabelled } from '../data/labelled.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import { locate } from '../recipe/data.ts'
import { wrongUsage } from './command.ts'
import { classNames } from './model.ts'

/** What the help of every verb that takes data says of it. */
export const dataNotes = `Data is labelled rows in one of three forms:
  set.npz          arrays named like the model's inputs, and \`label\` (or what
                   --target names)
  set.csv          a table of numbers with a header; --target names the column
                   of the label, whose values may be texts
  images,labels    two IDX files, as MNIST's
Each may be gzipped. Values go into the model as they are.
\`npm:<package>/<file>\` is a file of an installed package.`

export interface DataOptions {
  /** The column or array of the label. */
  readonly target?: string
}

/**
 * Opens a labelled data file for a model: a field for each of its inputs, and `label`. Class names are the model's own,
 * if it has them.
 * @throws SinterError `invalid-data` where the rows do not fit the model's inputs, and as `readLabelled` does.
 */
export async function openData(text: string, graph: Graph, options: DataOptions = {}): Promise<Dataset> {
  const types = requiredInputs(graph).map(({ name, type }) => [name, isTensorType(type) ? type : undefined] as const)
  const inputs = Object.fromEntries(types.map(([name, type]) => [name, type?.dtype ?? ('float32' as DType)]))
  const dataset = await readLabelled(filesOf(text, options), inputs, { classes: classNames(graph) })
  if (dataset.size === 0) throw new SinterError('invalid-data', `${text} has no rows.`, { data: text })
  for (const [name, type] of types) checkFit(name, dataset.fields[name]!.shape!, type?.shape)
  return dataset
}

/** The files that some data is in; none of no data. */
export function pathsOf(text: string | undefined, options: DataOptions = {}): readonly string[] {
  if (text === undefined) return []
  const files = filesOf(text, options)
  return files.format === 'idx' ? [files.images, files.labels] : [files.file]
}

function filesOf(text: string, { target }: DataOptions): LabelledFiles {
  const at = (file: string) => locate(file, resolve('data'))
  if (/\.npz(\.gz)?$/i.test(text)) return { format: 'npz', file: at(text), ...(target === undefined ? {} : { target }) }
  if (/\.(csv|txt)(\.gz)?$/i.test(text)) {
    if (target === undefined) throw wrongUsage(`${text} is a table: name the column of the label with --target.`)
    return { format: 'csv', file: at(text), target }
  }
  const [images, labels, ...rest] = text.split(',')
  if (images && labels && rest.length === 0) return { format: 'idx', images: at(images), labels: at(labels) }
  throw new SinterError(
    'not-supported',
    `'${text}' is neither an .npz, nor a .csv, nor a pair of IDX files with a comma between them.`,
    { data: text },
  )
}

/** Rows against an input without its first dimension, which counts them. */
function checkFit(input: string, row: Shape, expected: Shape | undefined): void {
  if (!expected) return
  const wanted = expected.slice(1)
  const fits = wanted.length === row.length && wanted.every((dim, i) => typeof dim === 'string' || dim === row[i])
  if (fits) return
  throw new SinterError(
    'invalid-data',
    `Rows of '${input}' are ${formatShape(row)} in the data, but ${formatShape(wanted)} in the model.`,
    { input, data: row, model: wanted },
  )
}

/**
 * A graph whose inputs have the sizes of the data's rows where they leave them open, such as the height and width of
 * images. How many rows there are stays open.
 */
export function withRowSizes(graph: Graph, { fields }: Dataset): Graph {
  const required = requiredInputs(graph)
  const batch = new Set(required.map(({ type }) => (isTensorType(type) ? type.shape?.[0] : undefined)))
  const sizes = new Map<string, number>()
  const inputs = graph.inputs.map(value => {
    const row = required.includes(value) ? fields[value.name]?.shape : undefined
    if (!row || !isTensorType(value.type) || !value.type.shape) return value
    const shape = value.type.shape.map((dim, i) => {
      const size = row[i - 1]
      if (i === 0 || typeof dim === 'number' || typeof size !== 'number') return dim
      if (dim !== '' && !batch.has(dim)) sizes.set(dim, size)
      return size
    })
    return { ...value, type: { ...value.type, shape } }
  })
  const sized = <T extends ValueType | undefined>(type: T): T =>
    isTensorType(type) && type.shape ? { ...type, shape: type.shape.map(dim => sizes.get(dim as string) ?? dim) } : type
  return {
    ...graph,
    inputs,
    outputs: graph.outputs.map(value => ({ ...value, type: sized(value.type) })),
    types: new Map([...graph.types].map(([name, type]) => [name, sized(type)])),
  }
}

/** The number of rows that a model is made for; undefined if it takes any. */
export function fixedBatch(graph: Graph): number | undefined {
  const firsts = requiredInputs(graph).map(({ type }) => (isTensorType(type) ? type.shape?.[0] : undefined))
  return firsts.find(dim => typeof dim === 'number')
}

/**
 * Rows to run at a time: as many as asked for, unless the model is made for a fixed number.
 * @throws SinterError `not-supported` if that number does not divide the rows that there are.
 */
export function batchFor(graph: Graph, { size }: Dataset, wanted = 256): number {
  const fixed = fixedBatch(graph)
  if (fixed === undefined) return wanted
  if (size % fixed === 0) return fixed
  throw new SinterError(
    'not-supported',
    `The model takes ${fixed} rows at a time, which does not divide the ${size} rows of the data.`,
    { batch: fixed, rows: size },
  )
}
