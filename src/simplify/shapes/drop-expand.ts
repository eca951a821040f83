import { sameDim } from '../../base/shape.ts'
import { broadcasting } from '../../ops/kinds.ts'
import { rule } from '../../rewrite/rule.ts'

const readers = [...broadcasting] as readonly ('Add' | 'Where')[]

/** An Expand goes if what reads it broadcasts anyway, because another operand has every size that it would give. */
export const dropExpand = rule({
  name: 'drop-expand',
  match: ({ op, rest, either }) => either(...readers.map(name => op[name]([rest('inputs')]).as('node'))),
  replace({ node: { node, type: name, stated }, inputs }, { op, type, producer, decline }) {
    const shapes = inputs.map(ref => type(ref)?.shape)
    if (node.op === 'PRelu' && producer(inputs[0]!)?.op === 'Expand') return decline('the slope must fit its input')
    for (const [i, ref] of inputs.entries()) {
      const expand = producer(ref)
      if (expand?.op !== 'Expand' || expand.domain !== '') continue
      const from = type(expand.inputs[0]!)?.shape
      const to = shapes[i]
      if (!from || !to) continue
      const others = shapes.filter((_, other) => other !== i)
      const given = to.every((dim, axis) => {
        const back = to.length - axis
        const own = from.at(-back)
        if (back <= from.length && sameDim(own!, dim)) return true
        // A size of 1 that is added in front is no size at all, if another operand has the axis.
        return others.some(other => other && back <= other.length && sameDim(other.at(-back)!, dim))
      })
      if (given) return op.many(name, 1, inputs.with(i, expand.inputs[0]!), stated)
    }
    return decline('no operand is expanded for nothing')
  },
})
