import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SinterError } from '../base/errors.ts'
import { ioError, writeAtomically } from '../base/files.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { decodeSafetensors, encodeSafetensors } from '../onnx/safetensors.ts'
import type { EpochRecord } from './history.ts'

/** All that training needs to go on where it stopped, after a whole epoch. */
export interface Checkpoint {
  /** Identifies model, data and options: a checkpoint of another training is refused. */
  readonly fingerprint: string
  readonly history: readonly EpochRecord[]
  readonly seconds: number
  readonly state: ReadonlyMap<string, Tensor>
  /** The model's tensors at the best epoch so far, and that epoch. */
  readonly best: { readonly epoch: number; readonly tensors: ReadonlyMap<string, Tensor> } | undefined
}

const format = 'sinter-checkpoint-1'

/** Writes a checkpoint as one safetensors file, atomically; its folder is made if need be. */
export async function writeCheckpoint(
  path: string,
  { fingerprint, history, seconds, state, best }: Checkpoint,
): Promise<void> {
  const tensors = new Map<string, Tensor>()
  for (const [name, value] of state) tensors.set(`state:${name}`, value)
  for (const [name, value] of best?.tensors ?? []) tensors.set(`best:${name}`, value)
  const metadata = {
    format,
    fingerprint,
    progress: JSON.stringify({ history, seconds, bestEpoch: best?.epoch ?? null }, keepNonFinite),
  }
  await mkdir(dirname(path), { recursive: true }).catch(error => {
    throw ioError(error, `The folder of the checkpoint ${path}`)
  })
  await writeAtomically(path, encodeSafetensors({ tensors, metadata }))
}

/**
 * Reads a checkpoint; undefined if there is none at the path.
 * @throws SinterError `invalid-data` if the file is damaged or belongs to another training; `io`.
 */
export async function readCheckpoint(path: string, fingerprint: string): Promise<Checkpoint | undefined> {
  let file: Uint8Array
  try {
    file = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw ioError(error, `The checkpoint ${path}`)
  }
  const { tensors, metadata } = decodeSafetensors(file, `The checkpoint ${path}`)
  if (metadata.format !== format) throw damaged(path, 'is not a checkpoint of this version of Sinter')
  if (metadata.fingerprint !== fingerprint) {
    throw new SinterError(
      'invalid-data',
      `The checkpoint ${path} belongs to a training with another model, data or options. Delete it, or go on with what it was made with.`,
      { path, expected: fingerprint, found: metadata.fingerprint },
    )
  }
  const { history, seconds, bestEpoch } = progressOf(metadata.progress, path)
  const part = (prefix: string) =>
    new Map(
      [...tensors].flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
      ),
    )
  return {
    fingerprint,
    history,
    seconds,
    state: part('state:'),
    best: bestEpoch === null ? undefined : { epoch: bestEpoch, tensors: part('best:') },
  }
}

/**
 * Makes sure that a checkpoint's tensors are those that a training goes on with.
 * @throws SinterError `invalid-data` that names the first one that is missing, too many, or of another type or shape.
 */
export function checkTensors(
  found: ReadonlyMap<string, Tensor>,
  wanted: ReadonlyMap<string, Pick<Tensor, 'dtype' | 'shape'>>,
  path: string,
): void {
  for (const name of new Set([...wanted.keys(), ...found.keys()])) {
    const [has, needs] = [found.get(name), wanted.get(name)]
    if (has && needs && has.dtype === needs.dtype && sameShape(has.shape, needs.shape)) continue
    const say = (one: Pick<Tensor, 'dtype' | 'shape'> | undefined) =>
      one ? `${one.dtype}${formatShape(one.shape)}` : 'nothing'
    throw damaged(path, `does not fit this training: of '${name}' it has ${say(has)}, needed is ${say(needs)}`)
  }
}

interface Progress {
  readonly history: readonly EpochRecord[]
  readonly seconds: number
  readonly bestEpoch: number | null
}

function progressOf(text: string | undefined, path: string): Progress {
  try {
    const { history, seconds, bestEpoch } = JSON.parse(text ?? '', restoreNonFinite) as Progress
    const epochs = Array.isArray(history) ? history.length : -1
    const knowsBest = bestEpoch === null || (Number.isInteger(bestEpoch) && bestEpoch >= 1 && bestEpoch <= epochs)
    if (epochs >= 0 && Number.isFinite(seconds) && knowsBest) return { history, seconds, bestEpoch }
  } catch {
    // Told of below, as all that is no progress.
  }
  throw damaged(path, 'does not say how far its training came')
}

function damaged(path: string, problem: string): SinterError {
  return new SinterError('invalid-data', `The checkpoint ${path} ${problem}. Delete it to begin anew.`, { path })
}

const nonFinite = ['NaN', 'Infinity', '-Infinity']

/** JSON has no NaN and no infinity, which a validation loss may well be: they travel as texts. */
function keepNonFinite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

function restoreNonFinite(_: string, value: unknown): unknown {
  return typeof value === 'string' && nonFinite.includes(value) ? Number(value) : value
}
