import { SinterError } from '../../base/errors.ts'
import { formatShape } from '../../base/shape.ts'
import type { Ref } from '../../ops/build.ts'
import type { Module } from '../module.ts'
import { type Padding, type Size, windowAttributes } from './window.ts'

export interface PoolOptions {
  /** As the kernel if left out. */
  readonly stride?: Size
  /** None if left out. */
  readonly padding?: Padding
}

/** The largest value of each window. Padding never wins. */
export function maxPool({ op }: Module, kernel: Size, options: PoolOptions = {}): (x: Ref) => Ref {
  return x => op.MaxPool([x], poolAttributes(spatialAxes(op.type(x).shape), kernel, options))
}

/** The mean of each window. Padding counts as zeros, as in PyTorch. */
export function averagePool({ op }: Module, kernel: Size, options: PoolOptions = {}): (x: Ref) => Ref {
  return x => {
    const { dilations: _, ...attributes } = poolAttributes(spatialAxes(op.type(x).shape), kernel, options)
    return op.AveragePool([x], { ...attributes, count_include_pad: 1 })
  }
}

function poolAttributes(axes: number, kernel: Size, { stride = kernel, padding = 0 }: PoolOptions) {
  return windowAttributes(axes, kernel, { stride, padding })
}

function spatialAxes(shape: readonly (number | string)[] | undefined): number {
  if (shape && shape.length > 2) return shape.length - 2
  throw new SinterError('invalid-argument', `Pooling needs [N, C, ...spatial], not ${formatShape(shape)}.`, { shape })
}
