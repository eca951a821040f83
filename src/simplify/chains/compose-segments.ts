import { numbers } from '../../base/tensor.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { dyingWith } from '../dying.ts'
import { targetOf } from './layout.ts'
import { cut, cutsOf, emitSlice, isWhole, merged, type Segment, segmentsOf } from './segments.ts'

/**
 * Whatever Slice, Split, Gather with constant indices, Concat and ScatterND of a block pick along one axis is a row of
 * segments of values further up. It is written with the fewest nodes that give the same row: a value, one Slice, or one
 * Concat.
 */
export const composeSegments = rule({
  name: 'compose-segments',
  match: ({ op, rest, either }) =>
    either(
      op.Concat([rest('inputs')]).as('node'),
      op.Slice([rest('inputs')]).as('node'),
      op.Gather([rest('inputs')]).as('node'),
      op.ScatterND([rest('inputs')]).as('node'),
    ),
  replace({ node: { node } }, tools) {
    const axis = axisOf(node, tools)
    if (axis === undefined) return tools.decline('it picks along no axis, or several, or unknown ones')
    const segments = segmentsOf(node.outputs[0]!, axis, tools)
    if (!segments || segments.length === 0 || segments.some(({ ref }) => ref === node.outputs[0]))
      return tools.decline('what it picks is not known')
    return written(node, segments, axis, tools) ?? tools.decline('fewer nodes would not do')
  },
})

/** The one axis along which a node picks. */
function axisOf(node: Node, tools: Tools): number | undefined {
  if (node.op === 'Slice') {
    const cuts = cutsOf(node, tools)
    return cuts?.length === 1 ? cuts[0]!.axis : undefined
  }
  const shape = tools.type(node.inputs[0]!)?.shape
  if (!shape) return undefined
  if (node.op === 'ScatterND') {
    // Any axis will do on which nothing but a block is seen.
    return [...shape.keys()].find(axis => {
      const row = segmentsOf(node.outputs[0]!, axis, tools)
      return row && !(row.length === 1 && row[0]!.value === node.outputs[0])
    })
  }
  const { axis = 0 } = tools.attributes(node) as { axis?: number }
  return countedAxis(axis, shape.length)
}

function named(axis: number, tools: Tools) {
  return (segment: Segment): Segment =>
    segment.value === undefined && isWhole(segment, axis, tools) ? { ...segment, value: segment.ref } : segment
}

function written(node: Node, segments: readonly Segment[], axis: number, tools: Tools): Ref | undefined {
  const { op } = tools
  const own = node.outputs[0]
  const others = segments.map(({ value, ...one }) => (value === undefined || value === own ? one : { ...one, value }))
  const row = others.map(named(axis, tools))
  const kept = row.map(({ value, ref }) => value ?? ref)
  const dying = dyingWith(node, tools, kept).size
  const cost = row.filter(({ value }) => value === undefined).length + (row.length > 1 ? 1 : 0)
  const shortcut = cost === dying && row.length === 1 && improves(node, row[0]!)
  if (cost >= dying && !shortcut) return undefined
  const parts = row.map(({ value, ref, start, step, count }) =>
    value !== undefined ? value : emitSlice(op, ref, [{ axis, start, step, count }]),
  )
  return parts.length === 1 ? parts[0] : op.Concat(parts, { axis })
}

/** As many nodes, but less for the engine to wait for, or to look up. */
function improves(node: Node, { ref }: { readonly ref: Ref }): boolean {
  return node.op === 'Gather' || ref !== node.inputs[0]
}

/** One index picked by a Gather, out of what a value is made of. */
export const gatherSegment = rule({
  name: 'gather-segment',
  match: ({ op, any, constant }) => op.Gather([any('x'), constant('index', t => t.shape.length === 0)]).as('node'),
  replace({ x, index, node }, tools) {
    const { op, type, decline } = tools
    const shape = type(x)?.shape
    const axis = countedAxis(node.attributes.axis, shape?.length ?? 0)
    const size = shape?.[axis]
    if (typeof size !== 'number') return decline('the size of the axis is not known')
    const given = Number(index.data[0])
    const row = merged(
      cut(segmentsOf(x, axis, tools) ?? [], { start: given < 0 ? given + size : given, step: 1, count: 1 }),
    )
    const [found] = row.map(named(axis, tools))
    if (!found || found.ref === x) return decline('the value is not made of others')
    if (found.value !== undefined && type(found.value)?.shape?.[axis] === 1) {
      return op.Squeeze([found.value, op.ints([axis])])
    }
    return op.Gather([found.ref, op.scalar(found.start, 'int64')], { axis })
  },
})

/** Indices that count an axis through, in whatever shape they stand, pick everything in order: the axis is reshaped. */
export const gatherAll = rule({
  name: 'gather-all',
  match: ({ op, any, constant }) => op.Gather([any('x'), constant('indices', t => t.shape.length !== 1)]).as('node'),
  replace({ x, indices, node }, { op, type, decline }) {
    const shape = type(x)?.shape
    const axis = countedAxis(node.attributes.axis, shape?.length ?? 0)
    const size = shape?.[axis]
    const picked = numbers(indices)
    if (!shape || typeof size !== 'number' || picked.length !== size) return decline('it does not pick all')
    for (let i = 0; i < size; i++)
      if (picked[i] !== i && picked[i] !== i - size) return decline('it picks in another order')
    if (indices.shape.length === 0) return op.Squeeze([x, op.ints([axis])])
    if (size === 1) return op.Unsqueeze([x, op.ints(indices.shape.slice(1).map((_, i) => axis + i))])
    const target = targetOf(shape, shape.toSpliced(axis, 1, ...indices.shape))
    return target ? op.Reshape([x, op.ints(target)]) : decline('more than one size is neither fixed nor copied')
  },
})
