import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dtypes } from './dtype.ts'
import {
  bytesOf,
  fromNumbers,
  full,
  halfBits,
  halfValue,
  int64s,
  isLazy,
  lazyTensor,
  numbers,
  reshape,
  scalar,
  tensor,
  zeros,
} from './tensor.ts'

const halves = ['float16', 'bfloat16'] as const

describe.each(halves)('%s', dtype => {
  const finite = Array.from({ length: 0x8000 }, (_, bits) => bits).filter(bits =>
    Number.isFinite(halfValue(dtype, bits)),
  )

  test('every value comes back from its bits', () => {
    for (const bits of finite) {
      expect(halfBits(dtype, halfValue(dtype, bits))).toBe(bits)
      expect(halfBits(dtype, -halfValue(dtype, bits))).toBe(bits | 0x8000)
    }
  })

  test('what lies between two values goes to the nearer one, from the middle to the even one', () => {
    for (const bits of finite.slice(0, -1)) {
      const [low, high] = [halfValue(dtype, bits), halfValue(dtype, bits + 1)]
      const middle = low + (high - low) / 2
      const even = bits % 2 === 0 ? bits : bits + 1
      expect(halfBits(dtype, middle)).toBe(even)
      expect(halfBits(dtype, middle - middle * 2 ** -40)).toBe(bits)
      expect(halfBits(dtype, middle + middle * 2 ** -40)).toBe(bits + 1)
    }
  })

  test('too large is infinite, not a number stays so', () => {
    const infinity = finite.at(-1)! + 1
    const largest = halfValue(dtype, finite.at(-1)!)
    const half = (largest - halfValue(dtype, finite.at(-2)!)) / 2
    expect(halfBits(dtype, largest + half)).toBe(infinity)
    expect(halfBits(dtype, largest + half * 0.99)).toBe(infinity - 1)
    expect(halfBits(dtype, Number.NEGATIVE_INFINITY)).toBe(infinity | 0x8000)
    expect(halfValue(dtype, infinity)).toBe(Number.POSITIVE_INFINITY)
    expect(halfValue(dtype, halfBits(dtype, Number.NaN))).toBeNaN()
    expect(halfBits(dtype, -0)).toBe(0x8000)
    expect(halfBits(dtype, Number.MIN_VALUE)).toBe(0)
  })
})

test('known bits of 16-bit floats', () => {
  expect(halfBits('float16', 1)).toBe(0x3c00)
  expect(halfBits('float16', 65504)).toBe(0x7bff)
  expect(halfBits('float16', 2 ** -24)).toBe(0x0001)
  expect(halfBits('bfloat16', 1)).toBe(0x3f80)
  expect(halfBits('bfloat16', -3.140625)).toBe(0xc049)
})

describe('tensors from numbers', () => {
  const readable = dtypes.filter(dtype => !/string|complex|float8|float4|int4|int2/.test(dtype))

  test.each(readable)('%s gives back the numbers that it holds exactly', dtype => {
    const values = dtype === 'bool' ? [0, 1, 1] : [0, 1, 100]
    expect(Array.from(numbers(fromNumbers(dtype, [3], values)))).toEqual(values)
    expect(Array.from(numbers(full(dtype, [2], values[1]!)))).toEqual([values[1], values[1]])
  })

  test.each(dtypes.filter(dtype => !readable.includes(dtype)))(
    '%s is refused rather than filled with wrong bits',
    dtype => {
      expect(() => full(dtype, [3], 1)).toThrow(expect.objectContaining({ code: 'not-supported' }))
      expect(() => numbers(zeros(dtype, [3]))).toThrow(expect.objectContaining({ code: 'not-supported' }))
    },
  )

  test('integers are rounded towards 0, and bool is true for all but 0', () => {
    expect(fromNumbers('int64', [2], [1.9, -1.9]).data).toEqual(BigInt64Array.of(1n, -1n))
    expect(fromNumbers('int8', [2], [1.9, -1.9]).data).toEqual(Int8Array.of(1, -1))
    expect(full('bool', [1], 0.25).data).toEqual(Uint8Array.of(1))
    expect(full('bool', [1], 256).data).toEqual(Uint8Array.of(1))
  })

  test('what is no integer, and a wrong count, are refused', () => {
    expect(() => full('int64', [1], Number.NaN)).toThrow(/NaN has no place.*int64/)
    expect(() => fromNumbers('float32', [2, 2], [1, 2])).toThrow(/\[2,2\] needs 4 numbers, not 2/)
    expect(() => tensor('float32', [3], new Float32Array(2))).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    )
  })

  test('rank 0 holds one number', () => {
    expect(scalar('float32', 2.5)).toEqual({ dtype: 'float32', shape: [], data: Float32Array.of(2.5) })
    expect(int64s([]).shape).toEqual([0])
  })
})

test('a view of the bytes shares memory, and another shape shares data', () => {
  const own = tensor('float32', [2], new Float32Array([9, 1, 2, 9]).subarray(1, 3))
  expect(bytesOf(own).buffer).toBe(own.data.buffer)
  expect(bytesOf(own)).toEqual(new Uint8Array(Float32Array.of(1, 2).buffer))
  expect(reshape(own, [1, 2]).data).toBe(own.data)
  expect(() => bytesOf(tensor('string', [1], ['a']))).toThrow(/no raw bytes/)
})

test('a lazy tensor reads when it is asked, not before', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true })), values => {
      let reads = 0
      const lazy = lazyTensor('float32', [values.length], () => {
        reads++
        return Float32Array.from(values)
      })
      expect([isLazy(lazy), reads]).toEqual([true, 0])
      const { data } = lazy
      expect(data).toEqual(Float32Array.from(values))
      expect(lazy.data).toBe(data)
      expect(reads).toBe(1)
    }),
    { seed: 1, numRuns: 20 },
  )
})
