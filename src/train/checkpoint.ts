import { readFile } from 'node:fs/promises'
import { messageOf, SinterError } from '../base/errors.ts'
import { writeAtomically } from '../base/files.ts'
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

/** Writes a checkpoint as one safetensors file, atomically. */
export async function writeCheckpoint(
  path: string,
  { fingerprint, history, seconds, state, best }: Checkpoint,
): Promise<void> {
  const tensors = new Map<string, Tensor>()
  for (const [name, value] of state) tensors.set(`state:${name}`, value)
  for (const [name, value] of best?.tensors ?? []) tensors.set(`best:${name}`, value)
  const metadata = {
    format: 'sinter-checkpoint-1',
    fingerprint,
    history: JSON.stringify(history),
    seconds: String(seconds),
    bestEpoch: String(best?.epoch ?? -1),
  }
  await writeAtomically(path, encodeSafetensors({ tensors, metadata }))
}

/**
 * Reads a checkpoint; undefined if there is none at the path.
 * @throws SinterError `invalid-data` if the file is damaged or belongs to another training.
 */
export async function readCheckpoint(path: string, fingerprint: string): Promise<Checkpoint | undefined> {
  let file: Uint8Array
  try {
    file = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SinterError('io', `Cannot read the checkpoint ${path}: ${messageOf(error)}.`, { path }, error)
  }
  const { tensors, metadata } = decodeSafetensors(file, path)
  if (metadata.format !== 'sinter-checkpoint-1')
    throw new SinterError('invalid-data', `${path} is not a checkpoint of Sinter.`, { path })
  if (metadata.fingerprint !== fingerprint) {
    throw new SinterError(
      'invalid-data',
      `The checkpoint ${path} belongs to a training with another model, data or options. Delete it, or go on with what it was made with.`,
      { path, expected: fingerprint, found: metadata.fingerprint },
    )
  }
  const part = (prefix: string) =>
    new Map(
      [...tensors].flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
      ),
    )
  const bestEpoch = Number(metadata.bestEpoch)
  return {
    fingerprint,
    history: JSON.parse(metadata.history ?? '[]') as EpochRecord[],
    seconds: Number(metadata.seconds),
    state: part('state:'),
    best: bestEpoch < 0 ? undefined : { epoch: bestEpoch, tensors: part('best:') },
  }
}
