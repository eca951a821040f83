import type { TensorType } from '../../src/base/shape.ts'
import type { Draft } from '../../src/graph/edit.ts'
import type { Ops } from '../../src/ops/build.ts'

/** What a step of a network may use. */
export interface Site {
  readonly op: Ops
  readonly draft: Draft
  readonly opset: number
  /** Numbers that steer the step's choices, each below a bound. */
  below(bound: number): number
  /** A value made before whose type fits; the step comes to nothing if there is none. */
  value(fits?: (type: Known) => boolean): Made
  /** Makes a value known, `exact` if its elements are numbers of few bits that arithmetic does not round. */
  make(ref: string, exact: boolean): void
}

export interface Known {
  readonly dtype: TensorType['dtype']
  readonly shape: readonly (number | string)[]
  readonly exact: boolean
}

export interface Made extends Known {
  readonly ref: string
}

/** A step that finds nothing to work on is left out. */
export class Nothing extends Error {}
