import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { SinterError } from '../base/errors.ts'
import { ioError } from '../base/files.ts'
import { type ExternalData, type ExternalResolver, quote } from './reading.ts'

/**
 * Opens the data files that a model names, confined to its folder.
 * @throws SinterError `invalid-path` for a location that leads out of the folder, by its text or by a symbolic link;
 * `not-found` for one that leads nowhere.
 */
export function filesIn(folder: string): ExternalResolver {
  const open = new Map<string, ExternalData>()
  return location => {
    const file = open.get(location) ?? openDataFile(confine(folder, location))
    open.set(location, file)
    return file
  }
}

/** Refuses locations that could mean a file elsewhere on any system: the same model must be safe everywhere. */
export function checkLocation(location: string): void {
  const segments = location.split('/')
  const problem =
    location === ''
      ? 'is empty'
      : location.includes('\0')
        ? 'has a NUL character'
        : location.includes('\\')
          ? 'has a backslash'
          : location.startsWith('/') || /^[a-z]:/i.test(location)
            ? 'is absolute'
            : segments.includes('..')
              ? "goes up with '..'"
              : undefined
  if (problem) throw outside(location, problem)
}

function confine(folder: string, location: string): string {
  checkLocation(location)
  try {
    const file = realpathSync(join(folder, location))
    const inside = relative(realpathSync(folder), file)
    if (isAbsolute(inside) || inside.split(/[/\\]/)[0] === '..') throw outside(location, 'leads out through a link')
    // Opening a pipe or a device would wait, or never end.
    if (!statSync(file).isFile()) throw outside(location, 'is not a file')
    return file
  } catch (error) {
    throw ioError(error, `The data file ${quote(location)} of the model in ${quote(folder)}`)
  }
}

function outside(location: string, problem: string): SinterError {
  return new SinterError(
    'invalid-path',
    `The model keeps data at ${quote(location)}, which ${problem}. Data must be in files inside of the model's folder.`,
    { location, problem },
  )
}

/** Closes a file once no tensor that would read it is left. */
const closing = new FinalizationRegistry<number>(closeSync)

/**
 * The file stays open, so that what is read later is what was checked now, even if another file takes its name.
 */
function openDataFile(path: string): ExternalData {
  const what = `The data file ${quote(path)}`
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  } catch (error) {
    throw ioError(error, what)
  }
  const file: ExternalData = {
    byteLength: fstatSync(descriptor).size,
    read: (offset, length) => readRange(file, descriptor, what, offset, length),
  }
  closing.register(file, descriptor)
  return file
}

/** `_file` is held on to while its descriptor is in use. */
function readRange(_file: ExternalData, descriptor: number, what: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    let count: number
    try {
      count = readSync(descriptor, bytes, done, Math.min(length - done, 2 ** 30), offset + done)
    } catch (error) {
      throw ioError(error, what)
    }
    if (count === 0) throw new SinterError('io', `${what} became shorter while it was read. Read the model again.`)
    done += count
  }
  return bytes
}
