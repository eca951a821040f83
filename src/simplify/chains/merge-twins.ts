import { sameDim } from '../../base/shape.ts'
import { numbers } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { wholeNumbers } from './layout-node.ts'
import { type AxisCut, cutsOf, emitSlice } from './segments.ts'

/** A Slice of a Slice takes at once what both take, along all their axes. */
export const mergeSlices = rule({
  name: 'merge-slices',
  match: ({ op, any, rest }) =>
    op
      .Slice([
        op
          .Slice([any('x'), rest('from')])
          .once()
          .as('inner'),
        rest('to'),
      ])
      .as('outer'),
  replace({ x, inner, outer }, tools) {
    const [first, second] = [cutsOf(inner.node, tools), cutsOf(outer.node, tools)]
    if (!first || !second) return sliceOfBoth(x, boundsOf(inner.node, tools), boundsOf(outer.node, tools), tools)
    const cuts = new Map<number, AxisCut>(first.map(cut => [cut.axis, cut]))
    for (const { axis, start, step, count } of second) {
      const before = cuts.get(axis)
      cuts.set(
        axis,
        before
          ? { axis, start: before.start + start * before.step, step: before.step * step, count }
          : { axis, start, step, count },
      )
    }
    return cuts.size === 0 ? x : emitSlice(tools.op, x, [...cuts.values()])
  },
})

interface Bounds {
  readonly axis: number
  readonly start: number
  readonly end: number
  readonly step: number
}

/** What a Slice says of each of its axes; undefined if that is not constant. */
function boundsOf(node: Node, tools: Tools): readonly Bounds[] | undefined {
  const rank = tools.type(node.inputs[0]!)?.shape?.length
  const [starts, ends, listed, steps] = [1, 2, 3, 4].map(i => wholeNumbers(node.inputs[i], tools))
  if (!starts || !ends || rank === undefined || (node.inputs[3] && !listed) || (node.inputs[4] && !steps))
    return undefined
  return starts.map((start, i) => {
    const axis = listed?.[i] ?? i
    return { axis: countedAxis(axis, rank), start, end: ends[i]!, step: steps?.[i] ?? 1 }
  })
}

/** Slices along different axes do not ask for each other's sizes. */
function sliceOfBoth(x: Ref, inner: readonly Bounds[] | undefined, outer: typeof inner, { op, decline }: Tools) {
  if (!inner || !outer) return decline('what they take is not fixed')
  const all = [...inner, ...outer]
  if (new Set(all.map(({ axis }) => axis)).size < all.length) return decline('what they take of an axis is not fixed')
  const clamped = (value: number) => Math.max(-beyond, Math.min(value, beyond))
  const pick = (key: keyof Bounds) => op.ints(all.map(bounds => clamped(bounds[key])))
  return op.Slice([
    x,
    pick('start'),
    pick('end'),
    pick('axis'),
    all.some(({ step }) => step !== 1) ? pick('step') : null,
  ])
}

/** What a Slice takes from first to last along an axis, of whatever size, it need not name. */
export const trimSlices = rule({
  name: 'trim-slices',
  match: ({ op, any, rest }) => op.Slice([any('x'), rest('bounds')]).as('node'),
  replace({ x, node }, tools) {
    const { op, decline } = tools
    const [starts, ends, listed, steps] = [1, 2, 3, 4].map(i => wholeNumbers(node.node.inputs[i], tools))
    if (!starts || !ends || (node.node.inputs[3] && !listed) || (node.node.inputs[4] && !steps)) {
      return decline('what it takes is not fixed')
    }
    const axes = listed ?? [...starts.keys()]
    const left = [...axes.keys()].filter(i => starts[i] !== 0 || ends[i]! < beyond || (steps?.[i] ?? 1) !== 1)
    if (left.length === axes.length) return decline('it takes a part along each of its axes')
    if (left.length === 0) return x
    const pick = (list: readonly number[]) => op.ints(left.map(i => Math.max(-beyond, Math.min(list[i]!, beyond))))
    return op.Slice([x, pick(starts), pick(ends), pick(axes), steps ? pick(steps) : null])
  },
})

/** Ends this far out mean the end of whatever axis. */
const beyond = 2 ** 31 - 1

/** Whole numbers that every value of a type has a place for. */
const exact: Readonly<Record<string, readonly string[]>> = {
  bool: [
    'int8',
    'uint8',
    'int16',
    'uint16',
    'int32',
    'uint32',
    'int64',
    'uint64',
    'float16',
    'bfloat16',
    'float32',
    'float64',
  ],
  int8: ['int16', 'int32', 'int64', 'float16', 'float32', 'float64'],
  uint8: ['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float16', 'float32', 'float64'],
  int16: ['int32', 'int64', 'float32', 'float64'],
  uint16: ['int32', 'uint32', 'int64', 'uint64', 'float32', 'float64'],
  int32: ['int64', 'float64'],
  uint32: ['int64', 'uint64', 'float64'],
  float16: ['float32', 'float64'],
  bfloat16: ['float32', 'float64'],
  float32: ['float64'],
}

