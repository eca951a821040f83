import type { DType } from '../../base/dtype.ts'
import type { Dim } from '../../base/shape.ts'
import type { InferredType, Link, No } from '../operator.ts'
import { no } from '../operator.ts'

// What the operators of ai.onnx.ml share: each looks at the rows of a matrix [N, features], and a vector is one row.

/** The number of rows. */
export function rowsOf(x: InferredType | undefined): Dim {
  if (!x?.shape) return ''
  return x.shape.length === 1 ? 1 : (x.shape[0] ?? '')
}

/** A matrix with so many columns for each row of x. */
export function perRow(x: InferredType | undefined, columns: Dim, dtype: DType = 'float32'): InferredType {
  return { dtype, shape: [rowsOf(x), columns] }
}

/** Every axis goes through but the last, along which the model knows its features by their places. */
export function linksBeforeFeatures({
  inputs: [x],
}: {
  readonly inputs: readonly (InferredType | undefined)[]
}): readonly Link[] {
  return (x?.shape ?? [])
    .slice(0, -1)
    .map((_, axis): Link => ({ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' }))
}

export const featuresByPlace: No = no('its attributes know the features by their places')
export const leftToTheRuntime: No = no('left to the runtime')
