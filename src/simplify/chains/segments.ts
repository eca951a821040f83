import { isFixed } from '../../base/shape.ts'
import { numbers, type Tensor } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import type { Tools } from '../../rewrite/rule.ts'
import { wholeNumbers } from './layout-node.ts'

/** Every `step`-th of some elements of a value along an axis, from `start` on; `count` of them. */
export interface Segment {
  readonly ref: Ref
  readonly start: number
  readonly step: number
  readonly count: number
  /** A value that is just this. */
  readonly value?: Ref
}

export type Look = Pick<Tools, 'producer' | 'type' | 'constant' | 'attributes'>

/** At most this many segments are followed, through at most this many nodes in a row. */
const most = 64

/** A value along an axis, as segments of values further up; one that is the whole value where nothing is to be seen through. */
export function segmentsOf(ref: Ref, axis: number, look: Look): readonly Segment[] | undefined {
  const known = new Map<Ref, readonly Segment[] | undefined>()
  let depth = 0
  // What is met on several ways up is followed once: a value joined with itself again and again is met without end.
  const along: Along = value => {
    if (known.has(value)) return known.get(value)
    const size = look.type(value)?.shape?.[axis]
    if (typeof size !== 'number') return undefined
    depth++
    const found = (depth <= most ? seen(value, size, axis, look, along) : undefined) ?? [wholeOf(value, size)]
    depth--
    known.set(value, found)
    return found
  }
  return along(ref)
}

/** The segments of a value further up, along the same axis. */
type Along = (ref: Ref) => readonly Segment[] | undefined

function wholeOf(ref: Ref, size: number): Segment {
  return { ref, start: 0, step: 1, count: size, value: ref }
}

/** What a node's output is made of. undefined where the node does something else than to pick along this axis. */
function seen(ref: Ref, size: number, axis: number, look: Look, along: Along): readonly Segment[] | undefined {
  const node = look.producer(ref)
  const parts = node?.domain === '' ? partsOf(node, ref, axis, look, along) : undefined
  if (!parts) return undefined
  const segments = merged(parts)
  if (segments.length > most || segments.reduce((sum, { count }) => sum + count, 0) !== size) return undefined
  return segments.length === 1 ? [{ ...segments[0]!, value: segments[0]!.value ?? ref }] : segments
}

function partsOf(node: Node, ref: Ref, axis: number, look: Look, along: Along): readonly Segment[] | undefined {
  const rank = look.type(node.inputs[0]!)?.shape?.length ?? 0
  const { axis: given = 0 } = look.attributes(node) as { axis?: number }
  const own = countedAxis(given, rank)
  switch (node.op) {
    case 'Concat': {
      if (own !== axis) return undefined
      const inputs = node.inputs.map(input => along(input))
      return inputs.every(list => list !== undefined) ? inputs.flat() : undefined
    }
    case 'Split': {
      if (own !== axis) return undefined
      const inner = along(node.inputs[0]!)
      const at = node.outputs.indexOf(ref)
      const sizes = node.outputs.slice(0, at + 1).map(output => output !== '' && look.type(output)?.shape?.[axis])
      if (!inner || !sizes.every(size => typeof size === 'number')) return undefined
      const start = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0)
      return cut(inner, { start, step: 1, count: sizes.at(-1)! })
    }
    case 'Slice': {
      const cuts = cutsOf(node, look)
      const only = cuts?.length === 1 && cuts[0]!.axis === axis ? cuts[0]! : undefined
      const inner = only && along(node.inputs[0]!)
      return inner && cut(inner, only)
    }
    case 'Gather': {
      const indices = look.constant(node.inputs[1]!)
      if (own !== axis || indices?.shape.length !== 1 || indices.shape[0]! > 1024) return undefined
      const inner = along(node.inputs[0]!)
      if (!inner) return undefined
      const size = inner.reduce((sum, { count }) => sum + count, 0)
      return Array.from(numbers(indices), i => (i < 0 ? i + size : i)).flatMap(start =>
        cut(inner, { start, step: 1, count: 1 }),
      )
    }
    case 'ScatterND': {
      const [data, indices, updates] = node.inputs as [Ref, Ref, Ref]
      const block = blockOf(node, look)
      const inner = block?.axis === axis ? along(data) : undefined
      const shape = look.type(updates)?.shape
      if (!block || !inner || !shape || indices === '') return undefined
      const size = inner.reduce((sum, { count }) => sum + count, 0)
      const after = block.start + block.count
      return [
        ...cut(inner, { start: 0, step: 1, count: block.start }),
        ...(along(updates) ?? [wholeOf(updates, block.count)]),
        ...cut(inner, { start: after, step: 1, count: size - after }),
      ]
    }
    default:
      return undefined
  }
}

type Cut = Pick<Segment, 'start' | 'step' | 'count'>

/** Some of the elements that segments stand for. */
export function cut(segments: readonly Segment[], { start, step, count }: Cut): readonly Segment[] {
  if (count === 0) return []
  if (step < 0)
    return cut(segments, { start: start + (count - 1) * step, step: -step, count })
      .map(reversed)
      .reverse()
  const taken: Segment[] = []
  let before = 0
  let next = start
  const end = start + count * step
  for (const segment of segments) {
    const last = Math.min(before + segment.count, end)
    if (next < last) {
      const here = Math.ceil((last - next) / step)
      const all = here === segment.count
      const from = segment.start + (next - before) * segment.step
      const by = here === 1 ? 1 : segment.step * step
      taken.push(all ? segment : { ref: segment.ref, start: from, step: by, count: here })
      next += here * step
    }
    before += segment.count
  }
  return taken
}

