import { describe, expect, test } from 'vitest'
import { SinterError } from '../base/errors.ts'
import { int64s, tensor } from '../base/tensor.ts'
import { labelsOf } from './dataset.ts'
import { imageDataset, parseIdx } from './idx.ts'

function idx(code: number, dims: readonly number[], elements: readonly number[]): Uint8Array {
  const sizes = dims.flatMap(size => [size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255])
  return Uint8Array.from([0, 0, code, dims.length, ...sizes, ...elements])
}

describe('parseIdx', () => {
  test.each([
    [8, 'uint8', [1, 255], [1, 255]],
    [9, 'int8', [1, 255], [1, -1]],
    [11, 'int16', [1, 2, 255, 254], [258, -2]],
    [12, 'int32', [0, 0, 1, 2, 255, 255, 255, 255], [258, -1]],
    [13, 'float32', [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], [1.5, -2]],
    [14, 'float64', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2]],
  ] as const)('reads elements of type %i', (code, dtype, bytes, values) => {
    const read = parseIdx(idx(code, [2, 1], bytes), 'x')
    expect(read).toMatchObject({ dtype, shape: [2, 1] })
    expect(Array.from(read.data as Float64Array)).toEqual(values)
  })

  test('reads bytes that start anywhere in memory', () => {
    const file = idx(13, [1], [0x3f, 0x80, 0, 0])
    const shifted = new Uint8Array(file.length + 1)
    shifted.set(file, 1)
    expect(parseIdx(shifted.subarray(1), 'x').data).toEqual(Float32Array.of(1))
  })

  test.each([
    ['nothing', new Uint8Array(0), /0 bytes, less than a header/],
    ['another format', new TextEncoder().encode('PK\x03\x04 zip'), /starts with 50 4b 03 04/],
    ['an unknown type', idx(10, [1], [1]), /starts with 00 00 0a 01/],
    ['a header cut short', idx(8, [2, 2], []).subarray(0, 9), /ends within the 2 dimensions/],
    ['data cut short', idx(8, [2, 2], [1, 2, 3]), /takes 4 bytes, but 3 follow.*cut short/],
    ['more data than claimed', idx(8, [2], [1, 2, 3]), /something follows/],
    ['dimensions that claim more than memory', idx(14, [2 ** 31, 2 ** 31], [1]), /takes/],
  ])('refuses %s, naming the file', (_, bytes, reason) => {
    expect(() => parseIdx(bytes, 'digits.idx')).toThrow(reason)
    expect(() => parseIdx(bytes, 'digits.idx')).toThrow(/^digits\.idx/)
    expect(() => parseIdx(bytes, 'digits.idx')).toThrow(expect.objectContaining({ code: 'invalid-data' }))
  })
})

describe('imageDataset', () => {
  const images = tensor('uint8', [2, 1, 2], Uint8Array.of(0, 255, 7, 8))

  test('gives raw pixel values as float32 with a channel axis, and int64 labels', async () => {
    const dataset = imageDataset(images, tensor('uint8', [2], Uint8Array.of(1, 0)), { classes: ['a', 'b'] })
    expect(dataset.fields).toEqual({
      image: { dtype: 'float32', shape: [1, 1, 2] },
      label: { dtype: 'int64', shape: [] },
    })
    expect((await dataset.read([0])).image!.data).toEqual(Float32Array.of(0, 255))
    expect(await labelsOf(dataset)).toEqual(Int32Array.of(1, 0))
  })

  test('refuses shapes, lengths and labels that do not fit', () => {
    expect(() => imageDataset(tensor('uint8', [2, 2], images.data), int64s([0, 1]))).toThrow(/\[N,H,W\]/)
    expect(() => imageDataset(images, int64s([0, 1, 1]))).toThrow(SinterError)
    expect(() => imageDataset(images, int64s([0, 2]), { classes: ['a', 'b'] })).toThrow(/Row 1 has label 2/)
    expect(() => imageDataset(images, int64s([-1, 0]))).toThrow(/Row 0 has label -1/)
  })
})
