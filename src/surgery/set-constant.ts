import { SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { formatShape, formatType, isTensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { mapDims } from '../graph/merge.ts'
import { sizeClasses } from '../graph/size-classes.ts'

/**
 * The graph with values for some of its inputs: they become initializers, and are inputs no longer. Symbols that the
 * values' shapes decide become sizes everywhere.
 * @throws SinterError `not-found` for a name that is no input; `invalid-argument` for a tensor of another type or shape, and
 *   where two shapes decide a symbol differently.
 */
export function setConstants(graph: Graph, values: Readonly<Record<string, Tensor>>): Graph {
  const sizes = sizeClasses()
  const names = graph.inputs.map(({ name }) => name)
  for (const [name, { dtype, shape }] of Object.entries(values)) {
    const input = graph.inputs.find(value => value.name === name)
    if (!input)
      throw new SinterError('not-found', `The graph has no input '${name}'. ${suggestion(name, names)}`, { name })
    const { type } = input
    const fits =
      !type ||
      (isTensorType(type) &&
        type.dtype === dtype &&
        (!type.shape ||
          (type.shape.length === shape.length &&
            type.shape.every((dim, axis) => sizes.join([0, dim], [0, shape[axis]!])))))
    if (fits) continue
    throw new SinterError(
      'invalid-argument',
      `The input '${name}' is ${formatType(type)}; it cannot be set to ${dtype}${formatShape(shape)}.`,
      { name, dtype, shape },
    )
  }
  // Sizes that nothing decides keep their names, expressions too.
  const settled = mapDims(graph, dim => {
    const known = sizes.name(0, dim)
    return typeof known === 'number' ? known : dim
  })
  return {
    ...settled,
    inputs: settled.inputs.filter(({ name }) => !Object.hasOwn(values, name)),
    initializers: new Map([...settled.initializers, ...Object.entries(values)]),
  }
}
