import { createHash } from 'node:crypto'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SinterError } from '../base/errors.ts'
import { ioError, moveInto, writeAtomically, writeTemporary } from '../base/files.ts'
import { bytesOf, type Tensor } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { type DecodeOptions, decode } from './decode.ts'
import { encodePieces } from './encode.ts'
import { type ExternalLayout, layOut, tensorBytesOf } from './external.ts'
import { checkLocation, filesIn } from './external-files.ts'
import { maxMessageBytes } from './pieces.ts'
import { quote } from './reading.ts'

/**
 * Reads a model and, from files in its folder, its external data: looked up now, read when a tensor is first used.
 *
 * @throws SinterError as `decode` does; `not-found` and `io`; `invalid-path` for external data outside of the folder.
 */
export async function readModel(path: string, options: Pick<DecodeOptions, 'sameOperator'> = {}): Promise<Graph> {
  const bytes = await readWhole(path)
  return decode(bytes, { ...options, name: path, external: filesIn(dirname(path)) })
}

export interface WriteOptions {
  /**
   * Whether tensors go to a data file beside the model. 'auto': if they would make it larger than the 2 GiB that an
   * ONNX file can have.
   */
  readonly external?: 'auto' | 'always' | 'never'
}

/** Room for everything but tensors in a file that has all in one. */
const roomForGraph = 2 ** 26

/**
 * Writes a model. At every moment the path holds the old model or the new one, whole. A data file is named after the
 * model and its own content (`model.onnx.<hash>.data`); files so named that hold earlier contents are removed at the end.
 *
 * @returns the files that the model now consists of.
 * @throws SinterError as `encode` does; `not-found` if the folder does not exist; `io`.
 */
export async function writeModel(
  path: string,
  graph: Graph,
  { external = 'auto' }: WriteOptions = {},
): Promise<readonly string[]> {
  const tooLarge = tensorBytesOf(graph) > maxMessageBytes - roomForGraph
  const layout = external === 'always' || (external === 'auto' && tooLarge) ? layOut(graph) : undefined
  if (!layout?.byteLength) {
    await writeAtomically(path, encodePieces(graph).pieces)
    await removeDataFiles(path)
    return [path]
  }
  const { ranges } = layout
  // Whatever is wrong with the graph shows before anything is written.
  checkLocation(basename(path))
  encodePieces(graph, { external: { location: basename(path), ranges } })
  const location = await writeDataFile(path, layout)
  await writeAtomically(path, encodePieces(graph, { external: { location, ranges } }).pieces)
  await removeDataFiles(path, location)
  return [path, join(dirname(path), location)]
}

async function readWhole(path: string): Promise<Uint8Array> {
  const what = `The model ${quote(path)}`
  try {
    const status = await stat(path)
    if (!status.isFile())
      throw unreadable(path, status.isDirectory() ? 'is a folder' : 'is not a file', 'Give the path of an .onnx file.')
    if (status.size > maxMessageBytes)
      throw unreadable(path, `has ${status.size} bytes`, 'ONNX files end at 2 GiB, larger models have external data.')
    const bytes = new Uint8Array(status.size)
    const file = await open(path)
    try {
      let done = 0
      while (done < bytes.length) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return bytes.subarray(0, done)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw ioError(error, what)
  }
}

function unreadable(path: string, problem: string, advice: string): SinterError {
  return new SinterError('invalid-model', `${quote(path)} ${problem}, not an ONNX model. ${advice}`, { path, problem })
}

async function writeDataFile(path: string, layout: ExternalLayout): Promise<string> {
  const hash = createHash('sha256')
  const temporary = await writeTemporary(path, hashed(dataPieces(layout), hash))
  const name = `${basename(path)}.${hash.digest('hex').slice(0, 16)}.data`
  await moveInto(temporary, join(dirname(path), name))
  return name
}

function* dataPieces({ ranges }: ExternalLayout): Iterable<Uint8Array> {
  let end = 0
  for (const [tensor, { offset, length }] of ranges) {
    yield new Uint8Array(offset - end)
    yield dataOf(tensor, length)
    end = offset + length
  }
}

function dataOf(tensor: Tensor, length: number): Uint8Array {
  const bytes = bytesOf(tensor)
  if (bytes.length !== length) {
    const problem = `A tensor holds ${bytes.length} bytes where its shape asks for ${length}.`
    throw new SinterError('invalid-graph', problem, { shape: tensor.shape, dtype: tensor.dtype })
  }
  return bytes
}

function* hashed(pieces: Iterable<Uint8Array>, hash: { update(piece: Uint8Array): unknown }): Iterable<Uint8Array> {
  for (const piece of pieces) {
    hash.update(piece)
    yield piece
  }
}

/** Removes what earlier writes of this model left. A file that cannot be removed now will be the next time. */
async function removeDataFiles(path: string, keep?: string): Promise<void> {
  const prefix = `${basename(path)}.`
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (name === keep || !name.startsWith(prefix) || !/^[0-9a-f]{16}\.data$/.test(name.slice(prefix.length))) continue
    await rm(join(dirname(path), name), { force: true }).catch(() => {})
  }
}