/**
 * What only another layout node made, a Reshape takes from before it: it asks for the elements in order, and none of these
 * changes that. Zeros in its target, which copy sizes, become what they stand for.
 */
export const mergeReshapes = rule({
  name: 'merge-reshapes',
  match: ({ op, any, rest, constant, either }) =>
    op
      .Reshape([
        either(
          op
            .Reshape([any('x'), any()])
            .once()
            .as('inner'),
          op
            .Flatten([any('x')])
            .once()
            .as('inner'),
          op
            .Squeeze([any('x'), rest('axes')])
            .once()
            .as('inner'),
          op
            .Unsqueeze([any('x'), rest('axes')])
            .once()
            .as('inner'),
        ),
        constant('target'),
      ])
      .as('outer'),
  replace({ x, inner, outer, target }, { op, type, decline }) {
    if (inner.type === 'Reshape' && inner.attributes.allowzero) return decline('it may be of no elements')
    const sizes = Array.from(numbers(target))
    if (outer.attributes.allowzero || !sizes.includes(0)) return op.Reshape([x, target.ref], outer.stated)
    const [from, between] = [type(x)?.shape, type(inner.node.outputs[0]!)?.shape]
    const said = sizes.map((size, axis) => {
      if (size !== 0) return size
      const dim = between?.[axis]
      if (dim === undefined) return undefined
      if (typeof dim === 'number') return dim === 0 ? undefined : dim
      return from?.[axis] !== undefined && sameDim(dim, from[axis]) ? 0 : undefined
    })
    return said.every(size => size !== undefined)
      ? op.Reshape([x, op.ints(said)])
      : decline('a size that it copies is not there before')
  },
})

/** A Cast of a Cast is one, where the type between holds every value of the first. */
export const mergeCasts = rule({
  name: 'merge-casts',
  match: ({ op, any }) => op.Cast([op.Cast([any('x')]).as('inner')]).as('outer'),
  replace({ x, inner, outer }, { op, type, decline }) {
    const [from, between] = [type(x)?.dtype, type(inner.node.outputs[0]!)?.dtype]
    if (!from || !between) return decline('a type is not known')
    if (from !== between && !exact[from]?.includes(between)) return decline(`${between} does not hold every ${from}`)
    const result = type(outer.node.outputs[0]!)?.dtype
    return result === from ? x : op.Cast([x], outer.stated)
  },
})

/** Pads by the same constant add up. */
export const mergePads = rule({
  name: 'merge-pads',
  match: ({ op, any, constant, maybe }) =>
    op
      .Pad([
        op
          .Pad([any('x'), constant('first'), maybe(constant('inner'))])
          .where(({ mode }) => mode === 'constant')
          .once(),
        constant('second'),
        maybe(constant('outer')),
      ])
      .where(({ mode }) => mode === 'constant'),
  replace({ x, first, second, inner, outer }, { op, decline }) {
    const [a, b] = [numbers(first), numbers(second)]
    const [one, other] = [inner, outer].map(value => (value ? numbers(value)[0] : 0))
    if (!Object.is(one, other)) return decline('they fill with different values')
    const cuts = Array.from(a).some(size => size < 0) || Array.from(b).some(size => size < 0)
    if (cuts || a.length !== b.length) return decline('one of them cuts off')
    const pads = Array.from(a, (size, i) => size + b[i]!)
    return op.Pad([x, op.ints(pads), outer?.ref ?? inner?.ref])
  },
})

/** Of two Expands in a row, the second does all. */
export const mergeExpands = rule({
  name: 'merge-expands',
  match: ({ op, any }) => op.Expand([op.Expand([any('x'), any()]).as('inner'), any('target')]).as('outer'),
  replace({ x, inner, outer, target }, { op, type, constant, decline }) {
    const [between, to] = [type(inner.node.outputs[0]!)?.shape, type(outer.node.outputs[0]!)?.shape]
    if (!to?.every(size => typeof size === 'number') || !between) return decline('the shape is not fixed')
    return op.Expand([
      x,
      constant(target) && `${Array.from(numbers(constant(target)!))}` === `${to}` ? target : op.ints(to as number[]),
    ])
  },
})

/** Tiles of the same rank multiply. */
export const mergeTiles = rule({
  name: 'merge-tiles',
  match: ({ op, any, constant }) => op.Tile([op.Tile([any('x'), constant('first')]).once(), constant('second')]),
  replace: ({ x, first, second }, { op }) =>
    op.Tile([x, op.ints(Array.from(numbers(first), (times, i) => times * numbers(second)[i]!))]),
})
