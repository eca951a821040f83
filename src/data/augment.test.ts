import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { float32s, type Tensor, tensor } from '../base/tensor.ts'
import { compose, randomFlip, randomShift } from './augment.ts'
import type { Transform } from './batches.ts'

function apply(transform: Transform, image: Tensor, seed = 1): Tensor {
  const stream = random(seed)
  return transform({ image }, row => stream.fork(row)).image!
}

/** What a shift by (down, right) makes of planes [height, width], one pixel at a time. */
function shifted(data: ArrayLike<number>, [height, width]: readonly [number, number], down: number, right: number) {
  return Array.from(data, (_, i) => {
    const plane = Math.floor(i / (height * width))
    const row = (Math.floor(i / width) % height) - down
    const column = (i % width) - right
    const inside = row >= 0 && row < height && column >= 0 && column < width
    return inside ? data[(plane * height + row) * width + column]! : -1
  })
}

describe('randomShift', () => {
  const data = Float32Array.from({ length: 2 * 3 * 4 }, (_, i) => i + 1)

  test.each([1, 3, 6])(
    'moves all planes together, by up to %i pixels each way, and fills what is uncovered',
    pixels => {
      const image = float32s([1, 2, 3, 4], data)
      const expected = new Map<string, string>()
      for (let down = -pixels; down <= pixels; down++) {
        for (let right = -pixels; right <= pixels; right++) {
          expected.set(shifted(data, [3, 4], down, right).join(), `${down},${right}`)
        }
      }
      const seen = new Set<string>()
      for (let seed = 0; seed < 2000; seed++) {
        const moved = (apply(randomShift('image', { pixels, fill: -1 }), image, seed).data as Float32Array).join()
        expect(expected.has(moved)).toBe(true)
        seen.add(moved)
      }
      expect(seen.size).toBe(expected.size)
    },
  )

  test('moves images differently, keeps type and other fields, and leaves the source alone', () => {
    const image = tensor(
      'uint8',
      [3, 1, 5, 5],
      Uint8Array.from({ length: 75 }, (_, i) => (i % 25) + 1),
    )
    const before = image.data.slice()
    const stream = random(3)
    const label = float32s([3], [0, 1, 2])
    const batch = randomShift('image', { pixels: 2 })({ image, label }, row => stream.fork(row))
    expect(batch.label).toBe(label)
    expect(batch.image).toMatchObject({ dtype: 'uint8', shape: [3, 1, 5, 5] })
    const rows = [0, 1, 2].map(i => (batch.image!.data as Uint8Array).subarray(i * 25, (i + 1) * 25).join())
    expect(new Set(rows).size).toBeGreaterThan(1)
    expect(image.data).toEqual(before)
  })

  test('refuses what is not a whole number of pixels or not images', () => {
    expect(() => randomShift('image', { pixels: 0.5 })).toThrow(/whole number of pixels/)
    expect(() => apply(randomShift('image', { pixels: 1 }), float32s([2, 2], [1, 2, 3, 4]))).toThrow(/float32\[2,2\]/)
    expect(() => apply(randomShift('picture', { pixels: 1 }), float32s([1, 1, 1], [1]))).toThrow(/not in the batch/)
  })
})

test('randomFlip mirrors left to right as often as asked', () => {
  const image = float32s([1, 1, 2, 3], [1, 2, 3, 4, 5, 6])
  expect(apply(randomFlip('image', { probability: 1 }), image).data).toEqual(Float32Array.of(3, 2, 1, 6, 5, 4))
  expect(apply(randomFlip('image', { probability: 0 }), image).data).toEqual(image.data)
  const many = float32s(
    [1000, 1, 1, 2],
    Float32Array.from({ length: 2000 }, (_, i) => i % 2),
  )
  const mirrored = (apply(randomFlip('image'), many).data as Float32Array).filter((v, i) => i % 2 === 0 && v === 1)
  expect(Math.abs(mirrored.length - 500)).toBeLessThan(80)
})

test('compose applies transforms in order, with streams of their own', () => {
  const draws: number[] = []
  const draw: Transform = (batch, randomOf) => {
    draws.push(randomOf(0).uniform())
    return { ...batch, image: float32s([1], [(batch.image!.data as Float32Array)[0]! * 10 + draws.length]) }
  }
  expect(apply(compose(draw, draw), float32s([1], [0])).data).toEqual(Float32Array.of(12))
  expect(draws[0]).not.toBe(draws[1])
})
