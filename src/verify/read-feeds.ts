import { readFile } from 'node:fs/promises'
import { isFloat } from '../base/dtype.ts'
import { messageOf, SinterError } from '../base/errors.ts'
import { ioError } from '../base/files.ts'
import { isTensorType, type TensorType } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor, tensor } from '../base/tensor.ts'
import { readNpz } from '../data/node-files.ts'
import type { Value } from '../graph/graph.ts'
import type { Feeds } from '../runtime/backend.ts'

/**
 * Reads what a model is to be fed from a file: a `.npz` with an array for each input, or JSON: an object of nested lists
 * by input, or a list of such objects for several runs. Numbers take the type of the input where both are whole or both
 * are not (NumPy's float64 becomes float32).
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
    const types = new Map(inputs.map(({ name, type }) => [name, type]))
    const read = Object.entries(run).map(([name, value]) => {
      const type = types.get(name)
      return [name, nested(name, value, isTensorType(type) ? type : undefined, path)] as const
    })
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

/** Nested lists as a tensor; all lists of a level must be of one length. */
function nested(name: string, value: unknown, type: TensorType | undefined, path: string): Tensor {
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
  if (flat.every(item => typeof item === 'string')) {
    if (flat.length > 0 || type?.dtype === 'string') return tensor('string', shape, flat)
  }
  if (!flat.every(item => typeof item === 'number' || typeof item === 'boolean'))
    throw invalid(path, `'${name}' holds something that is no number, truth value or text`)
  const made = Float64Array.from(flat, Number)
  const whole = type && !isFloat(type.dtype)
  if (whole && !made.every(Number.isSafeInteger))
    throw invalid(path, `'${name}' is ${type.dtype}, but not all its numbers are whole`)
  return fromNumbers(type && type.dtype !== 'string' ? type.dtype : 'float32', shape, made)
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
      return [name, isTensorType(type) ? converted(given, type) : given] as const
    }),
  )
}

function converted(given: Tensor, { dtype }: TensorType): Tensor {
  if (given.dtype === dtype || given.dtype === 'string' || dtype === 'string') return given
  return isFloat(given.dtype) === isFloat(dtype) ? fromNumbers(dtype, given.shape, numbers(given)) : given
}

function invalid(path: string, problem: string): SinterError {
  return new SinterError('invalid-data', `${path} cannot be fed: ${problem}.`, { path })
}
