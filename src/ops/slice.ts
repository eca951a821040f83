import { addDims, type Dim, divideDims, type Shape, subtractDims } from '../base/shape.ts'
import { int64s, type Tensor } from '../base/tensor.ts'
import { axisOf, contentsOf, given, lengthOf, numbersFrom, numbersIn, unknownShape } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { strided, stridesOf } from './elements.ts'
import { filled } from './fill.ts'
import { type Call, free, type IndexMap, type Link, operator, type Pruned, type Pruning } from './operator.ts'

type SliceCall = Pick<Call<'Slice'>, 'node' | 'inputs' | 'constant' | 'attributes'>

/** What is taken along one axis: `size` elements from `start` on, `step` apart. */
interface Cut {
  readonly axis: number
  readonly start: Dim
  readonly step: number
  readonly size: Dim
}

export const slice = operator('Slice', {
  infer: call => {
    const [x] = call.inputs
    const { dtype, shape } = x!
    if (!shape) return [{ dtype, shape: undefined }]
    const cuts = cutsOf(call, shape)
    if (!cuts) return [{ dtype, shape: cutAxes(call, shape) }]
    const result = shape.map((dim, axis) => cuts.find(cut => cut.axis === axis)?.size ?? dim)
    return [{ dtype, shape: result }]
  },
  gradient: call => {
    const { op, x, dy } = call
    const shape = op.shape(x[0]!)
    const cuts = cutsOf({ ...call, inputs: x.map(ref => (ref ? op.type(ref) : undefined)) }, shape)
    if (!cuts?.every(isKnown)) throw new Error('the slice is computed: it must be constant for a gradient')
    return [padBack(op, dy[0]!, shape, cuts), ...x.slice(1).map(() => null)]
  },
  coupling: call => {
    const shape = call.inputs[0]!.shape!
    const cuts = cutsOf(call, shape)
    if (!cuts) return []
    return shape.flatMap((_, axis): Link[] => {
      const cut = cuts.find(one => one.axis === axis)
      const map = cut ? mapOf(cut) : 'same'
      return map ? [{ from: ['in', 0, axis], to: ['out', 0, axis], map }] : []
    })
  },
  prune: prunedBounds,
  cost: free,
  moves: [0],
  evaluate: (call, [x]) => {
    const cuts = cutsOf(call, x!.shape)
    if (!cuts?.every(isKnown)) throw new Error('the bounds are not known')
    const shape = x!.shape.map((dim, axis) => cuts.find(cut => cut.axis === axis)?.size ?? dim)
    const strides = stridesOf(x!.shape)
    let offset = 0
    for (const { axis, start, step } of cuts) {
      offset += start * strides[axis]!
      strides[axis]! *= step
    }
    return [strided(x!, shape, strides, offset)]
  },
  upgrades: [
    {
      to: 10,
      apply({ attributes }, op, [x]) {
        const { starts, ends, axes } = attributes as unknown as Record<'starts' | 'ends' | 'axes', readonly number[]>
        return [op.Slice([x, op.constant(boundsOf(starts)), op.constant(boundsOf(ends)), axes && op.ints(axes)])]
      },
    },
  ],
})

type KnownCut = Cut & { readonly start: number; readonly size: number }

function isKnown(cut: Cut): cut is KnownCut {
  return typeof cut.start === 'number' && typeof cut.size === 'number'
}

function positionsOf({ start, step, size }: KnownCut): number[] {
  return Array.from({ length: size }, (_, i) => start + i * step)
}

/** The cuts, as far as they are known; undefined if not even their axes are. */
function cutsOf(call: SliceCall, shape: Shape): readonly Cut[] | undefined {
  const old = call.attributes as { starts?: readonly number[]; ends?: readonly number[] }
  const count = lengthOf(call.inputs[1]) ?? old.starts?.length
  const axes = given(call, 3, 'axes')
    ? numbersFrom(call, 3, 'axes')
    : count === undefined
      ? undefined
      : Array.from({ length: count }, (_, i) => i)
  if (!axes) return undefined
  const unknown = axes.map((): Dim => '')
  const starts = (call.node.inputs[1] ? contentsOf(call, 1) : old.starts) ?? unknown
  const ends = (call.node.inputs[2] ? contentsOf(call, 2) : old.ends) ?? unknown
  const steps = call.node.inputs[4] ? numbersFrom(call, 4, '') : axes.map(() => 1)
  for (const list of [starts, ends, steps ?? unknown]) {
    if (list.length !== axes.length) throw new Error(`${list.length} bounds or steps for ${axes.length} axes`)
  }
  return axes.map((given, i) => {
    const axis = axisOf(given, shape.length)
    const step = steps?.[i]
    if (step === 0) throw new Error('a step of 0')
    return cutOf(axis, shape[axis]!, starts[i] ?? '', ends[i] ?? '', step)
  })
}

