import { messageOf, SinterError } from '../base/errors.ts'

/** A file system's error as Sinter's: `not-found` or `io`. Errors that are Sinter's already stay. `what` begins the sentence. */
export function ioError(error: unknown, what: string): SinterError {
  if (error instanceof SinterError) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new SinterError('not-found', `${what} does not exist. Check the path.`, {}, error)
  return new SinterError('io', `${what} cannot be used: ${messageOf(error)}.`, { code }, error)
}
