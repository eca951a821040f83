import type { Shape } from '../../base/shape.ts'
import { sameDim } from '../../base/shape.ts'
import { numbers } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import type { Tools } from '../../rewrite/rule.ts'
import { numberOf } from './polynomial.ts'

/** A mean of a value along axes, counted from the front and in order. */
export interface Mean {
  readonly x: Ref
  readonly axes: readonly number[]
}

/**
 * The mean that a value is, its axes kept as dimensions of 1: by ReduceMean or GlobalAveragePool, or by a Reshape or
 * Unsqueeze of a mean that has lost them.
 */
export function meanOf(ref: Ref, tools: Tools): Mean | undefined {
  return pooled(ref, tools) ?? reduced(ref, tools, true) ?? restored(ref, tools, inner => reduced(inner, tools, false))
}

/** The value and axes of which one value is the variance, `mean` being its mean: E (x - mean)^2, or E x^2 - mean^2. */
export function isVarianceOf(variance: Ref, { x, axes }: Mean, centered: Ref | undefined, tools: Tools): boolean {
  const same = (mean: Mean | undefined) => mean !== undefined && `${mean.axes}` === `${axes}`
  const outer = meanOf(variance, tools)
  if (outer && same(outer)) {
    if (centered !== undefined && isSquareOf(outer.x, centered, tools)) return true
    return isSquareOf(outer.x, undefined, tools, base => isDeviation(base, { x, axes }, tools))
  }
  const difference = (ref: Ref, kept: boolean) => {
    const clamped = producerOf(ref, 'Relu', tools)?.inputs[0] ?? ref
    const sub = producerOf(clamped, 'Sub', tools)
    if (!sub) return undefined
    const of = (part: Ref) => (kept ? meanOf(part, tools) : reduced(part, tools, false))
    const squares = of(sub.inputs[0]!)
    const ofX = (part: Ref) => {
      const mean = of(part)
      return same(mean) && mean!.x === x
    }
    const matches =
      same(squares) && isSquareOf(squares!.x, x, tools) && isSquareOf(sub.inputs[1]!, undefined, tools, ofX)
    return matches ? { x, axes } : undefined
  }
  return Boolean(difference(variance, true) ?? restored(variance, tools, inner => difference(inner, false)))
}

/** Whether a value is x less its mean. */
export function isDeviation(ref: Ref, { x, axes }: Mean, tools: Tools): boolean {
  const sub = producerOf(ref, 'Sub', tools)
  if (sub?.inputs[0] !== x) return false
  const mean = meanOf(sub.inputs[1]!, tools)
  return mean?.x === x && `${mean.axes}` === `${axes}`
}

function producerOf(ref: Ref, op: string, { producer }: Tools): Node | undefined {
  const node = producer(ref)
  return node?.op === op && node.domain === '' ? node : undefined
}

function pooled(ref: Ref, tools: Tools): Mean | undefined {
  const x = producerOf(ref, 'GlobalAveragePool', tools)?.inputs[0]
  const rank = x === undefined ? undefined : tools.type(x)?.shape?.length
  return rank === undefined ? undefined : { x: x!, axes: Array.from({ length: rank - 2 }, (_, i) => i + 2) }
}

function reduced(ref: Ref, tools: Tools, kept: boolean): Mean | undefined {
  const node = producerOf(ref, 'ReduceMean', tools)
  if (!node || Boolean(tools.attributes(node).keepdims) !== kept) return undefined
  const [x, named = ''] = node.inputs as readonly [Ref, Ref?]
  const axes = named === '' ? undefined : tools.constant(named)
  const rank = tools.type(x)?.shape?.length
  if (!axes || rank === undefined || axes.data.length === 0) return undefined
  const counted = Array.from(numbers(axes), axis => countedAxis(axis, rank))
  return { x, axes: [...new Set(counted)].sort((a, b) => a - b) }
}

/** What stands before a Reshape or Unsqueeze that only puts back dimensions of 1 where a mean has taken axes away. */
function restored(ref: Ref, tools: Tools, find: (inner: Ref) => Mean | undefined): Mean | undefined {
  const node = producerOf(ref, 'Reshape', tools) ?? producerOf(ref, 'Unsqueeze', tools)
  const mean = node && find(node.inputs[0]!)
  const [whole, shape] = mean ? [tools.type(mean.x)?.shape, tools.type(ref)?.shape] : []
  if (!mean || !whole || !shape || !keeps(shape, whole, mean.axes)) return undefined
  return mean
}

function keeps(shape: Shape, whole: Shape, axes: readonly number[]): boolean {
  return (
    shape.length === whole.length &&
    shape.every((dim, axis) => (axes.includes(axis) ? dim === 1 : sameDim(dim, whole[axis]!)))
  )
}

/** Whether a value is the square of another: of `base`, or of one that passes a test. */
function isSquareOf(ref: Ref, base: Ref | undefined, tools: Tools, test = (of: Ref) => of === base): boolean {
  const node = tools.producer(ref)
  const [left = '', right = ''] = node?.inputs ?? []
  if (node?.op === 'Mul') return left === right && test(left)
  return node?.op === 'Pow' && numberOf(right, tools) === 2 && test(left)
}
