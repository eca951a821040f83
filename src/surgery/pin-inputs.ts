import { SinterError } from '../base/errors.ts'
import { type Dim, formatShape, formatType, isTensorType, type Shape, type ValueType } from '../base/shape.ts'
import { type Graph, requiredInputs, type Value } from '../graph/graph.ts'

/**
 * Fixes shapes of inputs, and with them the symbols in these, wherever they stand. The graph then takes nothing else, and
 * does with these shapes what it did before: no node and no constant changes, as `setDims` changes them where a model was
 * made for another size. So a symbol that is one in name only, with its size in the target of a Reshape, stays wrong here,
 * and inputs of which no shape is stated can be pinned too.
 * @param shapes by input, '' leaving a dimension as it is; or a size by symbol, `{ N: [8] }`.
 * @throws SinterError `not-found` for an input that there is not; `invalid-argument` for a shape of another rank, other
 *   than the graph states, or that gives a symbol two sizes.
 */
export function pinInputs(graph: Graph, shapes: Readonly<Record<string, Shape>>): Graph {
  const inputs = requiredInputs(graph)
  const names = inputs.map(({ name }) => name)
  const symbols = new Set(inputs.flatMap(({ type }) => (isTensorType(type) ? (type.shape ?? []) : [])))
  const sizes = new Map<string, number>()
  for (const [name, shape] of Object.entries(shapes)) {
    const input = inputs.find(one => one.name === name)
    const [size, ...more] = shape
    // A symbol in the place of an input's name has its size.
    if (!input && typeof size === 'number' && more.length === 0 && symbols.has(name)) {
      sizes.set(name, size)
      continue
    }
    if (!input)
      throw new SinterError(
        'not-found',
        `The model has no input '${name}' to pin; it has ${names.join(', ') || 'none'}.`,
        {
          input: name,
          inputs: names,
        },
      )
    for (const [symbol, size] of sizesFrom(input, shape)) {
      const known = sizes.get(symbol) ?? size
      if (known !== size)
        throw wrong(input, shape, `which makes the dimension ${symbol} ${size}; elsewhere it is ${known}`)
      sizes.set(symbol, size)
    }
  }
  const dim = (one: Dim): Dim => (typeof one === 'number' ? one : (sizes.get(one) ?? unmixed(one, sizes)))
  const bound = (type: ValueType | undefined): ValueType | undefined =>
    isTensorType(type) && type.shape ? { ...type, shape: type.shape.map(dim) } : type
  const pinned = (value: Value): Value => {
    const type = bound(value.type)
    const shape = shapes[value.name]
    if (!isTensorType(type) || !shape) return { ...value, type }
    return {
      ...value,
      type: { ...type, shape: shape.map((size, axis) => (size === '' ? (type.shape?.[axis] ?? '') : size)) },
    }
  }
  return {
    ...graph,
    inputs: graph.inputs.map(pinned),
    outputs: graph.outputs.map(value => ({ ...value, type: bound(value.type) })),
    types: new Map([...graph.types].map(([name, type]) => [name, bound(type)!])),
  }
}

/** The sizes that a shape gives the symbols of an input. */
function sizesFrom(input: Value, shape: Shape): readonly (readonly [symbol: string, size: number])[] {
  const { type } = input
  if (!isTensorType(type)) throw wrong(input, shape, `but it is ${formatType(type)}, which has no shape`)
  if (!type.shape) return []
  if (type.shape.length !== shape.length) throw wrong(input, shape, `but it is ${formatType(type)}`)
  return type.shape.flatMap((stated, axis) => {
    const size = shape[axis]!
    if (typeof size !== 'number') return []
    if (typeof stated === 'number' && stated !== size)
      throw wrong(input, shape, `but it is ${formatType(type)} and can be nothing else`)
    return typeof stated === 'string' && stated !== '' ? [[stated, size] as const] : []
  })
}

function wrong({ name }: Value, shape: Shape, why: string): SinterError {
  return new SinterError('invalid-argument', `The input '${name}' cannot be pinned to ${formatShape(shape)}, ${why}.`, {
    input: name,
    shape,
  })
}

/** A dimension that is computed of symbols which have sizes now (`2*H+1`) is not known before it is inferred again. */
function unmixed(symbol: string, sizes: ReadonlyMap<string, number>): Dim {
  return (symbol.match(/[^\s+\-*/()]+/g) ?? []).some(part => sizes.has(part)) ? '' : symbol
}
