import { SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { type Dim, formatShape, type Shape, shapeOf } from '../base/shape.ts'
import type { Graph } from '../graph/graph.ts'
import { dimName, symbolsOf } from '../read/sized.ts'

/** A dimension of an input, as `x:0` names it. */
interface InputAxis {
  readonly input: string
  readonly shape: Shape
  readonly axis: number
}

/** The dimension that `x:0` means in a graph; counted from the end if negative. undefined where `x` is no input of it. */
export function inputAxis(text: string, graph: Graph): InputAxis | undefined {
  const [, input, number] = /^(.+):(-?\d+)$/.exec(text) ?? []
  const found = graph.inputs.find(({ name }) => name === input)
  if (input === undefined || !found) return undefined
  const shape = shapeOf(found.type)
  const axis = Number(number) < 0 ? Number(number) + (shape?.length ?? 0) : Number(number)
  if (shape && axis >= 0 && axis < shape.length) return { input, shape, axis }
  const rank = shape ? `is ${formatShape(shape)}` : 'states no shape'
  throw new SinterError('invalid-argument', `The input '${input}' ${rank}; there is no axis ${number}.`, {
    input,
    axis: Number(number),
  })
}

/** The size or the symbol of a dimension that `x:0` means; unnamed ones have that as their symbol. */
function dimAt(text: string, graph: Graph): Dim | undefined {
  const at = inputAxis(text, graph)
  return at && (at.shape[at.axis] || dimName(at.input, at.axis))
}

/**
 * Sizes by the symbols that the models have: each may also go by an input and an axis that has it, `x:2` for `height`.
 * @throws SinterError `invalid-argument` for a dimension that no model has, naming those that there are; for one that the
 *   file says is another, and for a symbol that would have two sizes.
 */
export function boundSizes(
  sizes: Readonly<Record<string, number>>,
  graphs: readonly Graph[],
): Readonly<Record<string, number>> {
  const bound: Record<string, number> = {}
  const known = graphs.map(symbolsOf)
  for (const [name, size] of Object.entries(sizes)) {
    let found = false
    for (const [i, graph] of graphs.entries()) {
      const dim = known[i]!.includes(name) ? name : dimAt(name, graph)
      if (dim === undefined) continue
      found = true
      if (typeof dim === 'number') {
        if (dim === size) continue
        throw new SinterError('invalid-argument', `'${name}' is ${dim} in the file; it cannot be ${size}.`, { name })
      }
      if ((bound[dim] ?? size) !== size)
        throw new SinterError('invalid-argument', `'${dim}' is to be ${bound[dim]} and ${size} at once.`, { name: dim })
      bound[dim] = size
    }
    if (!found) throw noDimension(name, [...new Set(known.flat())])
  }
  return bound
}

function noDimension(name: string, known: readonly string[]): SinterError {
  const there = known.length === 0 ? 'None of them is open.' : suggestion(name, known)
  return new SinterError('invalid-argument', `No input has a dimension '${name}' to bind. ${there}`, {
    symbol: name,
    known,
  })
}

/**
 * Shapes by input: `x:2=320`, which fixes one axis, becomes a shape of `x` with the others left open.
 * @throws SinterError `invalid-argument` for an axis that an input has not, and for one that would have two sizes.
 */
export function shapesByInput(shapes: Readonly<Record<string, Shape>>, graph: Graph): Readonly<Record<string, Shape>> {
  const whole: Record<string, Shape> = {}
  const byAxis: [InputAxis, Dim][] = []
  for (const [name, shape] of Object.entries(shapes)) {
    const isInput = graph.inputs.some(input => input.name === name)
    const at = isInput || shape.length !== 1 ? undefined : inputAxis(name, graph)
    if (at) byAxis.push([at, shape[0]!])
    else whole[name] = shape
  }
  for (const [{ input, shape, axis }, size] of byAxis) {
    const before = whole[input] ?? shape.map((): Dim => '')
    if ((before[axis] || size) !== size)
      throw new SinterError('invalid-argument', `'${input}:${axis}' is to be ${before[axis]} and ${size} at once.`, {
        input,
        axis,
      })
    whole[input] = before.with(axis, size)
  }
  return whole
}

/**
 * Shapes to run with, which leave nothing open: what is open in them is as the model has it.
 * @throws SinterError `invalid-argument` where the model leaves it open too.
 */
export function wholeShapes(
  shapes: Readonly<Record<string, Shape>>,
  graph: Graph,
): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const stated = shapeOf(graph.inputs.find(input => input.name === name)?.type)
      const sizes = shape.map((dim, axis) => (dim === '' ? (stated?.[axis] ?? '') : dim))
      const open = sizes.findIndex(dim => typeof dim !== 'number')
      if (open < 0) return [name, sizes as readonly number[]]
      throw new SinterError(
        'invalid-argument',
        `To run with ${name} of ${formatShape(shape)}, it needs a size for every dimension that is open: axis ${open} is.`,
        { input: name, axis: open },
      )
    }),
  )
}
