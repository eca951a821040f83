import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ZodError } from 'zod'
import { messageOf, SinterError } from '../base/errors.ts'
import { ioError, writeAtomically } from '../base/files.ts'
import { type RunRecord, runRecord } from './run-record.ts'

/** The name of a run's record in its folder. */
export const runFileName = 'run.json'

/**
 * Checks a record and writes it as `run.json` into a run folder, which is made if need be. The file is replaced in
 * one step: a reader, or a crash, meets the old file or the new one.
 * @returns the path of the file.
 * @throws SinterError `invalid-argument` with the path inside the record (nothing is written then), `io`.
 */
export async function writeRunRecord(folder: string, record: RunRecord): Promise<string> {
  const { data, error } = runRecord.safeParse(record)
  if (error) throw refusal('invalid-argument', 'The run record cannot be written', error, { folder })
  const file = join(folder, runFileName)
  await mkdir(folder, { recursive: true }).catch(error => {
    throw ioError(error, `The run folder '${folder}'`)
  })
  await writeAtomically(file, `${JSON.stringify(data, null, 2)}\n`)
  return file
}

/**
 * Reads the record of a run folder.
 * @throws SinterError `not-found`; `invalid-data` with the path inside the JSON; `io`.
 */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const file = join(folder, runFileName)
  return parseRunRecord(await readText(file), file)
}

/**
 * The record in the text of a run.json.
 * @param source what to call the text in an error: its file.
 * @throws SinterError `invalid-data` with the path inside the JSON.
 */
export function parseRunRecord(text: string, source: string = runFileName): RunRecord {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    const message = `${source} is not JSON (${messageOf(cause)}). Was it cut short? Run the recipe again.`
    throw new SinterError('invalid-data', message, { file: source }, cause)
  }
  const { data, error } = runRecord.safeParse(json)
  if (error) throw refusal('invalid-data', `${source} is not the record of a run`, error, { file: source })
  return data
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new SinterError('not-found', `There is no ${file}. Give the folder that a run wrote.`, { file }, cause)
    }
    throw new SinterError('io', `Cannot read ${file}: ${messageOf(cause)}`, { file }, cause)
  }
}

/** The first finding in the message, all of them in the details. */
function refusal(code: 'invalid-argument' | 'invalid-data', what: string, error: ZodError, details: object) {
  const issues = error.issues.map(issue => ({ path: formatPath(issue.path), message: issue.message }))
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return new SinterError(code, `${what}: at ${first!.path}: ${first!.message}${more}.`, { ...details, issues }, error)
}

/** `models[2].test.accuracy`; the root is `$`. */
function formatPath(path: readonly PropertyKey[]): string {
  const steps = path.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return steps.join('').replace(/^\./, '') || '$'
}
