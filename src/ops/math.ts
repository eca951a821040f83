import type { Dim } from '../base/shape.ts'
import { elementwiseLinks } from './broadcast.ts'
import { elementwise, evaluateElementwise, piecewiseConstant, scalarLike } from './elementwise.ts'
import { free, operator } from './operator.ts'

// Functions of one variable. A dimension is a whole number, so that rounding one changes nothing.
const whole = (a: Dim): Dim => a

export const exp = elementwise('Exp', {
  gradient: ({ op, y: [y], dy: [dy] }) => [op.Mul([dy, y])],
  compute: Math.exp,
})

export const log = elementwise('Log', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Div([dy, x])],
  compute: Math.log,
})

export const sqrt = elementwise('Sqrt', {
  gradient: ({ op, y: [y], dy: [dy] }) => [op.Div([dy, op.Add([y, y])])],
  compute: Math.sqrt,
})

export const reciprocal = elementwise('Reciprocal', {
  gradient: ({ op, y: [y], dy: [dy] }) => [op.Neg([op.Mul([dy, op.Mul([y, y])])])],
  compute: x => 1 / x!,
})

export const erf = elementwise('Erf', {
  // d erf(x) / dx = 2/sqrt(pi) * exp(-x^2)
  gradient: ({ op, x: [x], dy: [dy] }) => [
    op.Mul([op.Mul([dy, scalarLike(op, x!, 2 / Math.sqrt(Math.PI))]), op.Exp([op.Neg([op.Mul([x, x])])])]),
  ],
  compute: x => erfOf(x!),
})

export const sin = elementwise('Sin', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Mul([dy, op.Cos([x])])],
  compute: Math.sin,
})

export const cos = elementwise('Cos', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Neg([op.Mul([dy, op.Sin([x])])])],
  compute: Math.cos,
})

export const tan = elementwise('Tan', {
  gradient: ({ op, y: [y], dy: [dy] }) => [op.Mul([dy, op.Add([op.Mul([y, y]), scalarLike(op, y!, 1)])])],
  compute: Math.tan,
})

export const asin = elementwise('Asin', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Div([dy, op.Sqrt([op.Sub([scalarLike(op, x!, 1), op.Mul([x, x])])])])],
  compute: Math.asin,
})

export const acos = elementwise('Acos', {
  gradient: ({ op, x: [x], dy: [dy] }) => [
    op.Neg([op.Div([dy, op.Sqrt([op.Sub([scalarLike(op, x!, 1), op.Mul([x, x])])])])]),
  ],
  compute: Math.acos,
})

export const atan = elementwise('Atan', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Div([dy, op.Add([op.Mul([x, x]), scalarLike(op, x!, 1)])])],
  compute: Math.atan,
})

export const sinh = elementwise('Sinh', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Mul([dy, op.Cosh([x])])],
  compute: Math.sinh,
})

export const cosh = elementwise('Cosh', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Mul([dy, op.Sinh([x])])],
  compute: Math.cosh,
})

export const asinh = elementwise('Asinh', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Div([dy, op.Sqrt([op.Add([op.Mul([x, x]), scalarLike(op, x!, 1)])])])],
  compute: Math.asinh,
})

export const acosh = elementwise('Acosh', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Div([dy, op.Sqrt([op.Sub([op.Mul([x, x]), scalarLike(op, x!, 1)])])])],
  compute: Math.acosh,
})

export const atanh = elementwise('Atanh', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Div([dy, op.Sub([scalarLike(op, x!, 1), op.Mul([x, x])])])],
  compute: Math.atanh,
})

export const floor = elementwise('Floor', { gradient: piecewiseConstant, compute: Math.floor, symbolic: whole })
export const ceil = elementwise('Ceil', { gradient: piecewiseConstant, compute: Math.ceil, symbolic: whole })
export const round = elementwise('Round', { gradient: piecewiseConstant, compute: halfToEven, symbolic: whole })
export const isNan = elementwise('IsNaN', { gradient: piecewiseConstant, compute: Number.isNaN, result: 'bool' })

export const isInf = operator('IsInf', {
  infer: ({ inputs: [x] }) => [{ dtype: 'bool', shape: x!.shape }],
  gradient: piecewiseConstant,
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ attributes: { detect_negative, detect_positive } }, [x]) => [
    evaluateElementwise(
      [x!],
      v => (v === Infinity && detect_positive !== 0) || (v === -Infinity && detect_negative !== 0),
      'bool',
    ),
  ],
})

function halfToEven(x = 0): number {
  const below = Math.floor(x)
  const over = x - below
  return over < 0.5 || (over === 0.5 && below % 2 === 0) ? below : below + 1
}

/**
 * The error function to double precision: its Taylor series near 0, and further out the continued fraction of
 * erfc (Abramowitz and Stegun, 7.1.5 and 7.1.14), evaluated from its tail.
 */
function erfOf(x: number): number {
  const size = Math.abs(x)
  if (size < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= -(x * x) / n
      sum += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let tail = size
  for (let n = 80; n > 0; n--) tail = size + n / 2 / tail
  const rest = Math.exp(-size * size) / Math.sqrt(Math.PI) / tail
  return Math.sign(x) * (1 - rest)
}
