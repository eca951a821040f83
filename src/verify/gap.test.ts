import { expect, test } from 'vitest'
import { float32s, int64s, tensor } from '../base/tensor.ts'
import { gap, largest } from './gap.ts'

const row = (...values: number[]) => float32s([values.length], values)
const infinitelyFar = { absolute: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY }

test('equal numbers are equal, infinities and those that are none too', () => {
  const odd = [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  expect(gap(row(...odd), row(...odd))).toEqual({ absolute: 0, relative: 0 })
})

test('the largest difference is told, and as a part of the scale', () => {
  expect(gap(row(1, -8, 2), row(1, -6, 3))).toEqual({ absolute: 2, relative: 0.25 })
  expect(gap(row(Number.POSITIVE_INFINITY, 4), row(Number.POSITIVE_INFINITY, 5))).toEqual({
    absolute: 1,
    relative: 0.25,
  })
})

test('what is no number, or an infinity, on one side only is infinitely far', () => {
  expect(gap(row(1, Number.NaN), row(1, 2))).toMatchObject({ ...infinitelyFar, note: 'one is not a number' })
  expect(gap(row(0), row(Number.POSITIVE_INFINITY))).toMatchObject(infinitelyFar)
})

test('whole numbers beyond what a double holds, and texts, are compared as they are', () => {
  const large = 2n ** 60n
  const wide = tensor('int64', [1], BigInt64Array.of(large))
  expect(gap(wide, wide)).toMatchObject({ absolute: 0 })
  expect(gap(int64s([3, 4]), int64s([3, 6]))).toMatchObject({ absolute: 2 })
  const text = (value: string) => tensor('string', [1], [value])
  expect(gap(text('a'), text('a'))).toMatchObject({ absolute: 0 })
  expect(gap(text('a'), text('b'))).toMatchObject({ ...infinitelyFar, note: 'a text differs' })
})

test('other shapes, other types and nothing at all are infinitely far', () => {
  expect(gap(row(1, 2), row(1)).note).toBe('float32[2] became float32[1]')
  expect(gap(row(1), int64s([1])).note).toBe('float32[1] became int64[1]')
  expect(gap(row(1), undefined)).toMatchObject({ ...infinitelyFar, note: 'it is missing' })
})

test('of several, the worst stands with its note', () => {
  const near = { absolute: 3, relative: 0.1 }
  const far = { absolute: 1, relative: 0.5, note: 'why' }
  expect(largest([near, far])).toEqual({ absolute: 3, relative: 0.5, note: 'why' })
})
