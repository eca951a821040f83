import { SinterError } from '../../base/errors.ts'

/** One number for all spatial axes, or one for each. */
export type Size = number | readonly number[]

/** `same`: as much as keeps the size at stride 1 (an odd total has the larger half at the end). */
export type Padding = 'same' | Size

export interface WindowOptions {
  readonly stride?: Size
  readonly padding?: Padding
  readonly dilation?: Size
}

/** ONNX's attributes of a sliding window over `axes` spatial axes. */
export function windowAttributes(
  axes: number,
  kernel: Size,
  { stride = 1, padding = 'same', dilation = 1 }: WindowOptions,
): {
  readonly kernel_shape: number[]
  readonly strides: number[]
  readonly pads: number[]
  readonly dilations: number[]
} {
  const kernel_shape = perAxis(axes, kernel, 'kernel', 1)
  const strides = perAxis(axes, stride, 'stride', 1)
  const dilations = perAxis(axes, dilation, 'dilation', 1)
  const total =
    padding === 'same'
      ? kernel_shape.map((size, i) => (size - 1) * dilations[i]!)
      : perAxis(axes, padding, 'padding', 0).map(size => 2 * size)
  const before = total.map(size => Math.floor(size / 2))
  const after = total.map((size, i) => size - before[i]!)
  return { kernel_shape, strides, pads: [...before, ...after], dilations }
}

function perAxis(axes: number, size: Size, what: string, least: number): number[] {
  const sizes = typeof size === 'number' ? new Array<number>(axes).fill(size) : [...size]
  if (sizes.length === axes && sizes.every(one => Number.isInteger(one) && one >= least)) return sizes
  throw new SinterError(
    'invalid-argument',
    `The ${what} [${sizes}] does not fit ${axes} spatial axes: give one whole number from ${least} on, or one for each.`,
    { [what]: size, axes },
  )
}
