import { formatShape, sameShape } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'

/** How far one tensor is from another. */
export interface Gap {
  /** The largest |a - b|; infinite where one is not a number or they are different infinities, shapes or types. */
  readonly absolute: number
  /** The largest |a - b| divided by the largest finite |a|. */
  readonly relative: number
  /** What numbers do not say. */
  readonly note?: string
}

/** Below it, a scale is taken to be this: outputs near 0 are differences of larger numbers. */
const leastScale = 1e-3

/** How far two tensors are apart. The second may be missing. */
export function gap(a: Tensor, b: Tensor | undefined): Gap {
  const infinite = { absolute: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY }
  if (!b) return { ...infinite, note: 'it is missing' }
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) {
    const [was, is] = [a, b].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`)
    return { ...infinite, note: `${was} became ${is}` }
  }
  if (a.dtype === 'string') {
    const same = (a.data as readonly string[]).every((text, i) => text === b.data[i])
    return same ? { absolute: 0, relative: 0 } : { ...infinite, note: 'a text differs' }
  }
  // Beyond 2^53 numbers hide differences of 64-bit integers.
  if (a.data instanceof BigInt64Array && a.data.every((value, i) => value === b.data[i]))
    return { absolute: 0, relative: 0 }
  const [x, y] = [numbers(a), numbers(b)]
  let [absolute, scale] = [0, leastScale]
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i]!, y[i]!]
    const size = Math.abs(p)
    if (size > scale && size !== Number.POSITIVE_INFINITY) scale = size
    if (p === q) continue
    const apart = Math.abs(p - q)
    if (apart > absolute) absolute = apart
    else if (Number.isNaN(apart) && !(Number.isNaN(p) && Number.isNaN(q)))
      return { ...infinite, note: 'one is not a number' }
  }
  return { absolute, relative: absolute / scale }
}

/** The worst of several. */
export function largest(gaps: readonly Gap[]): Gap {
  return gaps.reduce((worst, one) => {
    const further = one.relative > worst.relative ? one : worst
    const { note } = further
    return {
      absolute: Math.max(one.absolute, worst.absolute),
      relative: further.relative,
      ...(note === undefined ? {} : { note }),
    }
  })
}
