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

type Polynomial = ReadonlyMap<string, number> // monomial ('' is the constant, 'H*W' a product) -> coefficient
const known = new Map<string, Polynomial>()

function polynomial(dim: Dim): Polynomial {
  if (typeof dim === 'number') return new Map(dim === 0 ? [] : [['', dim]])
  return known.get(dim) ?? new Map([[dim, 1]])
}

function dimOf(terms: Map<string, number>): Dim {
  const entries = [...terms]
    .filter(([, c]) => c !== 0)
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
  if (entries.length === 0) return 0
  if (entries.length === 1 && entries[0]![0] === '') return entries[0]![1]
  const text = entries
    .map(([m, c], i) => {
      const sign = c < 0 ? '-' : i > 0 ? '+' : ''
      const size = Math.abs(c)
      return sign + (m === '' ? size : size === 1 ? m : `${size}*${m}`)
    })
    .join('')
  if (entries.length > 1 || entries[0]![1] !== 1) known.set(text, new Map(entries))
  return text
}

/** a + b; unknown if either is. */
export function addDims(a: Dim, b: Dim): Dim {
  if (a === '' || b === '') return ''
  if (typeof a === 'number' && typeof b === 'number') return a + b
  const terms = new Map(polynomial(a))
  for (const [m, c] of polynomial(b)) terms.set(m, (terms.get(m) ?? 0) + c)
  return dimOf(terms)
}

/** a * b; unknown if either is, unless the other is 0. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0
  if (a === '' || b === '') return ''
  if (typeof a === 'number' && typeof b === 'number') return a * b
  const terms = new Map<string, number>()
  for (const [m, c] of polynomial(a)) {
    for (const [n, d] of polynomial(b)) {
      const product = [...m.split('*'), ...n.split('*')]
        .filter(s => s !== '')
        .sort()
        .join('*')
      terms.set(product, (terms.get(product) ?? 0) + c * d)
    }
  }
  return dimOf(terms)
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(b, -1))
}

/** floor(a / b) for a fixed, positive divisor; exact where every coefficient divides, else an opaque symbol. */
export function divideDims(a: Dim, b: number): Dim {
  if (a === '' || b === 1) return a
  if (typeof a === 'number') return Math.floor(a / b)
  const terms = polynomial(a)
  const rest = [...terms].filter(([m, c]) => m !== '' && c % b !== 0)
  if (rest.length > 0) return `floor((${a})/${b})`
  return dimOf(new Map([...terms].map(([m, c]) => [m, Math.floor(c / b)])))
}

/** Product of a shape's dimensions. */
export function productOf(shape: Shape): Dim {
  return shape.reduce<Dim>((product, dim) => multiplyDims(product, dim), 1)
}

/** a / b where it is exact: the numbers divide, or b's symbols all appear in a. undefined where that is not known. */
export function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  if (a === '' || b === '' || b === 0) return undefined
  if (sameDim(a, b)) return 1
  const divisor = [...polynomial(b)]
  if (divisor.length !== 1) return undefined
  const [monomial, coefficient] = divisor[0]!
  const terms = new Map<string, number>()
  for (const [m, c] of polynomial(a)) {
    const factors = m.split('*').filter(s => s !== '')
    for (const factor of monomial.split('*').filter(s => s !== '')) {
      const at = factors.indexOf(factor)
      if (at < 0) return undefined
      factors.splice(at, 1)
    }
    if (c % coefficient !== 0) return undefined
    terms.set(factors.join('*'), c / coefficient)
  }
  return dimOf(terms)
}
