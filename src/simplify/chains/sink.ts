import { type Dim, elementCount } from '../../base/shape.ts'
import { reshape, type Tensor } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import { broadcasting, pointwise, reducing, reducingOneToItself } from '../../ops/kinds.ts'
import type { OpName } from '../../ops/spec.ts'
import { transposed } from '../../ops/transpose.ts'
import type { Tools } from '../../rewrite/rule.ts'
import { type Axis, type Layout, sameList } from './layout.ts'
import { wholeNumbers } from './layout-node.ts'

/** A node that reads a laid-out value, made to read the value as it is; its output's layout is what is left to do. */
export interface Sunk {
  readonly layout: Layout
  build(x: Ref): Ref
}

/** Which input of a node a layout could sink through; undefined where several vary. */
export function sinkingInput(node: Node, { constant }: Pick<Tools, 'constant'>): number | undefined {
  if (node.domain !== '' || node.outputs.length !== 1) return undefined
  if (!broadcasting.has(node.op)) return 0
  const varying = node.inputs.flatMap((ref, i) => (constant(ref) ? [] : [i]))
  return varying.length === 1 ? varying[0] : undefined
}

/** Takes a layout through a node that reads it. undefined where the node cares for the order of axes that it mixes up. */
export function sink(layout: Layout, node: Node, at: number, tools: Tools): Sunk | undefined {
  const stated = statedBy(node, tools)
  const rebuilt =
    (inputs: readonly (Ref | null)[], attributes = stated) =>
    (x: Ref) =>
      tools.op.many(node.op as OpName, 1, [...inputs.slice(0, at), x, ...inputs.slice(at + 1)], attributes)[0]!
  if (pointwise.has(node.op)) {
    const single = node.inputs.slice(1).every(ref => ref === '' || isSingle(ref, tools))
    return single ? { layout, build: rebuilt(orNull(node)) } : undefined
  }
  if (broadcasting.has(node.op)) {
    const inputs = node.inputs.map((ref, i) => (i === at ? ref : underneath(tools.constant(ref)!, layout)))
    if (inputs.includes(undefined) || (node.op === 'PRelu' && at !== 0)) return undefined
    const build = (x: Ref) =>
      rebuilt(inputs.map(one => (typeof one === 'string' ? one : tools.op.constant(one!, 'constant'))))(x)
    return { layout, build }
  }
  if (reducing.has(node.op)) return throughReduction(layout, node, stated, rebuilt, tools)
  switch (node.op) {
    case 'Softmax':
    case 'LogSoftmax': {
      const axis = axisBefore(layout, Number(stated.axis ?? -1))
      // Engines are fast along the last axis.
      const last = layout.source.length - 1
      if (
        axis === undefined ||
        (axis !== last && counted(Number(stated.axis ?? -1), layout) === layout.result.length - 1)
      ) {
        return undefined
      }
      return { layout, build: rebuilt(orNull(node), { ...stated, axis }) }
    }
    case 'Gather':
      return throughGather(layout, node, rebuilt, tools)
    case 'Slice':
      return throughSlice(layout, node, rebuilt, tools)
    case 'Pad':
      return throughPad(layout, node, rebuilt, tools)
    case 'MatMul':
      return throughProduct(layout, node, rebuilt, tools)
    default:
      return undefined
  }
}

type Rebuild = (inputs: readonly (Ref | null)[], attributes?: Readonly<Record<string, unknown>>) => (x: Ref) => Ref

export function statedBy(node: Node, { attributes }: Pick<Tools, 'attributes'>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(attributes(node)).filter(([name]) => name in node.attributes))
}

function orNull(node: Node): readonly (Ref | null)[] {
  return node.inputs.map(ref => (ref === '' ? null : ref))
}

export function isSingle(ref: Ref, { type }: Pick<Tools, 'type'>): boolean {
  const shape = type(ref)?.shape
  return shape?.every(size => size === 1) ?? false
}

function counted(axis: number, layout: Layout): number {
  return countedAxis(axis, layout.result.length)
}

/** The axis of the source that is an axis of the result, whole. */
function axisBefore(layout: Layout, axis: number): number | undefined {
  const wanted = layout.result[counted(axis, layout)]
  if (!wanted || wanted.length === 0) return undefined
  const found = layout.source.findIndex(one => sameList(one, wanted))
  return found < 0 ? undefined : found
}

/** A constant that broadcasts against the source as another does against the result. */
export function underneath(constant: Tensor, { sizes, source, result }: Layout): Tensor | undefined {
  const missing = result.length - constant.shape.length
  // Even a single number raises the rank if it has more axes.
  if (missing < 0) return undefined
  if (elementCount(constant.shape) === 1) return constant.shape.length === 0 ? constant : reshape(constant, [])
  const kept: number[] = []
  for (const [i, size] of constant.shape.entries()) {
    if (size === 1) continue
    const axis = result[missing + i]!
    if (axis.reduce<number>((product, factor) => product * Number(sizes[factor]), 1) !== size) return undefined
    kept.push(...axis)
  }
  const whole = source.every(axis => axis.every(f => kept.includes(f)) || !axis.some(f => kept.includes(f)))
  if (!whole) return undefined
  const order = source.flat().filter(factor => kept.includes(factor))
  const parts = reshape(
    constant,
    kept.map(factor => sizes[factor] as number),
  )
  const moved = transposed(
    parts,
    order.map(factor => kept.indexOf(factor)),
  )
  const shape = source.map(axis =>
    axis.some(f => kept.includes(f)) ? axis.reduce((product, f) => product * (sizes[f] as number), 1) : 1,
  )
  const first = shape.findIndex(size => size !== 1)
  return reshape(moved, shape.slice(first))
}

