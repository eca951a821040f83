import { describe, expect, it } from 'vitest'
import { float32s, fromNumbers, int64s, tensor } from '../base/tensor.ts'
import { take } from './take.ts'

describe('taking slices', () => {
  const t = float32s([2, 3, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])

  it('gathers along any axis, in the order asked for', () => {
    expect(take(t, 0, [1])).toEqual(float32s([1, 3, 2], [6, 7, 8, 9, 10, 11]))
    expect(take(t, 1, [2, 0])).toEqual(float32s([2, 2, 2], [4, 5, 0, 1, 10, 11, 6, 7]))
    expect(take(t, 2, [1])).toEqual(float32s([2, 3, 1], [1, 3, 5, 7, 9, 11]))
  })

  it('works on every kind of element', () => {
    expect(take(int64s([5, 6, 7]), 0, [0, 2])).toEqual(int64s([5, 7]))
    expect(take(tensor('string', [2, 2], ['a', 'b', 'c', 'd']), 1, [1])).toEqual(tensor('string', [2, 1], ['b', 'd']))
    expect(take(fromNumbers('float16', [3], [1, 2, 3]), 0, [1])).toEqual(fromNumbers('float16', [1], [2]))
    const complex = tensor('complex64', [2], new Float32Array([1, 2, 3, 4]))
    expect(take(complex, 0, [1])).toEqual(tensor('complex64', [1], new Float32Array([3, 4])))
  })

  it('refuses elements that share bytes', () => {
    expect(() => take(tensor('int4', [4], new Uint8Array(2)), 0, [1])).toThrow(/int4/)
  })
})
