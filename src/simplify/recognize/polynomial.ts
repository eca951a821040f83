import type { Node } from '../../graph/graph.ts'
import type { Ref } from '../../ops/build.ts'
import { keyOf } from '../../ops/spec.ts'
import type { Tools } from '../../rewrite/rule.ts'
import { floatNumber } from '../float-number.ts'

/** Coefficients by powers of two values: `1,1` is their product, `3,0` the first one's cube. */
export type Polynomial = ReadonlyMap<string, number>

/** A value written as a polynomial, and the nodes that compute it from the values it is in. */
export interface Written {
  readonly polynomial: Polynomial
  readonly nodes: ReadonlySet<Node>
}

/** No formula that is looked for has more nodes. */
const most = 12

/**
 * A value as a polynomial in two others, with numbers as coefficients, whatever the order in which it is computed:
 * followed up through sums, differences, products, quotients by numbers, and whole powers. undefined if it is none.
 */
export function polynomialIn(value: Ref, x: Ref, y: Ref | undefined, tools: Tools): Written | undefined {
  const nodes = new Set<Node>()
  const polynomial = follow(value)
  return polynomial && { polynomial, nodes }

  function follow(ref: Ref): Polynomial | undefined {
    if (ref === x) return new Map([['1,0', 1]])
    if (ref === y) return new Map([['0,1', 1]])
    const number = numberOf(ref, tools)
    if (number !== undefined) return new Map([['0,0', number]])
    const node = tools.producer(ref)
    if (!node || nodes.size >= most) return undefined
    nodes.add(node)
    const [left = '', right = ''] = node.inputs
    switch (keyOf(node)) {
      case 'Neg':
        return times(follow(left), new Map([['0,0', -1]]))
      case 'Mul':
        return times(follow(left), follow(right))
      case 'Add':
        return plus(follow(left), follow(right))
      case 'Sub':
        return plus(follow(left), times(follow(right), new Map([['0,0', -1]])))
      case 'Div': {
        const divisor = numberOf(right, tools)
        return divisor === undefined ? undefined : times(follow(left), new Map([['0,0', 1 / divisor]]))
      }
      case 'Pow': {
        const exponent = numberOf(right, tools)
        if (exponent !== 2 && exponent !== 3) return undefined
        const base = follow(left)
        return exponent === 2 ? times(base, base) : times(base, times(base, base))
      }
      default:
        return undefined
    }
  }
}

/** The number that a constant is, whatever its rank. */
export function numberOf(ref: Ref, { constant }: Pick<Tools, 'constant'>): number | undefined {
  return floatNumber(constant(ref))
}

function plus(a: Polynomial | undefined, b: Polynomial | undefined): Polynomial | undefined {
  if (!a || !b) return undefined
  const sum = new Map(a)
  for (const [powers, coefficient] of b) sum.set(powers, (sum.get(powers) ?? 0) + coefficient)
  return sum
}

function times(a: Polynomial | undefined, b: Polynomial | undefined): Polynomial | undefined {
  if (!a || !b) return undefined
  const product = new Map<string, number>()
  for (const [p, c] of a) {
    const [i, j] = p.split(',').map(Number) as [number, number]
    for (const [q, d] of b) {
      const [k, l] = q.split(',').map(Number) as [number, number]
      const powers = `${i + k},${j + l}`
      product.set(powers, (product.get(powers) ?? 0) + c * d)
    }
  }
  return product
}

/**
 * Whether a polynomial has just these coefficients, to a relative precision: exporters write rounded constants, some of
 * them to a few digits.
 */
export function is(polynomial: Polynomial, wanted: Readonly<Record<string, number>>, precision = 1e-5): boolean {
  const scale = Math.max(...Object.values(wanted).map(Math.abs))
  const all = new Set([...polynomial.keys(), ...Object.keys(wanted)])
  return [...all].every(powers => {
    const [got, expected] = [polynomial.get(powers) ?? 0, wanted[powers] ?? 0]
    return Math.abs(got - expected) <= precision * (expected === 0 ? scale : Math.abs(expected))
  })
}

/** Whether nothing outside of some nodes reads what they compute, but for the value that they end in. */
export function isClosed(nodes: ReadonlySet<Node>, end: Ref, { readers, uses }: Tools): boolean {
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === end || name === '') continue
      let inside = 0
      for (const reader of readers(name)) {
        if (!nodes.has(reader)) return false
        inside += reader.inputs.filter(input => input === name).length
      }
      // A value that the graph puts out is used once more than it is read.
      if (uses(name) !== inside) return false
    }
  }
  return true
}
