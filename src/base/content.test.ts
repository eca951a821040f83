import { expect, test } from 'vitest'
import { contentIds, sameContent } from './content.ts'
import { float32s, full, int64s, tensor } from './tensor.ts'

test('tensors are the same when type, shape and every bit are', () => {
  const a = float32s([2, 2], [1, 2, 3, Number.NaN])
  expect(sameContent(a, float32s([2, 2], [1, 2, 3, Number.NaN]))).toBe(true)
  expect(sameContent(a, float32s([4], [1, 2, 3, Number.NaN]))).toBe(false)
  expect(sameContent(a, float32s([2, 2], [1, 2, 4, Number.NaN]))).toBe(false)
  expect(sameContent(float32s([1], [0]), float32s([1], [-0]))).toBe(false)
  expect(sameContent(full('int32', [2], 0), full('uint32', [2], 0))).toBe(false)
  expect(sameContent(tensor('string', [2], ['a', 'b']), tensor('string', [2], ['a', 'b']))).toBe(true)
  expect(sameContent(tensor('string', [2], ['a', 'b']), tensor('string', [2], ['a', 'c']))).toBe(false)
})

test('alignment in memory does not matter', () => {
  const bytes = new Uint8Array(9)
  bytes.set([1, 2, 3, 4], 1)
  const offset = tensor('uint8', [4], bytes.subarray(1, 5))
  expect(sameContent(offset, tensor('uint8', [4], Uint8Array.of(1, 2, 3, 4)))).toBe(true)
  expect(sameContent(tensor('uint8', [4], Uint8Array.of(1, 2, 3, 5)), offset)).toBe(false)
})

test('numbers tell contents apart, also where only one element in many differs', () => {
  const id = contentIds()
  const values = Float32Array.from({ length: 1000 }, (_, i) => i)
  const changed = values.slice()
  changed[501] = -1
  const a = id(float32s([1000], values))
  expect(id(float32s([1000], values.slice()))).toBe(a)
  expect(id(float32s([1000], changed))).not.toBe(a)
  expect(id(int64s([1]))).toBe(id(int64s([1])))
})
