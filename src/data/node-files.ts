import { readFile } from 'node:fs/promises'
import { messageOf, SinterError } from '../base/errors.ts'
import type { Tensor } from '../base/tensor.ts'
import { type CsvOptions, parseCsv } from './csv.ts'
import { type Dataset, type DatasetOptions, tensorDataset } from './dataset.ts'
import { gunzip, isGzip } from './gzip.ts'
import { imageDataset, parseIdx } from './idx.ts'
import { parseNpy, parseNpz } from './npy.ts'

/*
 * Reading data files by path, in Node. Each may be gzipped. The formats themselves are read by functions that take
 * bytes or text and know nothing of files.
 */

/** Reads an IDX file; see `parseIdx`. */
export async function readIdx(path: string): Promise<Tensor> {
  return parseIdx(await readBytes(path), path)
}

/** Reads a pair of IDX files, as MNIST's, into a data set with fields `image` and `label`; see `imageDataset`. */
export async function readIdxDataset(
  paths: { readonly images: string; readonly labels: string },
  options: DatasetOptions = {},
): Promise<Dataset> {
  return imageDataset(await readIdx(paths.images), await readIdx(paths.labels), options)
}

/** Reads a `.npy` file; see `parseNpy`. */
export async function readNpy(path: string): Promise<Tensor> {
  return parseNpy(await readBytes(path), path)
}

/** Reads the arrays of a `.npz` file by name; see `parseNpz`. `tensorDataset` makes a data set of those of one length. */
export async function readNpz(path: string): Promise<Readonly<Record<string, Tensor>>> {
  return parseNpz(await readBytes(path), path)
}

/** Reads a table into a data set with fields `features` (float32) and `label` (int64); see `parseCsv`. */
export async function readCsvDataset(path: string, options: CsvOptions): Promise<Dataset> {
  const { features, label, classes } = parseCsv(decodeText(await readBytes(path), path), path, options)
  return tensorDataset({ features, label }, { classes })
}

/** The bytes of a file, unpacked where it is gzipped. */
async function readBytes(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const problem = missing ? `There is no file ${path}.` : `${path} cannot be read: ${messageOf(error)}`
    throw new SinterError(missing ? 'not-found' : 'io', problem, { path }, error)
  }
  return isGzip(bytes) ? gunzip(bytes, path) : bytes
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new SinterError('invalid-data', `${path} is not UTF-8 text; convert it first.`, { path }, error)
  }
}
