import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { float32s, type Tensor } from '../base/tensor.ts'
import { type BatchesOptions, batchCount, batches, type Transform } from './batches.ts'
import { type Dataset, tensorDataset } from './dataset.ts'

const dataset = tensorDataset({ x: float32s([10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) })

async function valuesOf(options: BatchesOptions, from: Dataset = dataset): Promise<number[][]> {
  const result: number[][] = []
  for await (const batch of batches(from, options)) result.push([...(batch.x as Tensor<'float32'>).data])
  return result
}

/** Adds a random number in [0, 1) to each row. */
const jitter: Transform = (batch, randomOf) => {
  const { data, shape } = batch.x as Tensor<'float32'>
  return {
    x: float32s(
      shape,
      data.map((value, row) => value + randomOf(row).uniform()),
    ),
  }
}

describe('batches', () => {
  test('come in order without a random stream, the last one smaller', async () => {
    expect(await valuesOf({ size: 4 })).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
  })

  test('dropLast leaves out a batch that is not full', async () => {
    expect((await valuesOf({ size: 4, dropLast: true })).length).toBe(2)
    expect(await valuesOf({ size: 11, dropLast: true })).toEqual([])
    expect([batchCount(10, { size: 4 }), batchCount(10, { size: 4, dropLast: true })]).toEqual([3, 2])
  })

  test('are shuffled anew each epoch and hold every row once', async () => {
    const epochs = [0, 1].map(epoch => valuesOf({ size: 3, random: random(1), epoch }))
    const [first, second] = (await Promise.all(epochs)).map(epoch => epoch.flat())
    expect(first).not.toEqual(second)
    expect(first!.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('are the same for the same seed, whatever was drawn before and however slow reading is', async () => {
    const drawn = random(1)
    drawn.uniform()
    const slow: Dataset = {
      ...dataset,
      read: async rows => {
        await new Promise(resolve => setTimeout(resolve, rows[0]! % 3))
        return dataset.read(rows)
      },
    }
    const options = { size: 3, epoch: 2, transform: jitter }
    expect(await valuesOf({ ...options, random: drawn }, slow)).toEqual(
      await valuesOf({ ...options, random: random(1) }),
    )
  })

  test('transform each row alike whatever the batch size', async () => {
    const options = { random: random(1), transform: jitter }
    expect((await valuesOf({ ...options, size: 3 })).flat()).toEqual((await valuesOf({ ...options, size: 10 })).flat())
  })

  test('read the next batch before the caller is done with this one', async () => {
    const read: number[] = []
    const watched: Dataset = {
      ...dataset,
      read: async rows => {
        read.push(rows[0]!)
        return dataset.read(rows)
      },
    }
    const seen: number[][] = []
    for await (const _ of batches(watched, { size: 4 })) seen.push([...read])
    expect(seen).toEqual([
      [0, 4],
      [0, 4, 8],
      [0, 4, 8],
    ])
  })

  test('a failure reaches the caller, and one that nobody waits for harms nobody', async () => {
    const failing: Dataset = {
      ...dataset,
      read: async rows => {
        if (rows[0] === 4) throw new Error('disk on fire')
        return dataset.read(rows)
      },
    }
    await expect(valuesOf({ size: 4 }, failing)).rejects.toThrow('disk on fire')
    for await (const _ of batches(failing, { size: 4 })) break
    await new Promise(resolve => setImmediate(resolve))
  })

  test('refuses a size that is no count, and a transform without a random stream', async () => {
    await expect(valuesOf({ size: 0 })).rejects.toThrow(/positive whole number/)
    await expect(valuesOf({ size: 2, transform: jitter })).rejects.toThrow(/needs a random stream/)
  })
})
