import type { NumberDType } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { formatShape } from '../base/shape.ts'
import { allocate, type Tensor } from '../base/tensor.ts'
import type { Transform } from './batches.ts'

/** One after the other; each draws from streams of its own. */
export function compose(...transforms: readonly Transform[]): Transform {
  return (batch, randomOf) =>
    transforms.reduce((result, transform, i) => transform(result, row => randomOf(row).fork(i)), batch)
}

export interface ShiftOptions {
  /** Largest shift in pixels; each axis draws a whole number from -pixels to pixels. */
  readonly pixels: number
  /** What moves in from outside. */
  readonly fill?: number | undefined
}

/**
 * Moves each image by a random whole number of pixels up or down and left or right; its size stays.
 * @param field images [N, ..., H, W]; all planes of one image move together.
 */
export function randomShift(field: string, { pixels, fill = 0 }: ShiftOptions): Transform {
  if (!(Number.isInteger(pixels) && pixels >= 0)) {
    throw new SinterError('invalid-argument', `A shift is a whole number of pixels, 0 or more, not ${pixels}.`, {
      pixels,
    })
  }
  return perImage(field, (from, to, { height, width }, random) => {
    const down = random.integer(2 * pixels + 1) - pixels
    const right = random.integer(2 * pixels + 1) - pixels
    for (let plane = 0; plane < from.length; plane += height * width) {
      shiftPlane(from.subarray(plane, plane + height * width), to.subarray(plane, plane + height * width), {
        width,
        down: Math.max(-height, Math.min(height, down)),
        right: Math.max(-width, Math.min(width, right)),
        fill,
      })
    }
  })
}

/**
 * Mirrors each image left to right with the given probability.
 * @param field images [N, ..., H, W].
 */
export function randomFlip(field: string, { probability = 0.5 }: { readonly probability?: number } = {}): Transform {
  return perImage(field, (from, to, { width }, random) => {
    to.set(from)
    if (random.uniform() >= probability) return
    for (let row = 0; row < to.length; row += width) to.subarray(row, row + width).reverse()
  })
}

type Pixels = Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

const pixelTypes: ReadonlySet<string> = new Set<NumberDType>([
  'float32',
  'float64',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
])

/** Makes a transform of a function that writes one changed image. */
function perImage(
  field: string,
  change: (from: Pixels, to: Pixels, size: { height: number; width: number }, random: Random) => void,
): Transform {
  return (batch, randomOf) => {
    const images = batch[field]
    const [height, width] = images?.shape.slice(-2) ?? []
    if (!images || images.shape.length < 3 || !height || !width || !pixelTypes.has(images.dtype)) {
      const found = images ? `${images.dtype}${formatShape(images.shape)}` : 'not in the batch'
      throw new SinterError('invalid-data', `Augmenting needs numbers [N,...,H,W] in '${field}', which is ${found}.`, {
        field,
      })
    }
    const from = images.data as Pixels
    const to = allocate(images.dtype, from.length) as Pixels
    const count = images.shape[0]!
    const length = from.length / count
    for (let i = 0; i < count; i++) {
      const [start, end] = [i * length, (i + 1) * length]
      change(from.subarray(start, end), to.subarray(start, end), { height, width }, randomOf(i))
    }
    return { ...batch, [field]: { ...images, data: to } as Tensor }
  }
}

/** In row-major order a shift in both axes is one move of the whole plane, after which the uncovered edges are filled. */
function shiftPlane(
  from: Pixels,
  to: Pixels,
  { width, down, right, fill }: { width: number; down: number; right: number; fill: number },
): void {
  const move = Math.max(-from.length, Math.min(from.length, down * width + right))
  to.set(move > 0 ? from.subarray(0, from.length - move) : from.subarray(-move), Math.max(move, 0))
  if (down > 0) to.fill(fill, 0, down * width)
  else to.fill(fill, to.length + down * width)
  if (right === 0) return
  const [first, last] = right > 0 ? [0, right] : [width + right, width]
  for (let row = 0; row < to.length; row += width) to.fill(fill, row + first, row + last)
}
