import { SinterError } from '../../base/errors.ts'
import { formatShape } from '../../base/shape.ts'
import { float32s } from '../../base/tensor.ts'
import { dataTypeOf } from '../../onnx/dtypes.ts'
import type { Ops, Ref } from '../../ops/build.ts'

/** Steps that several methods take, as nodes and on arrays [rows, classes]. */

/**
 * The number of classes of a value [N, C].
 * @throws SinterError `not-supported` where C is not fixed.
 */
export function classesOf(op: Ops, probabilities: Ref): number {
  const { shape } = op.type(probabilities)
  const classes = shape?.[1]
  if (typeof classes === 'number') return classes
  throw new SinterError(
    'not-supported',
    `The number of classes of '${probabilities}' must be fixed; its shape is ${formatShape(shape)}.`,
    { value: probabilities },
  )
}

/** The place of the first largest of `count` values from `start` on, as ArgMax finds it. */
export function indexOfMax(values: ArrayLike<number>, start: number, count: number): number {
  let best = start
  for (let i = start + 1; i < start + count; i++) if (values[i]! > values[best]!) best = i
  return best
}

/** `value` at an index of the classes, 0 elsewhere: int64 [...] becomes float32 [..., C]. */
export function oneHot(op: Ops, index: Ref, classes: number, value: number): Ref {
  return op.OneHot([index, op.ints([classes]), op.constant(float32s([2], [0, value]), 'one_hot')])
}

/** The members side by side, [N, K, C]. */
export function stack(op: Ops, members: readonly Ref[]): Ref {
  const axis = op.ints([1])
  return op.Concat(
    members.map(member => op.Unsqueeze([member, axis])),
    { axis: 1 },
  )
}

/** A value as another float type. */
export function cast(op: Ops, value: Ref, dtype: 'float32' | 'float64'): Ref {
  return op.Cast([value], { to: dataTypeOf(dtype) })
}

/**
 * Each row divided by its sum. The sum is taken in float64: rounded to float32 it is then the same in whatever order an
 * engine adds, and so are ties between quotients.
 */
export function normalizeRows(op: Ops, values: Ref): Ref {
  const sum = op.ReduceSum([cast(op, values, 'float64'), op.ints([1])])
  return op.Div([values, cast(op, sum, 'float32')])
}

/** `normalizeRows` in place. */
export function normalizeRowsOf(values: Float32Array, classes: number): Float32Array {
  for (let row = 0; row < values.length; row += classes) {
    let sum = 0
    for (let i = row; i < row + classes; i++) sum += values[i]!
    for (let i = row; i < row + classes; i++) values[i] = values[i]! / Math.fround(sum)
  }
  return values
}
