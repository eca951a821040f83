import type { DType } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatShape } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import { cast, type Dataset, type DatasetOptions, labelsOf, tensorDataset } from './dataset.ts'
import { readCsvDataset, readIdxDataset, readNpz } from './node-files.ts'

/** Where labelled examples are. */
export type LabelledFiles =
  | { readonly format: 'idx'; readonly images: string; readonly labels: string }
  | { readonly format: 'npz'; readonly file: string; readonly target?: string }
  | { readonly format: 'csv'; readonly file: string; readonly target: string }

/**
 * Reads labelled examples for a model: a field for each of its inputs, of the input's element type, and `label` (int64).
 * IDX and CSV files have one field, whose name becomes the model's one input; the arrays of an .npz are named like the
 * inputs, but one that stands alone beside the label may have any name.
 * @param inputs element types of the model's inputs, by name.
 * @throws SinterError `invalid-data` where a file lacks an input or the label, or is damaged; `not-found`; `io`.
 */
export async function readLabelled(
  files: LabelledFiles,
  inputs: Readonly<Record<string, DType>>,
  options: DatasetOptions = {},
): Promise<Dataset> {
  const dataset = await readNamed(files, Object.keys(inputs), options)
  return Object.entries({ ...inputs, label: 'int64' as const }).reduce(
    (read, [field, dtype]) => (read.fields[field]?.dtype === dtype ? read : cast(read, field, dtype)),
    dataset,
  )
}

/** @throws SinterError `invalid-data` naming the first row whose label is not one of the classes 0 to `classes` - 1. */
export async function checkLabels(part: string, dataset: Dataset, classes: number): Promise<void> {
  const labels = await labelsOf(dataset)
  const row = labels.findIndex(label => label < 0 || label >= classes)
  if (row < 0) return
  throw new SinterError(
    'invalid-data',
    `Row ${row} of the ${part} has label ${labels[row]}; there are ${classes} classes, from 0.`,
    { part, row },
  )
}

async function readNamed(files: LabelledFiles, inputs: readonly string[], options: DatasetOptions): Promise<Dataset> {
  switch (files.format) {
    case 'idx':
      return rename(await readIdxDataset(files, options), 'image', theOne(inputs, files.images))
    case 'csv': {
      const dataset = await readCsvDataset(files.file, { ...options, target: files.target })
      return rename(dataset, 'features', theOne(inputs, files.file))
    }
    case 'npz':
      return readArrays(files.file, inputs, files.target ?? 'label', options)
  }
}

async function readArrays(
  file: string,
  inputs: readonly string[],
  target: string,
  options: DatasetOptions,
): Promise<Dataset> {
  const arrays = await readNpz(file)
  const others = Object.keys(arrays).filter(name => name !== target)
  const arrayOf = (name: string) => {
    const array = arrays[name]
    if (array) return array
    throw new SinterError(
      'invalid-data',
      `${file} has no array '${name}'; it has ${Object.keys(arrays).join(', ') || 'none'}.`,
      { file, field: name, arrays: Object.keys(arrays) },
    )
  }
  const sourceOf = (input: string) =>
    arrays[input] === undefined && inputs.length === 1 && others.length === 1 ? others[0]! : input
  const fields = Object.fromEntries(inputs.map(input => [input, arrayOf(sourceOf(input))]))
  const label = arrayOf(target)
  checkLabelArray(file, target, label)
  return tensorDataset({ ...fields, label }, options)
}

/** Converting to int64 would make whole numbers of anything. */
function checkLabelArray(file: string, name: string, label: Tensor): void {
  if (label.shape.length === 0 || label.shape.slice(1).some(size => size !== 1)) {
    throw new SinterError(
      'invalid-data',
      `The array '${name}' of ${file} is ${formatShape(label.shape)}; labels are one whole number per row.`,
      { file, field: name, shape: label.shape },
    )
  }
  const values = numbers(label)
  for (let row = 0; row < values.length; row++) {
    if (Number.isInteger(values[row])) continue
    throw new SinterError(
      'invalid-data',
      `Row ${row} of the array '${name}' of ${file} is ${values[row]}; labels are whole numbers from 0.`,
      { file, field: name, row },
    )
  }
}

function theOne(inputs: readonly string[], file: string): string {
  const [input] = inputs
  if (input !== undefined && inputs.length === 1) return input
  throw new SinterError(
    'invalid-data',
    `${file} has one field, but the model has ${inputs.length} inputs (${inputs.join(', ')}): give an .npz with an array for each.`,
    { file, inputs },
  )
}

function rename(dataset: Dataset, from: string, to: string): Dataset {
  if (from === to) return dataset
  const swap = <T>(fields: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name === from ? to : name, value]))
  return {
    ...dataset,
    fields: swap(dataset.fields),
    read: async (rows, only) =>
      swap(
        await dataset.read(
          rows,
          only?.map(name => (name === to ? from : name)),
        ),
      ),
  }
}
