import { expect, test } from 'vitest'
import { SinterError } from '../../base/errors.ts'
import { elementCount } from '../../base/shape.ts'
import type { Batch, Dataset } from '../dataset.ts'

/** Declares the tests that every kind of data set passes. The sample needs 3 rows or more, with fixed shapes. */
export function conformDataset(name: string, make: () => Dataset | Promise<Dataset>): void {
  const rowsOf = (batch: Batch, row: number) =>
    Object.fromEntries(
      Object.entries(batch).map(([field, { data, shape }]) => {
        const width = data.length / shape[0]!
        return [field, [...(data as Float32Array).slice(row * width, (row + 1) * width)]]
      }),
    )

  test(`${name}: a batch has the declared fields, types and shapes`, async () => {
    const dataset = await make()
    const batch = await dataset.read([2, 0])
    expect(Object.keys(batch).sort()).toEqual(Object.keys(dataset.fields).sort())
    for (const [field, { dtype, shape }] of Object.entries(dataset.fields)) {
      expect(batch[field]).toMatchObject({ dtype, shape: [2, ...shape!] })
      expect(batch[field]!.data.length % elementCount(batch[field]!.shape)).toBe(0)
    }
  })

  test(`${name}: rows come in the order asked for, as often as asked for`, async () => {
    const dataset = await make()
    const last = dataset.size - 1
    const [mixed, first, end] = await Promise.all([
      dataset.read([last, 0, last]),
      dataset.read([0]),
      dataset.read([last]),
    ])
    expect([0, 1, 2].map(row => rowsOf(mixed, row))).toEqual([rowsOf(end, 0), rowsOf(first, 0), rowsOf(end, 0)])
  })

  test(`${name}: reading no rows, or only some fields, is allowed`, async () => {
    const dataset = await make()
    const [field] = Object.keys(dataset.fields)
    expect((await dataset.read([]))[field!]!.shape[0]).toBe(0)
    expect((await dataset.read([1], [field!]))[field!]).toEqual((await dataset.read([1]))[field!])
  })

  test(`${name}: a row that does not exist is refused`, async () => {
    const dataset = await make()
    for (const row of [-1, dataset.size, 0.5, Number.NaN]) {
      await expect(dataset.read([0, row])).rejects.toThrow(SinterError)
    }
  })
}