function reversed({ ref, start, step, count, value }: Segment): Segment {
  if (count === 1) return { ref, start, step, count, ...(value === undefined ? {} : { value }) }
  return { ref, start: start + (count - 1) * step, step: -step, count }
}

/** Segments that continue one another become one. */
export function merged(segments: readonly Segment[]): readonly Segment[] {
  const result: Segment[] = []
  for (const next of segments) {
    if (next.count === 0) continue
    const last = result.at(-1)
    const step = last && stepBetween(last, next)
    if (last && step !== undefined) {
      result[result.length - 1] = { ref: last.ref, start: last.start, step, count: last.count + next.count }
    } else result.push(next)
  }
  return result
}

function stepBetween(a: Segment, b: Segment): number | undefined {
  if (a.ref !== b.ref) return undefined
  const gap = b.start - (a.start + (a.count - 1) * a.step)
  if (gap === 0 || (a.count > 1 && a.step !== gap) || (b.count > 1 && b.step !== gap)) return undefined
  return gap
}

export interface AxisCut extends Cut {
  readonly axis: number
}

/** What a Slice takes, axis by axis; undefined where that is not constant or the axis has no fixed size. */
export function cutsOf(node: Node, look: Look): readonly AxisCut[] | undefined {
  const shape = look.type(node.inputs[0]!)?.shape
  const [starts, ends] = [1, 2].map(i => wholeNumbers(node.inputs[i], look))
  if (!shape || !starts || !ends) return undefined
  const axes = node.inputs[3] ? wholeNumbers(node.inputs[3], look) : starts.map((_, i) => i)
  const steps = node.inputs[4] ? wholeNumbers(node.inputs[4], look) : starts.map(() => 1)
  if (!axes || !steps) return undefined
  const cuts: AxisCut[] = []
  for (const [i, given] of axes.entries()) {
    const axis = countedAxis(given, shape.length)
    const size = shape[axis]
    const step = steps[i]!
    if (typeof size !== 'number' || step === 0) return undefined
    const clamp = (bound: number, low: number, high: number) =>
      Math.min(Math.max(bound < 0 ? bound + size : bound, low), high)
    const start = step > 0 ? clamp(starts[i]!, 0, size) : clamp(starts[i]!, 0, size - 1)
    const end = step > 0 ? clamp(ends[i]!, 0, size) : clamp(ends[i]!, -1, size - 1)
    const count = Math.max(0, Math.ceil((end - start) / step))
    if (count < size || step < 0) cuts.push({ axis, start, step, count })
  }
  return cuts
}

/** Whether a segment is all of a value. */
export function isWhole({ ref, start, step, count }: Segment, axis: number, { type }: Look): boolean {
  return start === 0 && step === 1 && type(ref)?.shape?.[axis] === count
}

/** Slices along several axes as one node. */
export function emitSlice(op: Ops, ref: Ref, cuts: readonly AxisCut[]): Ref {
  const ends = cuts.map(({ start, step, count }) => {
    const end = start + count * step
    return end < 0 ? -(2 ** 31) : end // Backwards to the first element: -1 would be the last.
  })
  const steps = cuts.every(({ step }) => step === 1) ? null : op.ints(cuts.map(({ step }) => step))
  return op.Slice([ref, op.ints(cuts.map(({ start }) => start)), op.ints(ends), op.ints(cuts.map(c => c.axis)), steps])
}

interface Block extends AxisCut {
  readonly step: 1
}

const blocks = new WeakMap<Tensor, Map<string, Block | undefined>>()

/** The consecutive indices of one axis that a ScatterND with constant indices writes to, on all other axes whole. */
function blockOf(node: Node, look: Look): Block | undefined {
  const indices = look.constant(node.inputs[1]!)
  const shape = look.type(node.inputs[0]!)?.shape
  if (!indices || !isFixed(shape) || look.attributes(node).reduction !== 'none') return undefined
  let known = blocks.get(indices)
  if (!known) blocks.set(indices, (known = new Map()))
  const key = shape.join()
  if (!known.has(key)) known.set(key, findBlock(indices, shape))
  return known.get(key)
}

function findBlock(indices: Tensor, shape: readonly number[]): Block | undefined {
  const depth = indices.shape.at(-1)!
  const batch = indices.shape.slice(0, -1)
  if (batch.length !== depth || indices.data.length === 0) return undefined
  const data = indices.data as BigInt64Array
  const differing = batch.flatMap((size, axis) => (size === shape[axis] ? [] : [axis]))
  const axis = differing[0] ?? 0
  const start = Number(data[axis]!)
  if (differing.length > 1 || start < 0 || start + batch[axis]! > shape[axis]!) return undefined
  const position = batch.map(() => 0)
  for (let at = 0; at < data.length; at += depth) {
    for (let j = 0; j < depth; j++) {
      if (Number(data[at + j]!) !== position[j]! + (j === axis ? start : 0)) return undefined
    }
    for (let j = depth - 1; j >= 0 && ++position[j]! === batch[j]!; j--) position[j] = 0
  }
  return { axis, start, step: 1, count: batch[axis]! }
}
