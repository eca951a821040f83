import { type Dim, productOf, type Shape, sameDim, sameShape } from '../../base/shape.ts'
import type { Node } from '../../graph/graph.ts'
import { countedAxis } from '../../ops/axes.ts'
import type { Ref } from '../../ops/build.ts'
import { rule, type Tools } from '../../rewrite/rule.ts'
import { dyingWith } from '../dying.ts'
import { laidOut } from './join-layouts.ts'
import { sameList, targetOf } from './layout.ts'

/**
 * A Concat of reshaped values puts together what they were before, if that has fewer nodes: along the axis before which
 * as many elements stand. The result is reshaped, once.
 */
export const concatBeforeReshape = rule({
  name: 'concat-before-reshape',
  match: ({ op, rest }) => op.Concat([rest('inputs')]).as('node'),
  replace({ inputs, node: { node, attributes } }, tools) {
    const { op, type, decline } = tools
    const shape = type(node.outputs[0]!)?.shape
    if (inputs.length < 2 || !shape) return decline('sizes are not known')
    const axis = countedAxis(attributes.axis, shape.length)
    const parts = inputs.map(ref => sourceOf(ref, tools))
    const reshapes = new Set(parts.flatMap(({ chain }) => chain))
    if (reshapes.size < 2) return decline('its inputs are not reshaped')
    const before = axisBetween(
      parts.map(part => part.shape),
      productOf(shape.slice(0, axis)),
    )
    if (before === undefined) return decline('what its inputs were before does not fit together')
    const sources = parts.map(({ source }) => source)
    const joined = op.Concat(sources, { axis: before })
    const now = op.type(joined).shape!
    if (sameShape(now, shape)) return joined
    const target = targetOf(now, shape)
    if (!target) return decline('more than one size is neither fixed nor copied')
    const gone = dyingWith(node, tools, sources).size
    return gone > 2 ? op.Reshape([joined, op.ints(target)]) : decline('fewer nodes would not do')
  },
})

interface Part {
  readonly source: Ref
  readonly chain: readonly Node[]
  readonly shape: Shape | undefined
}

/** A value before the reshapes above it that move no element. */
function sourceOf(ref: Ref, tools: Tools): Part {
  const found = laidOut(ref, tools)
  const still = found && sameList(found.layout.source.flat(), found.layout.result.flat())
  const { source, chain } = still ? found : { source: ref, chain: [] }
  return { source, chain, shape: tools.type(source)?.shape }
}

/** The axis on which shapes may differ that has so many positions before it. */
function axisBetween(shapes: readonly (Shape | undefined)[], outer: Dim): number | undefined {
  const [first] = shapes
  if (!first || !shapes.every(shape => shape?.length === first.length && !shape.includes(0))) return undefined
  for (let axis = 0; axis < first.length; axis++) {
    const fits = shapes.every(shape => shape!.every((size, i) => i === axis || sameDim(size, first[i]!)))
    if (fits && sameDim(productOf(first.slice(0, axis)), outer)) return axis
  }
  return undefined
}
