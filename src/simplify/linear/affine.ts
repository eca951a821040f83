import { isFloat } from '../../base/dtype.ts'
import { numbers, type Tensor } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import { keyOf } from '../../ops/spec.ts'
import type { Tools } from '../../rewrite/rule.ts'
import { drowns } from './cancels.ts'
import { combine, type Grid, gridOf, largest, map, single } from './grid.ts'

/** A node that computes `scale * x + shift` from one value and constants. */
export interface Affine {
  readonly node: Node
  readonly x: Ref
  readonly scale: Grid
  readonly shift: Grid
  /** The element type of its constants; undefined if it has none. */
  readonly dtype: Tensor['dtype'] | undefined
}

type Known = Pick<Tools, 'constant' | 'attributes' | 'type'>

const one = single(1)
const zero = single(0)

/**
 * What a node computes as scale and shift; undefined for nodes that do not, or not from constants of a float type. A sum
 * with a number beside which values lose their digits counts as rounding, which is no shift.
 */
export function affineOf(node: Node, known: Known): Affine | undefined {
  const [left = '', right = ''] = node.inputs
  const key = keyOf(node)
  if (key === 'Neg') return { node, x: left, scale: single(-1), shift: zero, dtype: undefined }
  if (key === 'BatchNormalization') return normalization(node, known)
  if (!(key === 'Mul' || key === 'Div' || key === 'Add' || key === 'Sub')) return undefined
  const [a, b] = [known.constant(left), known.constant(right)]
  // Of two constants the result is one too, which is another step's work.
  const c = a && b ? undefined : (a ?? b)
  if (!c || !isFloat(c.dtype)) return undefined
  const grid = gridOf(c)
  const base = { node, x: a ? right : left, scale: one, shift: zero, dtype: c.dtype }
  if (key === 'Mul') return { ...base, scale: grid }
  if ((key === 'Add' || key === 'Sub') && drowns(largest(grid), c.dtype)) return undefined
  if (key === 'Div') return a ? undefined : { ...base, scale: map(grid, value => 1 / value) }
  if (key === 'Add') return { ...base, shift: grid }
  return a ? { ...base, scale: single(-1), shift: grid } : { ...base, shift: map(grid, value => -value) }
}

/** f = scale / sqrt(variance + epsilon): `f (x - mean) + shift` along the second axis, by the standard's definition. */
function normalization(node: Node, known: Known): Affine | undefined {
  const { epsilon, training_mode } = known.attributes(node) as { epsilon: number; training_mode: number }
  const rank = known.type(node.inputs[0]!)?.shape?.length
  const constants = node.inputs.slice(1).map(known.constant)
  if (training_mode || rank === undefined || rank < 2) return undefined
  if (constants.some(c => !c) || node.outputs.slice(1).some(name => name !== '')) return undefined
  const shape = [constants[0]!.shape[0]!, ...new Array<number>(rank - 2).fill(1)]
  const [s, t, m, v] = constants.map((c): Grid => ({ shape, values: numbers(c!) })) as [Grid, Grid, Grid, Grid]
  const scale = combine(s, v, (a, b) => a / Math.sqrt(b + epsilon))
  const shift = combine(
    t,
    combine(scale, m, (a, b) => a * b),
    (a, b) => a - b,
  )
  return { node, x: node.inputs[0]!, scale, shift, dtype: constants[0]!.dtype }
}

/** `outer` after `inner` as one scale and shift. */
export function compose(outer: Pick<Affine, 'scale' | 'shift'>, inner: Pick<Affine, 'scale' | 'shift'>) {
  const times = (a: number, b: number) => a * b
  const plus = (a: number, b: number) => a + b
  return {
    scale: combine(outer.scale, inner.scale, times),
    shift: combine(combine(outer.scale, inner.shift, times), outer.shift, plus),
  }
}
