import { addDims, type Dim } from '../base/shape.ts'
import { fromNumbers, int64s, type Tensor } from '../base/tensor.ts'
import { axisOf, contentsOf, given, numbersFrom } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { sources, take } from './elements.ts'
import { type Call, free, type Link, operator } from './operator.ts'

type PadCall = Pick<Call<'Pad'>, 'node' | 'inputs' | 'constant' | 'attributes'>

/** Elements put before and after each axis; negative ones are cut off. */
interface Pads {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

export const pad = operator('Pad', {
  infer: call => {
    const [x] = call.inputs
    const { dtype, shape } = x!
    const pads = shape && symbolicPads(call, shape.length)
    if (!pads) return [{ dtype, shape: shape?.map(() => '') }]
    return [{ dtype, shape: shape.map((dim, axis) => addDims(addDims(dim, pads.before[axis]!), pads.after[axis]!)) }]
  },
  gradient: call => {
    const { op, x, dy, needs, attributes } = call
    const shape = op.shape(x[0]!)
    const pads = padsOf({ ...call, inputs: x.map(ref => (ref ? op.type(ref) : undefined)) }, shape.length)
    if (!pads) throw new Error('the pads are computed: they must be constant for a gradient')
    if (attributes.mode !== 'constant') {
      return [shape.reduce((g, _, axis) => foldBorders(op, g, shape, axis, pads, attributes.mode), dy[0]!)]
    }
    const inner = padded(op, dy[0]!, pads.before.map(negated), pads.after.map(negated))
    const border = needs[2] ? op.Sub([sumOf(op, dy[0]!), sumOf(op, inner)]) : null
    return [inner, null, border]
  },
  coupling: call => {
    const shape = call.inputs[0]!.shape!
    const pads = padsOf(call, shape.length)
    if (!pads) return []
    return shape.flatMap((_, axis): Link[] => {
      const [before, after] = [pads.before[axis]!, pads.after[axis]!]
      // What is mirrored or repeated would be another element.
      if (call.attributes.mode !== 'constant' && (before !== 0 || after !== 0)) return []
      const map = before === 0 && after === 0 ? ('same' as const) : { offset: before }
      return [{ from: ['in', 0, axis], to: ['out', 0, axis], map }]
    })
  },
  prune(call) {
    // Elements that are cut off and leave need not be cut off any more.
    const shape = call.inputs[0]!.shape!
    const pads = padsOf(call, shape.length)
    if (!pads || [...pads.before, ...pads.after].every(size => size >= 0)) return {}
    const axes = shape.map((_, axis) => axis)
    const stays = (axis: number, cut: (i: number) => boolean) => call.kept('in', 0, axis)?.filter(cut).length
    const before = axes.map(axis => {
      const size = pads.before[axis]!
      return size < 0 ? -(stays(axis, i => i < -size) ?? -size) : size
    })
    const after = axes.map(axis => {
      const size = pads.after[axis]!
      return size < 0 ? -(stays(axis, i => i >= Number(shape[axis]) + size) ?? -size) : size
    })
    return { inputs: { 1: int64s([...before, ...after]), ...(given(call, 3, '') ? { 3: int64s(axes) } : {}) } }
  },
  cost: free,
  moves: [0, 2],
  evaluate: (call, [x, , value]) => {
    const pads = padsOf(call, x!.shape.length)
    if (!pads) throw new Error('the pads are not known')
    const shape = x!.shape.map((size, axis) => size + pads.before[axis]! + pads.after[axis]!)
    const index = sources(shape, x!.shape, position => {
      const from = position.map((i, axis) => origin(i - pads.before[axis]!, x!.shape[axis]!, call.attributes.mode))
      return from.includes(-1) ? undefined : from
    })
    return [take(x!, shape, index, value ?? oldFill(call, x!))]
  },
  upgrades: [
    {
      to: 2,
      apply({ attributes }, op, [x]) {
        const { mode, paddings, value } = attributes as unknown as Record<string, never>
        return [
          op.Pad([x], { mode, pads: { type: 'ints', value: paddings }, value: { type: 'float', value } } as object),
        ]
      },
    },
    {
      to: 11,
      apply({ attributes, inputs }, op, [x]) {
        const { mode, pads, value = 0 } = attributes as unknown as { mode: string; pads: number[]; value?: number }
        return [op.Pad([x, op.ints(pads), value === 0 ? null : op.scalar(value, inputs[0]!.dtype)], { mode })]
      },
    },
  ],
})

const negated = (size: number) => -size

function padsOf(call: PadCall, rank: number): Pads | undefined {
  const pads = symbolicPads(call, rank)
  const fixed = pads && [...pads.before, ...pads.after].every(size => typeof size === 'number')
  return fixed ? (pads as Pads) : undefined
}

/** The same where sizes may be symbols; '' for those that are not known. */
function symbolicPads(call: PadCall, rank: number): { readonly before: Dim[]; readonly after: Dim[] } | undefined {
  const old = call.attributes as { readonly pads?: readonly number[]; readonly paddings?: readonly number[] }
  const listed = call.node.inputs[1] ? contentsOf(call, 1) : (old.pads ?? old.paddings)
  const axes = given(call, 3, '') ? numbersFrom(call, 3, '') : Array.from({ length: rank }, (_, axis) => axis)
  if (!listed || !axes) return undefined
  if (listed.length !== 2 * axes.length) throw new Error(`${listed.length} pads for ${axes.length} axes`)
  const before = new Array<Dim>(rank).fill(0)
  const after = [...before]
  axes.forEach((axis, i) => {
    before[axisOf(axis, rank)] = listed[i]!
    after[axisOf(axis, rank)] = listed[i + axes.length]!
  })
  return { before, after }
}

/** Where the element at position i of the padded axis, counted from the old start, comes from; -1 for the fill. */
function origin(i: number, size: number, mode: string): number {
  if (i >= 0 && i < size) return i
  if (mode === 'edge') return i < 0 ? 0 : size - 1
  if (mode === 'wrap') return ((i % size) + size) % size
  if (mode !== 'reflect') return -1
  const period = Math.max(1, 2 * (size - 1))
  const at = ((i % period) + period) % period
  return at < size ? at : period - at
}

function oldFill(call: PadCall, x: Tensor): Tensor | undefined {
  const { value } = call.attributes as { value?: number }
  return value === undefined || value === 0 ? undefined : fromNumbers(x.dtype, [], [value])
}

function padded(op: Ops, ref: Ref, before: readonly number[], after: readonly number[]): Ref {
  const pads = [...before, ...after]
  return pads.every(size => size === 0) ? ref : op.Pad([ref, op.ints(pads)])
}

function sumOf(op: Ops, ref: Ref): Ref {
  return op.ReduceSum([ref], { keepdims: 0 })
}

/** Undoes the padding of one axis: what was copied into its borders gives its gradient back to where it came from. */
function foldBorders(op: Ops, g: Ref, shape: readonly number[], axis: number, pads: Pads, mode: string): Ref {
  const size = shape[axis]!
  const [before, after] = [pads.before[axis]!, pads.after[axis]!]
  const at = (list: number[], value: number) => list.map((v, k) => (k === axis ? value : v))
  const none = shape.map(() => 0)
  const parts = [padded(op, g, at(none, -before), at(none, -after))]
  const add = (start: number, count: number, lands: number) => {
    if (count <= 0) return
    let border = op.Slice([g, op.ints([start]), op.ints([start + count]), op.ints([axis])])
    if (mode === 'edge') border = op.ReduceSum([border, op.ints([axis])], { keepdims: 1 })
    if (mode === 'reflect') border = reversed(op, border, axis)
    const length = mode === 'edge' ? 1 : count
    parts.push(padded(op, border, at(none, lands), at(none, size - lands - length)))
  }
  const most = mode === 'reflect' ? size - 1 : size
  if (mode !== 'edge' && (before > most || after > most)) throw new Error(`${mode} padding beyond the axis' own size`)
  const landing = { edge: [0, size - 1], reflect: [1, size - 1 - after], wrap: [size - before, 0] }[mode]!
  add(0, before, landing[0]!)
  add(before + size, after, landing[1]!)
  return parts.length === 1 ? parts[0]! : op.Sum(parts)
}

function reversed(op: Ops, ref: Ref, axis: number): Ref {
  return op.Slice([ref, op.ints([-1]), op.ints([Number.MIN_SAFE_INTEGER]), op.ints([axis]), op.ints([-1])])
}
