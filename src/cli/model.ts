import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { isTensorType } from '../base/shape.ts'
import { isLazy, tensorBytes } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { infer } from '../read/infer.ts'

/** What a model takes on disk: its file, and the tensors that it keeps in others. */
export async function bytesOfModel(path: string, graph: Graph): Promise<number> {
  const { size } = await stat(path)
  return [...graph.initializers.values()].filter(isLazy).reduce((sum, tensor) => sum + tensorBytes(tensor), size)
}

/** Whether some weights of a model that was just read are in other files; its edits keep them so. */
export function hasExternalData({ initializers }: Graph): boolean {
  return [...initializers.values()].some(isLazy)
}

/** What to call the models of some files: the files' names, with a number where two are alike. */
export function modelNames(paths: readonly string[]): readonly string[] {
  const names = paths.map(path => basename(path, extname(path)))
  return names.map((name, i) => {
    const before = names.slice(0, i).filter(one => one === name).length
    return before === 0 ? name : `${name}-${before + 1}`
  })
}

/** Names of the classes that a model's metadata gives, as Sinter writes it: a JSON array. */
export function classNames({ metadata }: Graph): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(metadata.classes ?? 'null')
    return Array.isArray(parsed) && parsed.every(one => typeof one === 'string') ? parsed : undefined
  } catch {
    return undefined
  }
}

/**
 * The output that holds a classifier's scores: the one asked for, `probabilities`, `logits`, or the only one that is a
 * floating-point matrix.
 * @throws SinterError `not-found` if it has none of the name, `invalid-argument` where it is not clear which.
 */
export function scoresOutput(graph: Graph, wanted?: string): string {
  const names = graph.outputs.map(({ name }) => name)
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted
    throw new SinterError('not-found', `The model has no output '${wanted}'; it has ${names.join(', ')}.`, {
      output: wanted,
      outputs: names,
    })
  }
  const usual = ['probabilities', 'logits'].find(name => names.includes(name))
  if (usual !== undefined) return usual
  const types = infer(graph)
  const matrices = names.filter(name => {
    const type = types.get(name)
    return isTensorType(type) && isFloat(type.dtype) && (type.shape?.length ?? 2) === 2
  })
  const candidates = names.length === 1 ? names : matrices
  if (candidates.length === 1) return candidates[0]!
  throw new SinterError(
    'invalid-argument',
    `Which of the outputs ${names.join(', ')} holds the scores of the classes? Name it with --output.`,
    { outputs: names },
  )
}

/** Number of classes that an output tells apart; undefined where its shape does not say. */
export function classCount(graph: Graph, output: string): number | undefined {
  const type = infer(graph).get(output) ?? graph.outputs.find(({ name }) => name === output)?.type
  const last = isTensorType(type) && type.shape?.length === 2 ? type.shape[1] : undefined
  return typeof last === 'number' ? last : undefined
}

/**
 * Refuses a place that could not be written, before there is work to lose, and never lets an output take the place of
 * what it is made from.
 * @throws SinterError `invalid-argument` if it is one of the inputs or a folder, `not-found` if its folder does not exist.
 */
export async function checkOutput(path: string, inputs: readonly string[]): Promise<void> {
  const folder = dirname(resolve(path))
  const real = await realpath(folder).catch(() => undefined)
  if (real === undefined)
    throw new SinterError('not-found', `The folder of ${path} does not exist; make it first.`, { path })
  const found = await stat(path).catch(() => undefined)
  if (found && !found.isFile())
    throw new SinterError('invalid-argument', `${path} is a folder; give the name of a file to write.`, { path })
  const target = await realpath(path).catch(() => join(real, basename(path)))
  for (const input of inputs) {
    if ((await realpath(input).catch(() => resolve(input))) === target)
      throw new SinterError('invalid-argument', `${path} is an input; it is not overwritten. Name another file.`, {
        path,
      })
  }
}
