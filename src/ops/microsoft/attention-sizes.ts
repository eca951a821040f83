import { type Dim, exactQuotient, productOf } from '../../base/shape.ts'
import { sizeOf } from '../channels.ts'

/** What attention's cost and shapes come from; widths are those of all heads together. */
export interface AttentionSizes {
  readonly batch: Dim
  readonly queries: Dim
  /** Keys, with those of the past. */
  readonly keys: Dim
  readonly heads: number
  readonly keyHeads: number
  readonly queryWidth: Dim
  readonly valueWidth: Dim
}

/** What each of several equal parts has. */
export const part = (width: Dim, count: number): Dim => exactQuotient(width, count) ?? ''

/** Each query meets each key to be weighed, and each value. */
export function meetings({ batch, queries, keys, queryWidth, valueWidth }: AttentionSizes): number {
  return sizeOf(productOf([batch, queries, keys])) * (sizeOf(queryWidth) + sizeOf(valueWidth))
}
