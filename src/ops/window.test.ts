import { describe, expect, test } from 'vitest'
import { multiplyDims } from '../base/shape.ts'
import { leftover, transposedShape, windowAxes, windowedShape } from './window.ts'

const plain = { auto_pad: 'NOTSET' }

describe('sizes of symbolic axes', () => {
  test('a padded window of three keeps the size, and one that halves it stays exact where it can', () => {
    expect(windowedShape({ ...plain, pads: [1, 1] }, ['H'], [3])).toEqual(['H'])
    expect(windowedShape({ ...plain, strides: [2] }, [multiplyDims(2, 'H')], [2])).toEqual(['H'])
    expect(windowedShape({ ...plain, strides: [2] }, ['H'], [2])).toEqual(['floor((H-2)/2)+1'])
  })

  test('padding to the same size rounds up', () => {
    expect(windowedShape({ auto_pad: 'SAME_UPPER', strides: [1] }, ['H'], [5])).toEqual(['H'])
    expect(windowedShape({ auto_pad: 'SAME_LOWER', strides: [2] }, [5], [3])).toEqual([3])
  })

  test('rounding up is not followed where a last window may begin beyond the data', () => {
    expect(windowedShape({ ...plain, strides: [2], ceil_mode: 1 }, ['H'], [3])).toEqual(['floor((H-2)/2)+1'])
    expect(windowedShape({ ...plain, strides: [3], ceil_mode: 1 }, ['H'], [1])).toEqual([''])
  })

  test('a transposed convolution doubles the size', () => {
    expect(transposedShape({ ...plain, strides: [2] }, ['H'], [2])).toEqual(['2*H'])
    expect(transposedShape({ auto_pad: 'SAME_UPPER', strides: [2] }, ['H'], [3])).toEqual(['2*H'])
  })
})

test('a window that does not fit is an error', () => {
  expect(() => windowedShape(plain, [2], [3])).toThrow('a window of 3 does not fit into 2 elements')
})

test('elements that are too few for another stride are left over', () => {
  const [axis] = windowAxes({ ...plain, strides: [3], pads: [1, 0] }, [9], [2])
  expect(leftover(axis!)).toBe(2)
})
