import { dialect } from '../graph/graph.ts'

/**
 * What a user may decide about simplifying, filled in; each step takes what concerns it. Dimensions that have no fixed size
 * are taken to be at least 1: where one is 0, a Reshape of the result may find no size to copy or to leave open.
 */
export interface Settings {
  /** Keep initializers among the graph's inputs, so that callers can override them; nothing is folded into those. */
  readonly keepOverridable: boolean
  /**
   * Bytes by which folded constants may exceed those that they are made from, each of them and all together: a few numbers
   * that fill a large tensor (ConstantOfShape, Expand, Tile) stay as they are beyond it.
   */
  readonly maxGrowth: number
  /** Nodes that the iterations of a Loop, written out, may come to: beyond it, it stays a Loop. */
  readonly maxUnrolled: number
  /** The oldest opset that the result must be sayable in: steps that make newer operators stay out. */
  readonly opset: number
}

export const defaultSettings: Settings = {
  keepOverridable: false,
  maxGrowth: 64 * 1024,
  maxUnrolled: 16,
  opset: dialect,
}
