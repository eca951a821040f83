import { type Dim, productOf, type Shape } from '../base/shape.ts'
import type { Ops, Ref } from './build.ts'
import type { Cost, Link, TypedCall } from './operator.ts'

/** Multiply-accumulates: the product of all the dimensions given. NaN where one is not known. */
export function productCost(...shapes: readonly (Shape | undefined)[]): Cost {
  return { macs: shapes.reduce((product, shape) => product * (shape ? sizeOf(productOf(shape)) : Number.NaN), 1) }
}

/** A dimension as a number; NaN where it is not known. */
export function sizeOf(dim: Dim): number {
  return typeof dim === 'number' ? dim : Number.NaN
}

/** A vector [C] shaped to broadcast over axis 1 of a tensor of a rank: [C, 1, ...]. */
export function alongChannels(op: Ops, vector: Ref, rank: number): Ref {
  if (rank <= 2) return vector
  const [channels] = op.shape(vector)
  return op.Reshape([vector, op.ints([channels!, ...new Array<number>(rank - 2).fill(1)])])
}

/** The axes of a rank that are not axis 1. */
export function allButChannels(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis).filter(axis => axis !== 1)
}

/** Sums over the batch and all positions: [N, C, ...] -> [C]. */
export function sumPerChannel(op: Ops, x: Ref): Ref {
  return op.ReduceSum([x, op.ints(allButChannels(op.shape(x).length))], { keepdims: 0 })
}

/** Batch and channels of the first input go through; the positions stay as they are. */
export function channelwiseLinks(_: TypedCall): readonly Link[] {
  return [0, 1].map(axis => ({ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' }))
}
