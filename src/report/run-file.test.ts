import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runFixture } from '../../test/fixtures/run-record.ts'
import { parseRunRecord, readRunRecord, writeRunRecord } from './run-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-run-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('what is written is read back, from a folder that did not exist', async () => {
  const run = runFixture()
  const runFolder = join(folder, 'runs', 'digits')
  expect(await writeRunRecord(runFolder, run)).toBe(join(runFolder, 'run.json'))
  expect(await readRunRecord(runFolder)).toEqual(run)
  expect(await readdir(runFolder)).toEqual(['run.json'])
})

test('an invalid record is refused with its path, and the file that was there stays', async () => {
  const run = runFixture()
  await writeRunRecord(folder, run)
  const before = await readFile(join(folder, 'run.json'), 'utf8')
  const models = run.models.map((model, i) => (i === 1 ? { ...model, trainSeconds: Number.NaN } : model))
  await expect(writeRunRecord(folder, { ...run, models })).rejects.toMatchObject({
    name: 'SinterError',
    code: 'invalid-argument',
    message: expect.stringContaining('models[1].trainSeconds'),
  })
  expect(await readFile(join(folder, 'run.json'), 'utf8')).toBe(before)
})

test('a folder without a run is refused', async () => {
  await expect(readRunRecord(folder)).rejects.toMatchObject({ code: 'not-found' })
})

test('a file cut short is refused, and named', async () => {
  const file = await writeRunRecord(folder, runFixture())
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 1_000))
  await expect(readRunRecord(folder)).rejects.toMatchObject({
    code: 'invalid-data',
    message: expect.stringContaining(file),
  })
})

test('a wrong value is refused with its path inside of the JSON, and all findings are in the details', () => {
  const run = runFixture()
  const models = run.models.map((model, i) => (i === 2 ? { ...model, bytes: '12', parameters: -1 } : model))
  expect(() => parseRunRecord(JSON.stringify({ ...run, models }), 'a/run.json')).toThrowError(
    expect.objectContaining({
      code: 'invalid-data',
      message: expect.stringMatching(/^a\/run\.json .* at models\[2\]\.parameters: .* \(and 1 more\)\.$/),
      details: expect.objectContaining({
        issues: [
          expect.objectContaining({ path: 'models[2].parameters' }),
          expect.objectContaining({ path: 'models[2].bytes' }),
        ],
      }),
    }),
  )
  expect(() => parseRunRecord('[]')).toThrowError(/at \$: /)
})
