import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { messageOf, SinterError } from './errors.ts'

/** The most that a system takes in one call to write, in bytes. */
const chunk = 2 ** 26

/**
 * Writes a file so that a reader, or a crash, sees the old contents or the new, never a part: to a temporary file beside
 * it, flushed, then renamed. (Node only.)
 * @param contents a text, bytes, or pieces of bytes that follow each other.
 * @throws SinterError `not-found` if the folder does not exist, `io` if the place cannot be written. What making the
 *   pieces throws passes through; the old file stays.
 */
export async function writeAtomically(
  path: string,
  contents: string | Uint8Array | Iterable<Uint8Array>,
): Promise<void> {
  await moveInto(await writeTemporary(path, piecesOf(contents)), path)
}

/** Writes pieces into a new file beside `path`, forces them to the disk and returns the file's path. Throws as `writeAtomically`. */
export async function writeTemporary(path: string, pieces: Iterable<Uint8Array>): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
  let file: FileHandle | undefined
  try {
    file = await open(temporary, 'wx')
    for (const piece of pieces) await writePiece(file, piece)
    await file.sync()
    await file.close()
    return temporary
  } catch (error) {
    await file?.close().catch(() => {})
    await rm(temporary, { force: true }).catch(() => {})
    if (file) throw ioError(error, `The file '${path}'`)
    throw (await isFolder(dirname(path))) ? unwritable(error, path) : ioError(error, `The folder of '${path}'`)
  }
}

/** Gives a temporary file its name, in the place of what had that name. Throws as `writeAtomically`. */
export async function moveInto(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw ioError(error, `The file '${path}'`)
  }
}

/** A file system's error as Sinter's: `not-found` or `io`. Errors that are Sinter's already stay. `what` begins the sentence. */
export function ioError(error: unknown, what: string): SinterError {
  if (error instanceof SinterError) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new SinterError('not-found', `${what} does not exist. Check the path.`, {}, error)
  return new SinterError('io', `${what} cannot be used: ${withoutCall(error)}.`, { code }, error)
}

/** What a system has against making a file in a folder that there is. It may say, as /proc does, that there is none. */
function unwritable(error: unknown, path: string): SinterError {
  if (error instanceof SinterError) return error
  const { code } = error as NodeJS.ErrnoException
  const why = code === 'ENOENT' ? 'it takes no files' : withoutCall(error)
  return new SinterError('io', `The folder of '${path}' cannot be written to: ${why}.`, { code }, error)
}

/** A system's message without the call and the path in it, which may be a temporary file's: `EACCES: permission denied`. */
function withoutCall(error: unknown): string {
  return messageOf(error).replace(/, \w+( '.*)?$/s, '')
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}

function piecesOf(contents: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof contents === 'string') return [new TextEncoder().encode(contents)]
  return contents instanceof Uint8Array ? [contents] : contents
}

async function writePiece(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await file.write(piece, done, Math.min(piece.length - done, chunk))
    done += bytesWritten
  }
}
