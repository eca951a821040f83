import type { AttributesOf } from './spec.generated.ts'

/** How one axis is resampled: of what each output element is made. */
export interface Interpolation {
  readonly input: number
  readonly output: number
  readonly taps: readonly (readonly Tap[])[]
}

export interface Tap {
  readonly from: number
  readonly weight: number
}

type Attributes = AttributesOf['Resize']

/** The weights of an axis of `input` elements resampled to `output` by a factor, as the ONNX standard defines Resize. */
export function interpolation(attributes: Attributes, input: number, output: number, factor: number): Interpolation {
  const inside = (index: number) => Math.min(input - 1, Math.max(0, index))
  const taps = Array.from({ length: output }, (_, i) => {
    const at = coordinate(attributes.coordinate_transformation_mode, i, input, output, factor)
    const found = around(attributes, at, input)
    return found.map(({ from, weight }) => ({ from: inside(from), weight }))
  })
  return { input, output, taps }
}

/** Where an output element lies among the input's. In float32, as engines compute it: rounding decides between neighbours. */
function coordinate(mode: string, i: number, input: number, output: number, factor: number): number {
  const f = Math.fround
  const half = (offset = 0) => f(f(offset + f((i + 0.5) / f(factor))) - 0.5)
  switch (mode) {
    case 'asymmetric':
      return f(i / f(factor))
    case 'align_corners':
      return output === 1 ? 0 : f(f(i * (input - 1)) / (output - 1))
    case 'pytorch_half_pixel':
      return output > 1 ? half() : 0
    case 'half_pixel_symmetric': {
      const adjustment = f(output / f(f(factor) * input))
      return half(f(f(input / 2) * f(1 - adjustment)))
    }
    default:
      return half()
  }
}

/** The elements that a coordinate is made of; some may lie outside. */
function around({ mode, nearest_mode, cubic_coeff_a, exclude_outside }: Attributes, at: number, input: number): Tap[] {
  if (mode === 'nearest') return [{ from: nearest(nearest_mode, at), weight: 1 }]
  if (mode === 'linear') {
    const inside = Math.min(input - 1, Math.max(0, at))
    const from = Math.floor(inside)
    const share = inside - from
    return share === 0
      ? [{ from, weight: 1 }]
      : [
          { from, weight: 1 - share },
          { from: from + 1, weight: share },
        ]
  }
  const first = Math.floor(at) - 1
  const taps = [0, 1, 2, 3].map(k => ({ from: first + k, weight: cubic(at - first - k, cubic_coeff_a) }))
  if (!exclude_outside) return taps
  const kept = taps.filter(({ from }) => from >= 0 && from < input)
  const sum = kept.reduce((total, { weight }) => total + weight, 0)
  return kept.map(({ from, weight }) => ({ from, weight: weight / sum }))
}

function nearest(mode: string, at: number): number {
  switch (mode) {
    case 'floor':
      return Math.floor(at)
    case 'ceil':
      return Math.ceil(at)
    case 'round_prefer_ceil':
      return Math.floor(at + 0.5)
    default:
      return Math.ceil(at - 0.5)
  }
}

/** Keys' kernel of cubic convolution (1981), at a distance in elements. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance)
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0
}
