import { isInteger } from '../base/dtype.ts'
import { type Dim, isTensorType } from '../base/shape.ts'
import type { Value } from '../graph/graph.ts'
import type { Ranges } from './random-feeds.ts'

/** What open dimensions and values are tried with. */
export interface Plan {
  readonly batch: number
  /** Side of an image. */
  readonly side: number
  /** Length of a sequence. */
  readonly length: number
  /** The shape of inputs whose rank is not known. */
  readonly unranked: readonly number[]
  readonly ranges: Ranges
}

type Sizes = Pick<Plan, 'batch' | 'side' | 'length' | 'unranked'>

const sizePlans: readonly Sizes[] = [
  { batch: 1, side: 64, length: 8, unranked: [1, 8] },
  { batch: 1, side: 224, length: 16, unranked: [1, 3, 224, 224] },
  { batch: 1, side: 96, length: 128, unranked: [1, 8, 8] },
  { batch: 1, side: 160, length: 512, unranked: [8] },
  { batch: 1, side: 320, length: 256, unranked: [] },
  { batch: 1, side: 32, length: 1, unranked: [1] },
  { batch: 1, side: 28, length: 2, unranked: [1, 1, 28, 28] },
  { batch: 2, side: 128, length: 64, unranked: [2, 2] },
  { batch: 1, side: 256, length: 400, unranked: [1, 16000] },
  { batch: 1, side: 416, length: 16000, unranked: [1, 3, 64, 64] },
  { batch: 1, side: 640, length: 3000, unranked: [1, 1, 64, 64] },
]

const valuePlans: readonly Ranges[] = [
  { floats: 'normal', integers: { least: 0, below: 100 }, sizes: { least: 1, below: 5 } },
  { floats: 'normal', integers: { least: 0, below: 8 }, sizes: { least: 1, below: 2 } },
  { floats: 'positive', integers: { least: 0, below: 2 }, sizes: { least: 0, below: 2 } },
  { floats: 'normal', integers: { least: 1, below: 2 }, sizes: { least: 2, below: 3 } },
  { floats: 'positive', integers: { least: 0, below: 1 }, sizes: { least: 0, below: 1 } },
]

/** Sizes and values together, the likelier ones of both first. */
export function* plans(): Iterable<Plan> {
  for (let sum = 0; sum < sizePlans.length + valuePlans.length - 1; sum++) {
    for (let values = 0; values <= Math.min(sum, valuePlans.length - 1); values++) {
      const sizes = sizePlans[sum - values]
      if (sizes) yield { ...sizes, ranges: valuePlans[values]! }
    }
  }
}

/** Sizes other than a plan's, none of which divides its. */
export function otherSizes({ batch, side, length, ...rest }: Plan): readonly Plan[] {
  const [otherSide, otherLength] = [side + 32, length + 3]
  return [
    { ...rest, batch: batch + 2, side: otherSide, length: otherLength },
    { ...rest, batch, side: otherSide, length: otherLength },
    { ...rest, batch: batch + 2, side, length },
    { ...rest, batch, side: otherSide, length },
  ]
}

/** A plan and those of the same sizes with a smaller vocabulary, in which what ran by luck runs for sure. */
export function withFewerIntegers(plan: Plan): readonly Plan[] {
  const fewer = valuePlans.filter(({ integers }) => integers.below < plan.ranges.integers.below)
  return [plan, ...fewer.map(({ integers }) => ({ ...plan, ranges: { ...plan.ranges, integers } }))]
}

/** Inputs with a name for each dimension of which nothing is stated. */
export function namedDims(inputs: readonly Value[]): readonly Value[] {
  return inputs.map(value => {
    const { name, type } = value
    if (!isTensorType(type) || !type.shape?.some(dim => dim === '')) return value
    return { ...value, type: { ...type, shape: type.shape.map((dim, axis) => (dim === '' ? `${name}:${axis}` : dim)) } }
  })
}

export function ranked(value: Value, { unranked }: Plan): Value {
  const { type } = value
  return isTensorType(type) && !type.shape ? { ...value, type: { ...type, shape: unranked } } : value
}

/** Sizes of the symbols of the inputs, by where they stand; the first place counts. */
export function sizesOf(inputs: readonly Value[], plan: Plan): Readonly<Record<string, number>> {
  const sizes: Record<string, number> = {}
  for (const { type } of inputs) {
    const shape = (isTensorType(type) && type.shape) || []
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string' && !dim.includes('+')) sizes[dim] ??= sizeOf(shape, axis, plan)
    })
  }
  return sizes
}

/** Axes of [batch, channels, height, width], or with few channels last, are an image's. */
function sizeOf(shape: readonly Dim[], axis: number, { batch, side, length }: Plan): number {
  const symbol = String(shape[axis])
  if (/height|width|^[hw]$/i.test(symbol)) return side
  if (/batch|^n$/i.test(symbol)) return batch
  if (/past|cache/i.test(symbol)) return 2
  if (shape.length === 4) {
    const last = typeof shape[3] === 'number' && shape[3] <= 4
    if (axis > 0 && axis === (last ? 3 : 1)) return 3
    if (axis > 0) return side
  }
  // [layers, batch, features], the state of a recurrent network.
  const states = shape.length === 3 && axis === 1 && typeof shape[0] === 'number' && shape[0] > 1
  return axis === 0 || (states && typeof shape[2] === 'number') ? batch : length
}

/** What tells plans apart for these inputs: the shapes, and how the values of kinds that they have are drawn. */
export function keyOf(
  inputs: readonly Value[],
  plan: Plan,
  sizes: Readonly<Record<string, number>>,
  shapes: Readonly<Record<string, readonly number[]>>,
  fixed: ReadonlyMap<string, unknown>,
): string {
  const all = { ...sizesOf(inputs, plan), ...sizes }
  return JSON.stringify(
    inputs.map(value => {
      const { name, type } = ranked(value, plan)
      if (!isTensorType(type)) return name
      const shape = shapes[name] ?? type.shape?.map(dim => (typeof dim === 'number' ? dim : (all[dim] ?? dim)))
      if (fixed.has(name)) return name
      const kind =
        isInteger(type.dtype) || type.dtype === 'bool' ? [plan.ranges.integers, plan.ranges.sizes] : plan.ranges.floats
      return [shape, kind]
    }),
  )
}
