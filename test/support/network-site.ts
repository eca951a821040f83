import type { TensorType } from '../../src/base/shape.ts'
import type { Draft } from '../../src/graph/edit.ts'
import type { Ops } from '../../src/ops/build.ts'

/** What a step of a network may use. */
export interface Site {
  readonly op: Ops
  readonly draft: Draft
  readonly opset: number
  /** The element type that the network computes in. */
  readonly dtype: TensorType['dtype']
  /** A value as numbers of that type. */
  cast(ref: string): string
  /** Numbers that steer the step's choices, each below a bound. */
  below(bound: number): number
  /** A value made before whose type fits; the step comes to nothing if there is none. */
  value(fits?: (type: Known) => boolean): Made
  /** Makes a value known, `exact` if its elements are numbers of few bits that arithmetic does not round. */
  make(ref: string, exact: boolean): void
}

/** Adds an operator or several to a network. */
export type Step = (site: Site) => void

export interface Known {
  readonly dtype: TensorType['dtype']
  readonly shape: readonly (number | string)[]
  readonly exact: boolean
  /** Whether it is of the element type that the network computes in. */
  readonly own: boolean
}

export interface Made extends Known {
  readonly ref: string
}

/** A step that finds nothing to work on is left out. */
export class Nothing extends Error {}
