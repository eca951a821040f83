import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addDims,
  contradict,
  type Dim,
  divideDims,
  exactQuotient,
  formatShape,
  multiplyDims,
  productOf,
  sameShape,
  subtractDims,
} from './shape.ts'

/** An expression built by arithmetic, and what it is worth once its symbols have sizes. */
interface Expression {
  readonly dim: Dim
  readonly value: number
}

/** Names as files have them, some of which look like expressions. */
const sizes: Readonly<Record<string, number>> = { N: 3, H: 10, batch_size: 4, '2 * H': 21, 'seq-len+1': 6, '12': 12 }

const leaf = fc.oneof(
  fc.constantFrom(...Object.entries(sizes)).map(([dim, value]): Expression => ({ dim, value })),
  fc.integer({ min: -3, max: 5 }).map((value): Expression => ({ dim: value, value })),
)
const { expression } = fc.letrec<{ expression: Expression }>(tie => ({
  expression: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([a, b]) => ({ dim: addDims(a.dim, b.dim), value: a.value + b.value })),
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([a, b]) => ({ dim: multiplyDims(a.dim, b.dim), value: a.value * b.value })),
    fc
      .tuple(tie('expression'), fc.integer({ min: 1, max: 3 }))
      .map(([a, by]) => ({ dim: divideDims(a.dim, by), value: Math.floor(a.value / by) })),
  ),
}))

describe('arithmetic on dimensions', () => {
  test('equal dimensions have equal sizes', () => {
    fc.assert(
      fc.property(fc.array(expression, { minLength: 2, maxLength: 8 }), all => {
        for (const a of all) {
          if (typeof a.dim === 'number') expect(a.value + 0).toBe(a.dim)
          for (const b of all) if (a.dim === b.dim) expect(a.value + 0).toBe(b.value + 0)
        }
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('obeys the laws of a ring, whatever names look like', () => {
    const dim = expression.map(one => one.dim)
    fc.assert(
      fc.property(dim, dim, dim, (a, b, c) => {
        expect(addDims(a, b)).toBe(addDims(b, a))
        expect(addDims(addDims(a, b), c)).toBe(addDims(a, addDims(b, c)))
        expect(multiplyDims(a, b)).toBe(multiplyDims(b, a))
        expect(multiplyDims(multiplyDims(a, b), c)).toBe(multiplyDims(a, multiplyDims(b, c)))
        expect(multiplyDims(a, addDims(b, c))).toBe(addDims(multiplyDims(a, b), multiplyDims(a, c)))
        expect(subtractDims(a, a)).toBe(0)
        expect(subtractDims(addDims(a, b), b)).toBe(a)
        if (b !== 0) expect(divideDims(multiplyDims(a, 3), 3)).toBe(a)
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  test('an exact quotient times the divisor is the dividend', () => {
    const dim = expression.map(one => one.dim)
    fc.assert(
      fc.property(dim, dim, (a, b) => {
        const quotient = exactQuotient(a, b)
        if (quotient !== undefined) expect(multiplyDims(quotient, b)).toBe(a)
        const product = multiplyDims(a, b)
        if (/^[A-Za-z_]+$/.test(String(b))) expect(exactQuotient(product, b)).toBe(a)
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  test('writes one canonical form', () => {
    expect(addDims(multiplyDims('H', 2), 1)).toBe('2*H+1')
    expect(subtractDims(3, 'N')).toBe('-N+3')
    expect(multiplyDims('W', 'H')).toBe('H*W')
    expect(divideDims('H', 2)).toBe('floor((H)/2)')
    expect(divideDims(addDims(multiplyDims('H', 4), 3), 2)).toBe('2*H+1')
    expect(divideDims(-3, 2)).toBe(-2)
    expect(productOf(['N', 3, 'H'])).toBe('3*H*N')
  })

  test('reads an expression that a file states as the one that arithmetic makes', () => {
    expect(addDims('2*H+1', 'H')).toBe('3*H+1')
    expect(exactQuotient('H*W', 'W')).toBe('H')
    expect(multiplyDims(divideDims(addDims('H', 1), 2), 'C')).toBe('C*floor((H+1)/2)')
    expect(exactQuotient('C*floor((2*H+1)/4)', 'C')).toBe('floor((2*H+1)/4)')
  })

  test('does not depend on what was computed before', () => {
    const alone = addDims('2*Q', 'Q')
    multiplyDims('Q', 2)
    expect(addDims('2*Q', 'Q')).toBe(alone)
  })

  test('keeps what is unknown unknown', () => {
    expect(addDims('', 1)).toBe('')
    expect(multiplyDims('', 'N')).toBe('')
    expect(multiplyDims('', 0)).toBe(0)
    expect(addDims('', 0)).toBe('')
    expect(divideDims('', 2)).toBe('')
    expect(exactQuotient('', 2)).toBeUndefined()
    expect(exactQuotient('N', 0)).toBeUndefined()
    expect(sameShape([''], [''])).toBe(false)
    for (const name of ['a)*b(', '(', 'x)']) expect(multiplyDims(name, 'N')).toBe('')
  })

  test('types contradict each other only in what is known of both', () => {
    const type = (...shape: (number | string)[]) => ({ dtype: 'float32', shape }) as const
    expect(contradict(type(1, 'N'), type('M', 3))).toBe(false)
    expect(contradict(type(1, ''), undefined)).toBe(false)
    expect(contradict(type(1), { dtype: 'float32', shape: undefined })).toBe(false)
    expect(contradict(type(1), { dtype: 'float64', shape: undefined })).toBe(true)
    expect(contradict(type(1), type())).toBe(true)
    expect(contradict(type('N', 2), type('N', 3))).toBe(true)
    expect(contradict(type(1), { sequence: type(1) })).toBe(true)
  })

  test('shapes print with what is not known marked', () => {
    expect(formatShape([1, 'N', ''])).toBe('[1,N,?]')
    expect(formatShape(undefined)).toBe('[...]')
  })
})
