import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SinterError } from './errors.ts'
import { writeAtomically } from './files.ts'

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