/** NumPy's rules: negative bounds count from the end, bounds outside are moved to the nearest inside. */
function cutOf(axis: number, size: Dim, start: Dim, end: Dim, step: number | undefined): Cut {
  if (step === undefined) return { axis, start: '', step: 1, size: '' }
  if (typeof size === 'number' && typeof start === 'number' && typeof end === 'number') {
    const clamp = (bound: number, least: number, most: number) =>
      Math.min(Math.max(bound < 0 ? bound + size : bound, least), most)
    // Backwards, a start before the first element is that element, other than in NumPy.
    const from = clamp(start, 0, step > 0 ? size : size - 1)
    const to = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1)
    return { axis, start: from, step, size: Math.max(0, Math.ceil((to - from) / step)) }
  }
  if (step < 0) {
    const reverses = start === -1 && typeof end === 'number' && end <= -beyond
    return { axis, start: '', step, size: reverses ? stepped(size, -step) : '' }
  }
  // With symbols, bounds are taken to lie inside; but a size that is not known may well be less than a fixed end.
  if (typeof size === 'string' && typeof end === 'number' && end >= 0 && end < beyond) {
    if (size === '' || typeof start !== 'number' || start < 0) return { axis, start, step, size: '' }
    if (end <= start) return { axis, start, step, size: 0 }
    const most = `min(${size},${end})`
    return { axis, start, step, size: stepped(start === 0 ? most : `max(${most}-${start},0)`, step) }
  }
  // There may be fewer elements than are taken from the end; that there is one goes without saying.
  if (typeof size === 'string' && typeof start === 'number' && start < -1) return { axis, start: '', step, size: '' }
  const place = (bound: Dim) => (typeof bound === 'number' && bound < 0 ? addDims(size, bound) : bound)
  const from = place(start)
  const length = subtractDims(typeof end === 'number' && end >= beyond ? size : place(end), from)
  if (typeof length === 'number') return { axis, start: from, step, size: length >= 0 ? stepped(length, step) : '' }
  return { axis, start: from, step, size: stepped(atLeastNone(length, size), step) }
}

/** A size from which a fixed number of elements was cut, of which there may be fewer; but one goes without saying. */
function atLeastNone(length: Dim, size: Dim): Dim {
  const cut = subtractDims(size, length)
  return typeof cut === 'number' && cut > 1 && length !== '' ? `max(${length},0)` : length
}

/** Bounds this far out mean the end: exporters write the ends of int32 or int64, or a billion. */
const beyond = 1e9

/** Bounds as a tensor. The ends of int64, which numbers cannot hold, become others that are as far out. */
function boundsOf(bounds: readonly number[]): Tensor<'int64'> {
  return int64s(bounds.map(bound => Math.max(-Number.MAX_SAFE_INTEGER, Math.min(bound, Number.MAX_SAFE_INTEGER))))
}

/** ceil(size / step) */
function stepped(size: Dim, step: number): Dim {
  return step === 1 ? size : divideDims(addDims(size, step - 1), step)
}

/** The shape where the bounds are computed: other axes than those cut keep their size. */
function cutAxes(call: SliceCall, shape: Shape): Shape {
  const axes = given(call, 3, 'axes') ? numbersFrom(call, 3, 'axes') : undefined
  if (!axes) return unknownShape(shape.length)
  return shape.map((dim, axis) => (axes.some(cut => axisOf(cut, shape.length) === axis) ? '' : dim))
}

/** The gradient of the whole: that of the part, among zeros. */
function padBack(op: Ops, dy: Ref, shape: readonly number[], cuts: readonly KnownCut[]): Ref {
  const before = shape.map(() => 0)
  const after = shape.map(() => 0)
  let part = dy
  for (const { axis, start, step, size } of cuts) {
    const stride = Math.abs(step)
    if (step < 0)
      part = op.Slice([part, op.ints([-1]), op.ints([Number.MIN_SAFE_INTEGER]), op.ints([axis]), op.ints([-1])])
    if (stride > 1) part = spaceOut(op, part, axis, stride)
    before[axis] = step < 0 ? start + (size - 1) * step : start
    after[axis] = shape[axis]! - before[axis] - size * stride
  }
  return [...before, ...after].every(pad => pad === 0) ? part : op.Pad([part, op.ints([...before, ...after])])
}

/** Puts `stride - 1` zeros behind each element along an axis. */
function spaceOut(op: Ops, ref: Ref, axis: number, stride: number): Ref {
  const shape = op.shape(ref)
  const single = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]
  const zeros = single.map((size, k) => (k === axis + 1 ? stride - 1 : size))
  const pairs = op.Concat([op.Reshape([ref, op.ints(single)]), filled(op, ref, zeros, 0)], { axis: axis + 1 })
  return op.Reshape([pairs, op.ints(shape.map((size, k) => (k === axis ? size * stride : size)))])
}

/** Strides other than one would not survive that some of the elements between leave. */
function mapOf(cut: Cut): IndexMap | undefined {
  if (cut.step === 1 && typeof cut.start === 'number') return { offset: -cut.start }
  return cut.step === -1 && isKnown(cut) ? { index: positionsOf(cut) } : undefined
}

/** The bounds count elements that leave. */
function prunedBounds(call: Pruning<'Slice'>): Pruned<'Slice'> {
  const cuts = cutsOf(call, call.inputs[0]!.shape!)
  const [starts, ends] = [numbersIn(call, 1), numbersIn(call, 2)].map(bounds => bounds && [...bounds])
  if (!cuts || !starts || !ends) return {}
  cuts.forEach((cut, i) => {
    const kept = call.kept('in', 0, cut.axis)
    if (!kept || !isKnown(cut)) return
    const taken = kept.filter(at => positionsOf(cut).includes(at))
    const low = kept.filter(at => at < Math.min(...positionsOf(cut))).length
    starts[i] = cut.step > 0 ? low : low + taken.length - 1
    ends[i] = cut.step > 0 ? low + taken.length : low === 0 ? Number.MIN_SAFE_INTEGER : low - 1
  })
  return { inputs: { 1: boundsOf(starts), 2: boundsOf(ends) } }
}