/** Other factors in the place of some, on both sides. */
function replaced(layout: Layout, old: Axis, sizes: readonly Dim[]): Layout {
  const made = sizes.flatMap((size, i) => (size === 1 ? [] : [layout.sizes.length + i]))
  const change = (axis: Axis) => (old.length > 0 && sameList(axis, old) ? made : axis)
  return { sizes: [...layout.sizes, ...sizes], source: layout.source.map(change), result: layout.result.map(change) }
}

function throughReduction(
  layout: Layout,
  node: Node,
  stated: Readonly<Record<string, unknown>>,
  rebuilt: Rebuild,
  tools: Tools,
): Sunk | undefined {
  const axes = node.inputs[1] ? wholeNumbers(node.inputs[1], tools) : undefined
  if (!axes || axes.length === 0) return undefined
  const reduced = axes.map(axis => counted(axis, layout))
  const gone = new Set(reduced.flatMap(axis => layout.result[axis]!))
  const { source, result, sizes } = layout
  // Axes of size 1 that are reduced and go need partners of size 1 in the source.
  const ones = reduced.filter(axis => result[axis]!.length === 0).length
  const keeps = Number(stated.keepdims ?? 1) !== 0
  const whole = source.every(axis => axis.every(f => gone.has(f)) || !axis.some(f => gone.has(f)))
  if (!whole || gone.size === 0) return undefined
  const before = source.flatMap((axis, i) => (axis.length > 0 && gone.has(axis[0]!) ? [i] : []))
  const empty = (axis: Axis): Axis => (axis.length > 0 && gone.has(axis[0]!) ? [] : axis)
  const drop = (axes: readonly Axis[], dropped: readonly number[]) =>
    keeps ? axes.map(empty) : axes.filter((_, i) => !dropped.includes(i))
  const after: Layout = { sizes, source: drop(source, before), result: drop(result, reduced) }
  // Sums of one element are that element, but logarithms and squares are not.
  if (ones > 0 && !reducingOneToItself.has(node.op)) return undefined
  return { layout: after, build: x => rebuilt([null, tools.op.ints(before)])(x) }
}

function throughGather(layout: Layout, node: Node, rebuilt: Rebuild, tools: Tools): Sunk | undefined {
  const given = Number(tools.attributes(node).axis ?? 0)
  const axis = axisBefore(layout, given)
  const shape = tools.type(node.inputs[1]!)?.shape
  if (axis === undefined || !shape) return undefined
  const at = counted(given, layout)
  const made = shape.map((size, i): Axis => (size === 1 ? [] : [layout.sizes.length + i]))
  const after: Layout = {
    sizes: [...layout.sizes, ...shape],
    source: layout.source.toSpliced(axis, 1, ...made),
    result: layout.result.toSpliced(at, 1, ...made),
  }
  return { layout: after, build: rebuilt(node.inputs, { axis }) }
}

function throughSlice(layout: Layout, node: Node, rebuilt: Rebuild, tools: Tools): Sunk | undefined {
  const [starts] = [wholeNumbers(node.inputs[1], tools)]
  const shape = tools.type(node.outputs[0]!)?.shape
  const axes = node.inputs[3] ? wholeNumbers(node.inputs[3], tools) : starts?.map((_, i) => i)
  if (!starts || !axes || !shape) return undefined
  const before = axes.map(axis => axisBefore(layout, axis))
  if (before.includes(undefined)) return undefined
  let after = layout
  for (const axis of axes.map(one => counted(one, layout))) after = replaced(after, after.result[axis]!, [shape[axis]!])
  const [start, end, , steps] = node.inputs.slice(1)
  const build = (x: Ref) => rebuilt([null, start!, end!, tools.op.ints(before as number[]), steps || null])(x)
  return { layout: after, build }
}

function throughPad(layout: Layout, node: Node, rebuilt: Rebuild, tools: Tools): Sunk | undefined {
  const pads = wholeNumbers(node.inputs[1], tools)
  const shape = tools.type(node.outputs[0]!)?.shape
  const rank = layout.result.length
  if (!pads || node.inputs[3] || !shape || pads.length !== 2 * rank) return undefined
  const moved = new Array<number>(2 * layout.source.length).fill(0)
  let after = layout
  for (let axis = 0; axis < rank; axis++) {
    const [front, back] = [pads[axis]!, pads[rank + axis]!]
    if (front === 0 && back === 0) continue
    const before = axisBefore(layout, axis)
    if (before === undefined) return undefined
    moved[before] = front
    moved[layout.source.length + before] = back
    after = replaced(after, after.result[axis]!, [shape[axis]!])
  }
  return { layout: after, build: x => rebuilt([null, tools.op.ints(moved), node.inputs[2] || null])(x) }
}

/** Rows times a matrix: how the rows are arranged does not matter. */
function throughProduct(layout: Layout, node: Node, rebuilt: Rebuild, tools: Tools): Sunk | undefined {
  const weights = tools.constant(node.inputs[1]!)
  const [row, own] = [layout.result.at(-1), layout.source.at(-1)]
  if (weights?.shape.length !== 2 || !row || !own || layout.source.length < 2 || layout.result.length < 2)
    return undefined
  if (!sameList(row, own) || row.length === 0) return undefined
  return { layout: replaced(layout, row, [weights.shape[1]!]), build: rebuilt(node.inputs) }
}
