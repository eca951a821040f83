import type { DType } from './dtype.ts'

/**
 * One dimension: a size, or a symbol. A symbol is a name (`N`), an expression in canonical form (`2*H+1`), or '' for a
 * dimension of which nothing is known, which equals no other.
 */
export type Dim = number | string
export type Shape = readonly Dim[]

export interface TensorType {
  readonly dtype: DType
  /** undefined: not even the rank is known. */
  readonly shape: Shape | undefined
}

/** What a value can be; nearly always a tensor. */
export type ValueType =
  | TensorType
  | { readonly sequence: ValueType }
  | { readonly optional: ValueType }
  | { readonly key: DType; readonly value: ValueType }
  | { readonly sparse: TensorType }

export function isTensorType(type: ValueType | undefined): type is TensorType {
  return type !== undefined && 'dtype' in type
}

/** The shape of a value; undefined where not even the rank is known, or where it is no tensor. */
export function shapeOf(type: ValueType | undefined): Shape | undefined {
  return isTensorType(type) ? type.shape : undefined
}

/** Number of elements of a fixed shape; 1 for rank 0. */
export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

export function isFixed(shape: Shape | undefined): shape is readonly number[] {
  return shape?.every(dim => typeof dim === 'number') ?? false
}

/** Whether two dimensions are known to be equal. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a === b && a !== ''
}

export function sameShape(a: Shape | undefined, b: Shape | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]!))
}

/** Whether no value can be of both types: element types, ranks or fixed sizes differ. What is not known contradicts nothing. */
export function contradict(a: ValueType | undefined, b: ValueType | undefined): boolean {
  if (a === b || !a || !b) return false
  if (!isTensorType(a) || !isTensorType(b)) return isTensorType(a) !== isTensorType(b)
  if (a.dtype !== b.dtype) return true
  if (!a.shape || !b.shape || a.shape === b.shape) return false
  if (a.shape.length !== b.shape.length) return true
  return a.shape.some((dim, i) => typeof dim === 'number' && typeof b.shape![i] === 'number' && dim !== b.shape![i])
}

export function formatShape(shape: Shape | undefined): string {
  return shape ? `[${shape.map(dim => (dim === '' ? '?' : dim)).join(',')}]` : '[...]'
}

export function formatType(type: ValueType | undefined): string {
  if (!type) return '?'
  if ('dtype' in type) return `${type.dtype}${formatShape(type.shape)}`
  if ('sequence' in type) return `sequence(${formatType(type.sequence)})`
  if ('optional' in type) return `optional(${formatType(type.optional)})`
  if ('sparse' in type) return `sparse(${formatType(type.sparse)})`
  return `map(${type.key}, ${formatType(type.value)})`
}

// --- arithmetic on dimensions: polynomials over symbols with whole coefficients ---

/** A product of factors, sorted and joined by '*' ('' is the constant), and its coefficient. */
type Polynomial = ReadonlyMap<string, number>

const expressionSigns = /[+\-*()]/
const wholeNumber = /^\d+$/

/** A dimension of which nothing can be said that outlives arithmetic: unknown, or a name that no expression can hold. */
function isOpaque(dim: Dim): boolean {
  return dim === '' || (typeof dim === 'string' && !isBalanced(dim))
}

function isBalanced(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if (character === '(') depth++
    if (character === ')' && --depth < 0) return false
  }
  return depth === 0
}

function polynomial(dim: Dim): Polynomial {
  if (typeof dim === 'number') return new Map(dim === 0 ? [] : [['', dim]])
  if (!expressionSigns.test(dim) && !wholeNumber.test(dim)) return new Map([[dim, 1]])
  const terms = parse(dim)
  // A name that only looks like an expression stands for itself, in brackets where it becomes part of one.
  return terms && dimOf(terms) === dim ? terms : new Map([[`(${dim})`, 1]])
}

/** The terms of an expression; undefined where the text is none. */
function parse(text: string): Polynomial | undefined {
  const terms = new Map<string, number>()
  for (const { before, piece } of splitAt(text, '+-')) {
    const factors = factorsOf(piece)
    const scale = wholeNumber.test(factors[0] ?? '') ? Number(factors.shift()) : 1
    if (factors.some(factor => factor === '' || wholeNumber.test(factor))) return undefined
    terms.set(productOfFactors(factors), before === '-' ? -scale : scale)
  }
  return terms
}

/** The pieces of a text between signs that stand outside of brackets, each with the sign before it. */
function splitAt(text: string, signs: string): readonly { before: string; piece: string }[] {
  const pieces = [{ before: '', piece: '' }]
  let depth = 0
  for (const character of text) {
    if (character === '(') depth++
    if (character === ')') depth--
    if (depth === 0 && signs.includes(character)) pieces.push({ before: character, piece: '' })
    else pieces.at(-1)!.piece += character
  }
  // Before a leading sign there is nothing.
  return pieces[0]!.piece === '' ? pieces.slice(1) : pieces
}

