import { rule } from '../../rewrite/rule.ts'
import type { Settings } from '../settings.ts'
import { climb, isOneNode, type Run, runOf, shapesOf } from './dims.ts'

/**
 * A Shape reads the dimensions it gives as far up in the graph as they stand side by side: what many nodes ask of values
 * in between, they all ask of the graph's inputs then, and once.
 */
export const readShapesUpstream = ({ opset }: Pick<Settings, 'opset'>) =>
  rule({
    name: 'read-shapes-upstream',
    match: ({ op, any }) => op.Shape([any('x')]).as('node'),
    replace({ x, node }, tools) {
      const { op, type, decline } = tools
      const rank = type(x)?.shape?.length
      if (rank === undefined) return decline('the rank is not known')
      const { start, end } = runOf(x, rank, node.attributes)
      if (end <= start) return decline('it gives no dimension')
      const above = climb({ ref: x, start, end }, tools)
      if (above.ref === x) return decline('its dimensions stand nowhere above')
      if (!isOneNode(above, tools, opset)) return decline('it would take two nodes')
      const whole = above.start === 0 && above.end === type(above.ref)?.shape?.length
      return op.Shape([above.ref], whole ? {} : { start: above.start, end: above.end })
    },
  })

/** `Unsqueeze(Gather(Shape(x), i))` is `Shape(x)` from i to i + 1, or a Slice of it. */
export const readOneDimension = ({ opset }: Pick<Settings, 'opset'>) =>
  rule({
    name: 'read-one-dimension',
    match: ({ op, any, constant }) =>
      op.Unsqueeze([
        op.Gather([op.Shape([any('x')]).as('shape'), constant('index', t => t.shape.length === 0)]),
        any(),
      ]),
    replace({ x, shape, index }, tools) {
      const { op, type, decline } = tools
      const rank = type(x)?.shape?.length
      if (rank === undefined) return decline('the rank is not known')
      const all = runOf(x, rank, shape.attributes)
      const start = pickedFrom(all, Number(index.data[0]))
      if (start === undefined) return decline('the index is outside')
      const run = { ref: x, start, end: start + 1 }
      if (isOneNode(run, tools, opset))
        return op.Shape([x], run.end === rank && start === 0 ? {} : { start, end: run.end })
      const at = start - all.start
      return op.Slice([shape.node.outputs[0]!, op.ints([at]), op.ints([at + 1]), op.ints([0])])
    },
  })

/**
 * One dimension is picked from where it is read already, by itself or among others, and of several values that have it
 * from the one furthest up.
 */
export const pickDimensionUpstream = rule({
  name: 'pick-dimension-upstream',
  match: ({ op, any, constant }) =>
    op.Gather([op.Shape([any('x')]).as('shape'), constant('index', t => t.shape.length === 0)]),
  replace({ x, shape, index }, tools) {
    const { op, type, uses, decline } = tools
    const rank = type(x)?.shape?.length
    if (rank === undefined) return decline('the rank is not known')
    const start = pickedFrom(runOf(x, rank, shape.attributes), Number(index.data[0]))
    if (start === undefined) return decline('the index is outside')
    const above = climb({ ref: x, start, end: start + 1 }, tools)
    const single = shapesOf(above.ref, tools).find(run => run.start === above.start && run.end === above.end)
    if (single && single.output !== shape.node.outputs[0]) return op.Squeeze([single.output, op.ints([0])])
    if (above.ref === x) return decline('nothing gives that dimension by itself, or further up')
    const among = shapesOf(above.ref, tools).find(run => run.start <= above.start && run.end > above.start)
    if (!among && uses(shape.node.outputs[0]!) > 1) return decline('the Shape serves others too')
    const from = among ?? { output: op.Shape([above.ref]), start: 0 }
    return op.Gather([from.output, op.scalar(above.start - from.start, 'int64')], { axis: 0 })
  },
})

/** The axis that an index picks; undefined where the index is outside. */
function pickedFrom({ start, end }: Run, index: number): number | undefined {
  const axis = index < 0 ? end + index : start + index
  return axis < start || axis >= end ? undefined : axis
}
