import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ioError } from './io-error.ts'
import { quote } from './reading.ts'

/** Writes that a system takes in one call. */
const chunk = 2 ** 26

/** Writes pieces one after the other into a file that appears under its name when it is whole, or not at all. */
export async function writeAtomically(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const temporary = await writeTemporary(path, pieces)
  await moveInto(temporary, path)
}

/** Writes pieces into a new file beside `path`, forces them to the disk and returns the file's path. */
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
    await rm(temporary, { force: true })
    throw ioError(error, `The folder of ${quote(path)}`)
  }
}

/** Gives a temporary file its name, in the place of what had that name. */
export async function moveInto(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw ioError(error, `The file ${quote(path)}`)
  }
}

async function writePiece(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await file.write(piece, done, Math.min(piece.length - done, chunk))
    done += bytesWritten
  }
}
