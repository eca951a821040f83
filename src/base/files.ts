import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, SinterError } from './errors.ts'

/**
 * Writes a file so that a reader, or a crash, sees the old contents or the new, never a part: to a temporary file beside
 * it, flushed, then renamed. Folders on the way are made. (Node only.)
 * @throws SinterError `io` if the place cannot be written.
 */
export async function writeAtomically(path: string, contents: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(contents)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw new SinterError('io', `Cannot write ${path}: ${messageOf(error)}.`, { path }, error)
  }
}
