import { describe, expect, test } from 'vitest'
import { float32s, int64s, tensor } from '../base/tensor.ts'
import { cast, concat, labelsOf, subset, tensorDataset } from './dataset.ts'
import { conformDataset } from './testing/conform-dataset.ts'

const sample = () =>
  tensorDataset(
    {
      image: tensor('uint8', [4, 1, 2], Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 31)),
      label: int64s([2, 0, 1, 2]),
      name: tensor('string', [4], ['a', 'b', 'c', 'd']),
    },
    { classes: ['x', 'y', 'z'] },
  )

describe('every kind of data set', () => {
  conformDataset('tensorDataset', sample)
  conformDataset('subset', () => subset(sample(), [3, 1, 0]))
  conformDataset('concat', () => concat(sample(), subset(sample(), [2]), sample()))
  conformDataset('concat with an empty part', () => concat(subset(sample(), []), sample()))
  conformDataset('cast', () => cast(sample(), 'image', 'float32'))
})

describe('tensorDataset', () => {
  test('describes one row', () => {
    expect(sample()).toMatchObject({
      size: 4,
      fields: {
        image: { dtype: 'uint8', shape: [1, 2] },
        label: { dtype: 'int64', shape: [] },
        name: { dtype: 'string', shape: [] },
      },
      classes: ['x', 'y', 'z'],
    })
  })

  test('copies rows, whether they are neighbours or not', async () => {
    const batch = await sample().read([1, 2, 0])
    expect(batch.image!.data).toEqual(Uint8Array.of(10, 11, 20, 21, 0, 1))
    expect(batch.label!.data).toEqual(BigInt64Array.of(0n, 1n, 2n))
    expect(batch.name!.data).toEqual(['b', 'c', 'a'])
  })

  test('refuses fields of different lengths, scalars, and no fields', () => {
    const two = float32s([2], [0, 1])
    expect(() => tensorDataset({ a: two, b: float32s([3], [0, 1, 2]) })).toThrow(/'a' has 2 and 'b' has 3 rows/)
    expect(() => tensorDataset({ a: float32s([], [0]) })).toThrow(/rank 0/)
    expect(() => tensorDataset({})).toThrow(/at least one field/)
  })

  test('reads rows of packed types where they end on a byte', async () => {
    const packed = tensorDataset({ x: tensor('int4', [3, 4], Uint8Array.of(1, 2, 3, 4, 5, 6)) })
    expect((await packed.read([2, 0])).x!.data).toEqual(Uint8Array.of(5, 6, 1, 2))
    const odd = tensorDataset({ x: tensor('int4', [2, 3], Uint8Array.of(1, 2, 3)) })
    await expect(odd.read([0])).rejects.toThrow(/do not end on a byte/)
  })
})

test('subset renumbers rows', async () => {
  const part = subset(subset(sample(), [3, 1, 0]), [2, 0])
  expect(part.size).toBe(2)
  expect((await part.read([0, 1])).name!.data).toEqual(['a', 'd'])
  expect(() => subset(sample(), [4])).toThrow(/no row 4/)
})

describe('concat', () => {
  test('continues the numbering', async () => {
    const both = concat(sample(), subset(sample(), [3, 2]))
    expect(both.size).toBe(6)
    const batch = await both.read([5, 0, 4, 3])
    expect(batch.name!.data).toEqual(['c', 'a', 'd', 'd'])
    expect(batch.image!.data).toEqual(Uint8Array.of(20, 21, 0, 1, 30, 31, 30, 31))
  })

  test('refuses data sets that differ in fields or classes', () => {
    expect(() => concat(sample(), cast(sample(), 'image', 'float32'))).toThrow(/'image': uint8\[1,2\] and float32/)
    expect(() => concat(sample(), { ...sample(), classes: ['x'] })).toThrow(/classes differently/)
  })
})

test('cast converts the numbers of one field', async () => {
  const dataset = cast(sample(), 'image', 'float32')
  expect(dataset.fields.image).toEqual({ dtype: 'float32', shape: [1, 2] })
  expect((await dataset.read([3])).image!.data).toEqual(Float32Array.of(30, 31))
  expect(() => cast(sample(), 'picture', 'float32')).toThrow(/no field 'picture'; it has image, label, name/)
})

test('labelsOf gives the class of every row, and refuses a field that is not one', async () => {
  expect(await labelsOf(sample())).toEqual(Int32Array.of(2, 0, 1, 2))
  await expect(labelsOf(sample(), 'image')).rejects.toThrow(/uint8\[1,2\] per row/)
  const many = tensorDataset({ label: int64s(Array.from({ length: 2500 }, (_, i) => i)) })
  expect(await labelsOf(many)).toEqual(Int32Array.from({ length: 2500 }, (_, i) => i))
})
