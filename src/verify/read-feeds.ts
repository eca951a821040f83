import { readFile } from 'node:fs/promises'
import { type DType, dtypes, isFloat } from '../base/dtype.ts'
import { messageOf, SinterError } from '../base/errors.ts'
import { ioError } from '../base/files.ts'
import { elementCount, formatShape, isTensorType } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor, tensor, zeros } from '../base/tensor.ts'
import { readNpz } from '../data/node-files.ts'
import type { Value } from '../graph/graph.ts'
import type { Feeds } from '../runtime/backend.ts'

/**
 * Reads what a model is to be fed from a file: a `.npz` with an array for each input, or JSON: an object by input, or a
 * list of such objects for several runs. In JSON an input is nested lists, `[[1, 2], [3, 4]]`, or, as for tensors without
 * elements, `{ "dtype": "float32", "shape": [2, 2], "data": [1, 2, 3, 4] }` with its elements in a row. Numbers take the
 * type of the input where that keeps them: floats are rounded to the input's float type, other numbers must be in it.
 * @param inputs what must be fed; their types say what JSON numbers are.
 * @returns one for each run.
 * @throws SinterError `not-found` and `io`; `invalid-data` for a file that is not understood, or does not have an input.
 */
export async function readFeeds(path: string, inputs: readonly Value[]): Promise<readonly Feeds[]> {
  if (/\.npz$/i.test(path)) return [matched(await readNpz(path), inputs, path)]
  if (!/\.json$/i.test(path))
    throw new SinterError('invalid-data', `${path} is neither .npz nor .json; feeds are read from these.`, { path })
  const document = parse(await textOf(path), path)
  const runs = Array.isArray(document) ? document : [document]
  if (runs.length === 0) throw invalid(path, 'it is an empty list')
  return runs.map(run => {
    if (typeof run !== 'object' || run === null || Array.isArray(run))
      throw invalid(path, 'a run must be an object of arrays by input')
    const read = Object.entries(run).map(([name, value]) => [name, tensorFrom(name, value, path)] as const)
    return matched(Object.fromEntries(read), inputs, path)
  })
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw ioError(error, `The file '${path}'`)
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(path, messageOf(error))
  }
}

/** An input as JSON says it. Numbers are float64 where no type is stated: it is found out later if that of the input fits. */
function tensorFrom(name: string, value: unknown, path: string): Tensor {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const { shape, flat } = flattened(name, value, path)
    return tensorOf(name, undefined, shape, flat, path)
  }
  const { dtype, shape, data } = value as { readonly [key in 'dtype' | 'shape' | 'data']?: unknown }
  if (!Array.isArray(shape) || !shape.every(size => Number.isSafeInteger(size) && size >= 0) || !Array.isArray(data))
    throw invalid(path, `'${name}' needs a "shape" of whole numbers and "data", a list`)
  if (dtype !== undefined && !dtypes.some(known => known === dtype))
    throw invalid(path, `'${name}' has the dtype ${JSON.stringify(dtype)}, which there is not`)
  if (elementCount(shape) !== data.length)
    throw invalid(path, `'${name}' has ${data.length} elements, and its shape ${formatShape(shape)} asks for others`)
  return tensorOf(name, dtype as DType | undefined, shape, data, path)
}

/** Nested lists; all lists of a level must be of one length. */
function flattened(name: string, value: unknown, path: string): { shape: readonly number[]; flat: readonly unknown[] } {
  const shape: number[] = []
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length)
  const flat: unknown[] = []
  const visit = (part: unknown, depth: number) => {
    if (depth === shape.length) flat.push(part)
    else if (!Array.isArray(part) || part.length !== shape[depth])
      throw invalid(path, `the lists of '${name}' are not of one length at depth ${depth + 1}`)
    else for (const item of part) visit(item, depth + 1)
  }
  visit(value, 0)
  return { shape, flat }
}

function tensorOf(
  name: string,
  dtype: DType | undefined,
  shape: readonly number[],
  flat: readonly unknown[],
  path: string,
): Tensor {
  if (dtype === 'string' || (dtype === undefined && flat.length > 0 && typeof flat[0] === 'string')) {
    if (flat.every(item => typeof item === 'string')) return tensor('string', shape, flat)
  } else if (flat.every(item => typeof item === 'number' || typeof item === 'boolean')) {
    const made = tensor('float64', shape, Float64Array.from(flat, Number))
    return dtype === undefined ? made : converted(name, made, dtype, path)
  }
  throw invalid(path, `'${name}' holds something that is no number, truth value or text, or a mix of these`)
}

/** The arrays of the inputs, as their types; arrays of other names are left out. */
function matched(found: Readonly<Record<string, Tensor>>, inputs: readonly Value[], path: string): Feeds {
  return Object.fromEntries(
    inputs.map(({ name, type }) => {
      const given = found[name]
      if (!given)
        throw invalid(
          path,
          `it has nothing for the input '${name}'; it has ${Object.keys(found).join(', ') || 'nothing'}`,
        )
      return [name, isTensorType(type) ? converted(name, given, type.dtype, path) : given] as const
    }),
  )
}

/** A tensor in another type: floats rounded to it, all other numbers only where it has them. */
function converted(name: string, given: Tensor, dtype: DType, path: string): Tensor {
  if (given.dtype === dtype) return given
  if (given.dtype === 'string' || dtype === 'string') {
    // No element is of no type.
    if (given.data.length === 0)
      return dtype === 'string' ? tensor('string', given.shape, []) : zeros(dtype, given.shape)
    throw invalid(path, `'${name}' is ${given.dtype} where ${dtype} is needed`)
  }
  const values = numbers(given)
  if (isFloat(given.dtype) && isFloat(dtype)) return fromNumbers(dtype, given.shape, values)
  const whole = isFloat(dtype) || Array.prototype.every.call(values, Number.isSafeInteger)
  if (!whole) throw invalid(path, `'${name}' is ${dtype}, but not all its numbers are whole`)
  const made = fromNumbers(dtype, given.shape, values)
  const again = numbers(made)
  const kept = Array.prototype.every.call(values, (value, i) => value === again[i] && Number.isSafeInteger(value))
  if (!kept) throw invalid(path, `'${name}' has numbers that ${dtype} has not`)
  return made
}

function invalid(path: string, problem: string): SinterError {
  return new SinterError('invalid-data', `${path} cannot be fed: ${problem}.`, { path })
}
