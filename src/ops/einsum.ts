import { SinterError } from '../base/errors.ts'
import { type Dim, productOf, type Shape } from '../base/shape.ts'
import { describe, type Node } from '../graph/graph.ts'
import { agreed } from './axes.ts'
import type { Ref } from './build.ts'
import { free, type Link, no, operator, type Port } from './operator.ts'

/** An equation with every axis named by a letter; those that `...` stands for by upper-case Greek ones. */
interface Equation {
  readonly inputs: readonly (readonly string[])[]
  readonly output: readonly string[]
}

export const einsum = operator('Einsum', {
  infer({ attributes: { equation }, inputs }) {
    const { dtype } = inputs[0]!
    const shapes = inputs.map(type => type!.shape)
    if (!shapes.every(shape => shape !== undefined)) return [{ dtype, shape: undefined }]
    const parsed = parseEquation(equation, shapes)
    const sizes = sizesOf(parsed, shapes)
    return [{ dtype, shape: parsed.output.map(letter => sizes.get(letter)!) }]
  },
  gradient({ op, attributes: { equation }, node, x, dy: [dy], needs }) {
    const shapes = x.map(ref => op.shape(ref))
    const parsed = parseEquation(equation, shapes)
    return parsed.inputs.map((letters, i): Ref | null => {
      if (!needs[i]) return null
      if (new Set(letters).size < letters.length) refuseGradient(node, 'an input names an axis twice (a diagonal)')
      // dy and the other inputs multiply to what this input is multiplied with; axes that only it has come back by
      // broadcasting, as ones.
      const others = parsed.inputs.flatMap((names, j) => (j === i ? [] : [{ names, ref: x[j]! }]))
      const factors = [{ names: parsed.output, ref: dy! }, ...others]
      const found = letters.filter(letter => factors.some(({ names }) => names.includes(letter)))
      const term = `${factors.map(({ names }) => names.join('')).join(',')}->${found.join('')}`
      const gradient = op.Einsum(
        factors.map(({ ref }) => ref),
        { equation: ascii(term) },
      )
      if (found.length === letters.length) return gradient
      const shape = letters.map((letter, axis) => (found.includes(letter) ? shapes[i]![axis]! : 1))
      return op.Expand([op.Reshape([gradient, op.ints(shape)]), op.ints(shapes[i]!)])
    })
  },
  coupling({ attributes: { equation }, inputs, outputs: [y] }) {
    const shapes = inputs.map(type => type!.shape!)
    const { inputs: terms, output } = parseEquation(equation, shapes)
    const letters = new Set(terms.flat())
    return [...letters].flatMap((letter): Link[] => {
      const ports = [
        ...terms.flatMap((names, i) => portsOf(names, letter, 'in', i, shapes[i]!)),
        ...portsOf(output, letter, 'out', 0, y!.shape!),
      ]
      // A sum over one input alone is of whatever its elements are when its channels are zero: it keeps them.
      if (ports.length < 2) return []
      return ports.slice(1).map(port => ({ from: ports[0]!, to: port, map: 'same' }))
    })
  },
  cost({ attributes: { equation }, inputs }) {
    if (inputs.length < 2) return free()
    const shapes = inputs.map(type => type!.shape)
    if (!shapes.every(shape => shape !== undefined)) return { macs: Number.NaN }
    const sizes = sizesOf(parseEquation(equation, shapes), shapes)
    return { macs: Number(productOf([...sizes.values()])) }
  },
  evaluate: no('tensor products are not shape arithmetic'),
})

function portsOf(names: readonly string[], letter: string, side: Port[0], index: number, shape: Shape): Port[] {
  return names.flatMap((name, axis): Port[] => (name === letter && shape[axis] !== 1 ? [[side, index, axis]] : []))
}

/** Axes under `...`, counted from the last one: they line up at the end as broadcasting does. */
const greek = 'ΑΒΓΔΕΖΗΘΙΚΛΜ'

/** Reads an equation for inputs of these shapes. @throws Error if it does not fit their ranks. */
export function parseEquation(equation: string, shapes: readonly Shape[]): Equation {
  const ranks = shapes.map(shape => shape.length)
  const [left = '', right] = equation.replaceAll(' ', '').split('->')
  const terms = left.split(',')
  if (terms.length !== ranks.length)
    throw new Error(`${terms.length} terms in '${equation}' for ${ranks.length} inputs`)
  let hidden = 0
  const inputs = terms.map((term, i) => {
    const named = term.replace('...', '').length
    const rest = term.includes('...') ? ranks[i]! - named : 0
    if (named + rest !== ranks[i] || rest < 0)
      throw new Error(`'${term}' in '${equation}' for an input of rank ${ranks[i]}`)
    hidden = Math.max(hidden, rest)
    return spelled(term, rest)
  })
  if (right !== undefined) return { inputs, output: spelled(right, hidden) }
  // Without an arrow: what `...` stands for, then the letters that stand once, in alphabetical order.
  const all = inputs.flat()
  const once = [...new Set(all)].filter(
    letter => !greek.includes(letter) && all.indexOf(letter) === all.lastIndexOf(letter),
  )
  return { inputs, output: [...spelled('...', hidden), ...once.sort()] }
}

function spelled(term: string, hidden: number): string[] {
  const axes = [...greek.slice(0, hidden)].reverse().join('')
  return [...term.replace('...', axes)]
}

/** The equation with the letters that it has free in the place of Greek ones. */
function ascii(equation: string): string {
  const free = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter(letter => !equation.includes(letter))
  return [...equation].map(letter => (greek.includes(letter) ? free[greek.indexOf(letter)]! : letter)).join('')
}

/** The size of each letter; 1 broadcasts. @throws Error if two axes of one letter cannot have one size. */
function sizesOf({ inputs }: Equation, shapes: readonly Shape[]): ReadonlyMap<string, Dim> {
  const found = new Map<string, Dim[]>()
  inputs.forEach((letters, i) => {
    letters.forEach((letter, axis) => {
      found.set(letter, [...(found.get(letter) ?? []), shapes[i]![axis]!])
    })
  })
  const sizeOf = (dims: readonly Dim[]) => (dims.every(dim => dim === 1) ? 1 : agreed(dims.filter(dim => dim !== 1)))
  return new Map([...found].map(([letter, dims]) => [letter, sizeOf(dims)]))
}

function refuseGradient(node: Node, why: string): never {
  throw new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}.`, { node: node.name, why })
}
