import { rule } from '../../rewrite/rule.ts'
import { climb } from './dims.ts'

/**
 * A Shape reads the dimensions it gives as far up in the graph as they stand side by side: what many nodes ask of values
 * in between, they all ask of the graph's inputs then, and once.
 */
export const readUpstream = rule({
  name: 'read-shapes-upstream',
  match: ({ op, any }) => op.Shape([any('x')]).as('node'),
  replace({ x, node }, tools) {
    const { op, type, decline } = tools
    const shape = type(x)?.shape
    if (!shape) return decline('the rank is not known')
    const { start = 0, end = shape.length } = node.attributes
    const counted = (axis: number) => Math.min(Math.max(axis < 0 ? axis + shape.length : axis, 0), shape.length)
    const run = { ref: x, start: counted(start), end: counted(end) }
    if (run.end <= run.start) return decline('it gives no dimension')
    const above = climb(run, tools)
    if (above.ref === x) return decline('its dimensions stand nowhere above')
    const whole = above.start === 0 && above.end === type(above.ref)?.shape?.length
    return op.Shape([above.ref], whole ? {} : { start: above.start, end: above.end })
  },
})

/** `Unsqueeze(Gather(Shape(x), i))` is `Shape(x)` from i to i + 1. */
export const readOneDim = rule({
  name: 'read-one-dimension',
  match: ({ op, any, constant }) =>
    op.Unsqueeze([op.Gather([op.Shape([any('x')]).as('shape'), constant('index', t => t.shape.length === 0)]), any()]),
  replace({ x, shape, index }, { op, type, decline }) {
    const rank = type(x)?.shape?.length
    if (rank === undefined) return decline('the rank is not known')
    const { start = 0, end = rank } = shape.attributes
    const counted = (axis: number) => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank)
    const i = Number(index.data[0])
    const at = i < 0 ? counted(end) + i : counted(start) + i
    return op.Shape([x], { start: at, end: at + 1 })
  },
})

/** A dimension that a Shape gives by itself already is not picked out of a longer one once more. */
export const pickFromShape = rule({
  name: 'pick-from-shape',
  match: ({ op, any, constant }) =>
    op.Gather([op.Shape([any('x')]).as('shape'), constant('index', t => t.shape.length === 0)]),
  replace({ x, shape, index }, { op, type, readers, attributes, decline }) {
    const rank = type(x)?.shape?.length
    if (rank === undefined) return decline('the rank is not known')
    const counted = (axis: number) => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank)
    const { start = 0, end = rank } = shape.attributes
    const i = Number(index.data[0])
    const at = i < 0 ? counted(end) + i : counted(start) + i
    for (const node of readers(x)) {
      if (node === shape.node || node.op !== 'Shape' || node.domain !== '') continue
      const found = attributes(node) as { start?: number; end?: number }
      if (counted(found.start ?? 0) === at && counted(found.end ?? rank) === at + 1) {
        return op.Squeeze([node.outputs[0]!, op.ints([0])])
      }
    }
    return decline('nothing gives that dimension by itself')
  },
})