function factorsOf(monomial: string): string[] {
  return splitAt(monomial, '*').map(({ piece }) => piece)
}

function productOfFactors(factors: readonly string[]): string {
  return factors.toSorted().join('*')
}

/** Longer expressions are given up: each operation on one costs its length, and a few squares in a row would double it. */
const longestExpression = 256

/** A number that is no size any more, or an expression that nobody can work with, is unknown. */
function settled(dim: Dim): Dim {
  if (typeof dim === 'number') return Math.abs(dim) <= Number.MAX_SAFE_INTEGER ? dim : ''
  return dim.length <= longestExpression ? dim : ''
}

/** The canonical form: terms in order of their symbols, the constant last. */
function dimOf(sums: Polynomial): Dim {
  const terms = [...sums]
    .filter(([, coefficient]) => coefficient !== 0)
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
  const [first] = terms
  if (!first) return 0
  if (terms.some(([, coefficient]) => !Number.isSafeInteger(coefficient))) return ''
  if (terms.length === 1 && first[0] === '') return first[1]
  if (terms.length === 1 && first[1] === 1) return settled(withoutBrackets(first[0]))
  const texts = terms.map(([monomial, coefficient], i) => {
    const sign = coefficient < 0 ? '-' : i > 0 ? '+' : ''
    const size = Math.abs(coefficient)
    return sign + (monomial === '' ? size : size === 1 ? monomial : `${size}*${monomial}`)
  })
  return settled(texts.join(''))
}

function withoutBrackets(monomial: string): string {
  return monomial.startsWith('(') && factorsOf(monomial).length === 1 ? monomial.slice(1, -1) : monomial
}

/** a + b; unknown if either is. */
export function addDims(a: Dim, b: Dim): Dim {
  if (a === 0) return b
  if (b === 0) return a
  if (typeof a === 'number' && typeof b === 'number') return settled(a + b)
  if (isOpaque(a) || isOpaque(b)) return ''
  const terms = new Map(polynomial(a))
  for (const [monomial, coefficient] of polynomial(b)) terms.set(monomial, (terms.get(monomial) ?? 0) + coefficient)
  return dimOf(terms)
}

/** a * b; unknown if either is, unless the other is 0. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0
  if (typeof a === 'number' && typeof b === 'number') return settled(a * b)
  if (a === 1) return b
  if (b === 1) return a
  if (isOpaque(a) || isOpaque(b)) return ''
  const terms = new Map<string, number>()
  for (const [m, c] of polynomial(a)) {
    for (const [n, d] of polynomial(b)) {
      const product = productOfFactors([...factorsOf(m), ...factorsOf(n)])
      terms.set(product, (terms.get(product) ?? 0) + c * d)
    }
  }
  return dimOf(terms)
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(b, -1))
}

/** floor(a / b) for a fixed, positive divisor; exact where every coefficient divides, else a symbol of its own. */
export function divideDims(a: Dim, b: number): Dim {
  if (a === '' || b === 1) return a
  if (typeof a === 'number') return Math.floor(a / b)
  if (isOpaque(a)) return ''
  const terms = [...polynomial(a)]
  if (terms.some(([monomial, coefficient]) => monomial !== '' && coefficient % b !== 0))
    return settled(`floor((${a})/${b})`)
  return dimOf(new Map(terms.map(([monomial, coefficient]) => [monomial, Math.floor(coefficient / b)])))
}

/** Product of a shape's dimensions. */
export function productOf(shape: Shape): Dim {
  return shape.reduce<Dim>((product, dim) => multiplyDims(product, dim), 1)
}

/** a / b where it is exact: the numbers divide, or b's symbols all appear in a. undefined where that is not known. */
export function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  if (isOpaque(a) || isOpaque(b) || b === 0) return undefined
  if (sameDim(a, b)) return 1
  const divisor = [...polynomial(b)]
  if (divisor.length !== 1) return undefined
  const [monomial, coefficient] = divisor[0]!
  const terms = new Map<string, number>()
  for (const [m, c] of polynomial(a)) {
    const factors = factorsOf(m)
    for (const factor of factorsOf(monomial)) {
      const at = factors.indexOf(factor)
      if (at < 0) return undefined
      factors.splice(at, 1)
    }
    if (c % coefficient !== 0) return undefined
    terms.set(productOfFactors(factors), c / coefficient)
  }
  return dimOf(terms)
}
