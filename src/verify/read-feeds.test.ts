import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Tensor, tensor } from '../base/tensor.ts'
import { writeNpz } from '../data/testing/write-npz.ts'
import type { Value } from '../graph/graph.ts'
import { readFeeds } from './read-feeds.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-feeds-'))
})
afterAll(() => rm(folder, { recursive: true }))

const inputs: readonly Value[] = [
  { name: 'x', type: { dtype: 'float32', shape: ['N', 2] } },
  { name: 'ids', type: { dtype: 'int64', shape: ['N'] } },
]

async function json(document: unknown) {
  const path = join(folder, 'feeds.json')
  await writeFile(path, JSON.stringify(document))
  return readFeeds(path, inputs)
}

test('an archive of NumPy gives one run, in the types of the inputs', async () => {
  const path = join(folder, 'feeds.npz')
  await writeNpz(path, {
    x: tensor('float64', [1, 2], Float64Array.of(0.5, 2)),
    ids: tensor('int64', [1], BigInt64Array.of(3n)),
    other: tensor('uint8', [1], Uint8Array.of(1)),
  })
  expect(await readFeeds(path, inputs)).toEqual([
    { x: tensor('float32', [1, 2], Float32Array.of(0.5, 2)), ids: tensor('int64', [1], BigInt64Array.of(3n)) },
  ])
})

test('JSON gives one run or several', async () => {
  const run = {
    x: [
      [1, 2],
      [3, 4],
    ],
    ids: [5, 6],
  }
  const [one] = await json(run)
  expect(one!.x).toEqual(tensor('float32', [2, 2], Float32Array.of(1, 2, 3, 4)))
  expect(one!.ids).toEqual(tensor('int64', [2], BigInt64Array.of(5n, 6n)))
  expect(await json([run, run])).toHaveLength(2)
})

test('JSON may say type and shape', async () => {
  const [run] = await json({
    x: { dtype: 'float64', shape: [2, 2], data: [1, 2, 3, 4] },
    ids: { shape: [0], data: [] },
  })
  expect(run!.x).toEqual(tensor('float32', [2, 2], Float32Array.of(1, 2, 3, 4)))
  expect(run!.ids).toEqual(tensor('int64', [0], new BigInt64Array(0)))
  await expect(json({ x: { shape: [2, 2], data: [1] }, ids: [1] })).rejects.toThrow(/asks for others/)
  await expect(json({ x: { dtype: 'float', shape: [1], data: [1] }, ids: [1] })).rejects.toThrow(/which there is not/)
})

test('numbers take the type of the input wherever that has them', async () => {
  const path = join(folder, 'types.npz')
  const read = async (x: Tensor, ids: Tensor) => {
    await writeNpz(path, { x, ids })
    return (await readFeeds(path, inputs))[0]!
  }
  const x = tensor('int64', [1, 2], BigInt64Array.of(7n, -1n))
  const ids = tensor('float64', [1], Float64Array.of(3))
  expect(await read(x, ids)).toEqual({
    x: tensor('float32', [1, 2], Float32Array.of(7, -1)),
    ids: tensor('int64', [1], BigInt64Array.of(3n)),
  })
  await expect(read(x, tensor('float64', [1], Float64Array.of(3.5)))).rejects.toThrow(/not all its numbers are whole/)
  const large = tensor('int64', [1, 2], BigInt64Array.of(2n ** 24n + 1n, 0n))
  await expect(read(large, ids)).rejects.toThrow(/has numbers that float32 has not/)
})

test('what is not understood is refused', async () => {
  await expect(json({ x: [[1, 2]] })).rejects.toThrow(/nothing for the input 'ids'; it has x/)
  await expect(json({ x: [[1, 2], [3]], ids: [1, 2] })).rejects.toThrow(/not of one length/)
  await expect(json({ x: [[1, 2]], ids: [0.5] })).rejects.toThrow(/not all its numbers are whole/)
  await expect(json([])).rejects.toThrow(/empty list/)
  await expect(readFeeds(join(folder, 'feeds.csv'), inputs)).rejects.toMatchObject({ code: 'invalid-data' })
  await expect(readFeeds(join(folder, 'missing.json'), inputs)).rejects.toMatchObject({ code: 'not-found' })
})
