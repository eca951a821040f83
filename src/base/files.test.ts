import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SinterError } from './errors.ts'
import { ioError, writeAtomically } from './files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-files-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('texts, bytes and pieces are written, and nothing else is left in the folder', async () => {
  const path = join(folder, 'file')
  await writeAtomically(path, 'größer')
  expect(await readFile(path, 'utf8')).toBe('größer')
  await writeAtomically(path, Uint8Array.of(1, 2))
  expect([...(await readFile(path))]).toEqual([1, 2])
  await writeAtomically(path, [Uint8Array.of(3), new Uint8Array(0), Uint8Array.of(4, 5)])
  expect([...(await readFile(path))]).toEqual([3, 4, 5])
  expect(await readdir(folder)).toEqual(['file'])
})

test('pieces that fail half way leave the old file, and their error passes through', async () => {
  const path = join(folder, 'file')
  await writeFile(path, 'old')
  const failing = function* () {
    yield Uint8Array.of(1)
    throw new SinterError('invalid-graph', 'a piece is wrong')
  }
  await expect(writeAtomically(path, failing())).rejects.toMatchObject({ code: 'invalid-graph' })
  expect(await readFile(path, 'utf8')).toBe('old')
  expect(await readdir(folder)).toEqual(['file'])
})

test('a folder that is missing or a place that is taken is refused with its path', async () => {
  await expect(writeAtomically(join(folder, 'no', 'file'), '')).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining(join('no', 'file')),
  })
  await mkdir(join(folder, 'taken'))
  await expect(writeAtomically(join(folder, 'taken'), '')).rejects.toMatchObject({ code: 'io' })
  expect(await readdir(folder)).toEqual(['taken'])
})

test.skipIf(process.platform !== 'linux')('a folder that takes no files is not said to be missing', async () => {
  const error = await writeAtomically('/proc/x.onnx', '').catch(thrown => thrown)
  expect(error).toMatchObject({
    code: 'io',
    message: expect.stringMatching(/^The folder of '\/proc\/x.onnx' cannot be/),
  })
  expect(error.message).not.toMatch(/\.tmp/)
})

test('a message of the system says nothing of temporary files', () => {
  const error = Object.assign(new Error("EACCES: permission denied, open '/x/.a.1234.tmp'"), { code: 'EACCES' })
  expect(ioError(error, "The file 'a'").message).toBe("The file 'a' cannot be used: EACCES: permission denied.")
})
