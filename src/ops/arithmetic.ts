import type { DType } from '../base/dtype.ts'
import { addDims, type Dim, divideDims, exactQuotient, multiplyDims, sameDim, subtractDims } from '../base/shape.ts'
import { fromNumbers, numbers } from '../base/tensor.ts'
import { dataTypeOf } from '../onnx/dtypes.ts'
import { contentsOf } from './axes.ts'
import { broadcastType, elementwiseLinks } from './broadcast.ts'
import type { Ops, Ref } from './build.ts'
import { withContents } from './contents.ts'
import { larger, smaller } from './elements.ts'
import {
  type Compute,
  elementwise,
  evaluateElementwise,
  followElements,
  maskLike,
  piecewiseConstant,
  scalarLike,
} from './elementwise.ts'
import { type Backward, type Call, free, no, type Operator, operator } from './operator.ts'

const onBits = no('it works on the bits of integers')

export const add = elementwise('Add', {
  commutative: true,
  gradient: ({ dy: [dy] }) => [dy!, dy!],
  compute: { float: (a, b) => a! + b!, integer: (a, b) => a! + b! },
  symbolic: addDims,
})

export const sub = elementwise('Sub', {
  gradient: ({ op, dy: [dy], needs }) => [dy!, needs[1] ? op.Neg([dy]) : null],
  compute: { float: (a, b) => a! - b!, integer: (a, b) => a! - b! },
  symbolic: subtractDims,
})

export const mul = elementwise('Mul', {
  commutative: true,
  gradient: ({ op, x: [a, b], dy: [dy], needs }) => [
    needs[0] ? op.Mul([dy, b]) : null,
    needs[1] ? op.Mul([dy, a]) : null,
  ],
  compute: { float: (a, b) => a! * b!, integer: (a, b) => a! * b! },
  symbolic: multiplyDims,
})

const quotients = elementwise('Div', {
  gradient: ({ op, x: [, b], y: [y], dy: [dy], needs }) => {
    const da = op.Div([dy, b])
    return [da, needs[1] ? op.Neg([op.Mul([da, y])]) : null]
  },
  // Integers are divided towards zero, as C does; dividing one by zero throws, and nothing is folded.
  compute: { float: (a, b) => a! / b!, integer: (a, b) => a! / b! },
  symbolic: { float: (a, b) => exactQuotient(a, b) ?? '', integer: quotient },
})

export const div: Operator<'Div'> = {
  ...quotients,
  infer: call => {
    demandQuotients(call)
    return quotients.infer(call)
  },
  hazard: mayLackQuotients,
}

/** Integers of which the smallest has no quotient by -1: processors stop at it, and the process with them. */
const smallest: Readonly<Partial<Record<DType, number>>> = { int32: -(2 ** 31), int64: -(2 ** 63) }

function demandQuotients(call: Pick<Call, 'inputs' | 'constant'>): void {
  const { dtype } = call.inputs[0]!
  const least = smallest[dtype]
  if (least === undefined || !contentsOf(call, 1)?.includes(-1)) return
  if (contentsOf(call, 0)?.includes(least)) throw new Error(`${least} divided by -1 is no ${dtype}`)
}

/** Whether an operand might be the smallest integer, and the other -1, for all that is known. */
function mayLackQuotients(call: Pick<Call, 'inputs' | 'constant'>): boolean {
  const dtype = call.inputs[0]?.dtype
  const least = dtype && smallest[dtype]
  const may = (input: number, value: number) =>
    contentsOf(call, input)?.some(dim => dim === value || dim === '' || String(dim).startsWith('-')) ?? true
  return least !== undefined && may(0, least) && may(1, -1)
}

function quotient(a: Dim, b: Dim): Dim {
  return typeof b === 'number' ? (Number.isInteger(b) && b > 0 ? divideDims(a, b) : '') : (exactQuotient(a, b) ?? '')
}

export const mod = operator('Mod', {
  // Only the remainder with the divisor's sign is computed with a division.
  hazard: call => !call.attributes.fmod && mayLackQuotients(call),
  infer: call => {
    demandQuotients(call)
    const { inputs, attributes } = call
    const { fmod } = attributes
    const found = broadcastType(inputs)
    const compute = fmod ? truncatedRemainder : flooredRemainder
    return [withContents(found, followElements(inputs, found, compute, fmod ? undefined : remainderOf))]
  },
  gradient: ({ op, attributes: { fmod }, x: [a, b], y: [y], dy: [dy], needs }) => [
    dy!,
    // a = b * n + y with a whole n, so that dy/db = -n = (y - a) / b; only fmod=1 takes floats.
    needs[1] && fmod ? op.Mul([dy, op.Div([op.Sub([y, a]), b])]) : null,
  ],
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ attributes: { fmod } }, inputs) => [
    evaluateElementwise(
      inputs.map(t => t!),
      fmod ? truncatedRemainder : flooredRemainder,
    ),
  ],
})

/** What is left of a beyond the last whole multiple of b. */
function remainderOf(a: Dim, b: Dim): Dim {
  if (exactQuotient(a, b) !== undefined) return 0
  return typeof b === 'number' && b > 0 ? subtractDims(a, multiplyDims(divideDims(a, b), b)) : ''
}

const truncatedRemainder: Compute = { float: (a, b) => a! % b!, integer: (a, b) => a! % b! }

/** Has the sign of the divisor, as Python's. */
const flooredRemainder: Compute = {
  float: (a, b) => ((a! % b!) + b!) % b!,
  integer: (a, b) => ((a! % b!) + b!) % b!,
}

export const pow = elementwise('Pow', {
  gradient: ({ op, x: [a, b], y: [y], dy: [dy], needs, constant }) => [
    needs[0] ? op.Mul([dy, powerSlope(op, a!, b!, constant)]) : null,
    needs[1] ? op.Cast([op.Mul([dy, op.Mul([y, op.Log([a])])])], { to: dataTypeOf(op.type(b!).dtype) }) : null,
  ],
  compute: { float: (a, b) => a! ** b!, integer: smallPower },
})

/** A whole power, where every engine comes to the same. @throws RangeError for others: each cuts off in its own way. */
function smallPower(a: bigint, b: bigint): bigint {
  if (Math.abs(Number(a)) ** Number(b) < 2 ** 31) return a ** b
  throw new RangeError('The power does not fit 32 bits.')
}

/** b * a^(b-1), with the exponents that models have as cheap as they can be. */
function powerSlope(op: Ops, a: Ref, b: Ref, constant: Backward['constant']): Ref {
  const known = constant(1)
  const exponent = known?.data.length === 1 ? numbers(known)[0]! : undefined
  if (exponent === 1) return scalarLike(op, a, 1)
  if (exponent === 2) return op.Add([a, a])
  const { dtype } = op.type(a)
  if (exponent !== undefined) {
    return op.Mul([op.Pow([a, op.scalar(exponent - 1, dtype)]), op.scalar(exponent, dtype)])
  }
  const power = op.type(b).dtype === dtype ? b : op.Cast([b], { to: dataTypeOf(dtype) })
  return op.Mul([op.Pow([a, op.Sub([power, op.scalar(1, dtype)])]), power])
}

export const neg = elementwise('Neg', {
  gradient: ({ op, dy: [dy] }) => [op.Neg([dy])],
  compute: { float: a => -a!, integer: a => -a! },
  symbolic: a => multiplyDims(a, -1),
})

export const abs = elementwise('Abs', {
  gradient: ({ op, x: [x], dy: [dy] }) => [op.Mul([dy, op.Sign([x])])],
  compute: { float: Math.abs, integer: a => (a! < 0n ? -a! : a!) },
})

export const sign = elementwise('Sign', {
  gradient: piecewiseConstant,
  compute: { float: Math.sign, integer: a => (a! > 0n ? 1n : a! < 0n ? -1n : 0n) },
})

export const min = elementwise('Min', {
  commutative: true,
  gradient: extremeGradient,
  compute: { float: Math.min, integer: (...x) => x.reduce(smaller) },
  symbolic: (...x) => (x.every(dim => sameDim(dim, x[0]!)) ? x[0]! : ''),
})

export const max = elementwise('Max', {
  commutative: true,
  gradient: extremeGradient,
  compute: { float: Math.max, integer: (...x) => x.reduce(larger) },
  symbolic: (...x) => (x.every(dim => sameDim(dim, x[0]!)) ? x[0]! : ''),
})

/** Inputs that tie for the extreme share its gradient equally, as in PyTorch. */
function extremeGradient({ op, x, y: [y], dy: [dy], needs }: Backward): (Ref | null)[] {
  if (x.length === 1) return [dy!]
  const masks = x.map(ref => maskLike(op, op.Equal([ref, y]), ref))
  const share = op.Div([dy, op.Sum(masks)])
  return masks.map((mask, i) => (needs[i] ? op.Mul([share, mask]) : null))
}

export const sum = elementwise('Sum', {
  commutative: true,
  gradient: ({ x, dy: [dy] }) => x.map(() => dy!),
  compute: (...x) => x.reduce((a, b) => a + b),
  symbolic: (...x) => x.reduce(addDims),
})

export const mean = elementwise('Mean', {
  commutative: true,
  gradient: ({ op, x, dy: [dy] }) => {
    const share = op.Mul([dy, scalarLike(op, dy!, 1 / x.length)])
    return x.map(() => share)
  },
  compute: (...x) => x.reduce((a, b) => a + b) / x.length,
})

export const clip: Operator<'Clip'> = operator('Clip', {
  infer: call => {
    const [x] = call.inputs
    const [low, high] = [boundOf(call, 1, 'min', -Infinity), boundOf(call, 2, 'max', Infinity)]
    const known = typeof low === 'number' && typeof high === 'number'
    const clipped = (dim: Dim) => (known && typeof dim === 'number' ? Math.min(Math.max(dim, low), high) : '')
    return [withContents(x!, x!.value?.map(clipped))]
  },
  gradient: call => {
    const { op, x, y, dy, needs } = call
    const sent = (i: number, compare: 'Less' | 'Greater') =>
      needs[i] ? op.Mul([dy[0], maskLike(op, op[compare]([x[0], x[i]]), x[0]!)]) : null
    return [needs[0] ? op.Mul([dy[0], insideMask(call, y[0]!)]) : null, sent(1, 'Less'), sent(2, 'Greater')]
  },
  coupling: call => elementwiseLinks(call).filter(({ from }) => from[1] === 0),
  cost: free,
  evaluate: (call, [x, ...bounds]) => {
    const old = call.attributes as { readonly min?: number; readonly max?: number }
    const [low, high] = [old.min, old.max].map((bound, i) =>
      bound === undefined ? bounds[i] : fromNumbers(x!.dtype, [], [bound]),
    )
    const floored = low ? evaluateElementwise([x!, low], { float: Math.max, integer: (a, b) => larger(a!, b!) }) : x!
    return [
      high ? evaluateElementwise([floored, high], { float: Math.min, integer: (a, b) => smaller(a!, b!) }) : floored,
    ]
  },
  upgrades: [
    {
      to: 11,
      apply({ attributes, inputs }, op, [x]) {
        // Opset 6 has the bounds as attributes; its defaults, the ends of float32, clip nothing.
        const { min, max } = attributes as { min?: number; max?: number }
        const bound = (value: number | undefined) =>
          value === undefined || Math.abs(value) > 3.4e38 ? null : op.scalar(value, inputs[0]!.dtype)
        return [op.Clip([x, bound(min), bound(max)])]
      },
    },
  ],
})

/** A bound of Clip: an input, or until opset 10 an attribute; '' where it is not known. */
function boundOf(call: Call<'Clip'>, input: number, attribute: 'min' | 'max', none: number): Dim {
  const old = (call.attributes as { readonly min?: number; readonly max?: number })[attribute]
  return call.node.inputs[input] ? (contentsOf(call, input)?.[0] ?? '') : (old ?? none)
}

/**
 * 1 where Clip changed nothing. In float32 and with constant bounds each bound is one HardSigmoid of a steep slope, a
 * fused pass in onnxruntime, where a comparison and a cast take two slow ones; at the bounds themselves it is 0.
 */
function insideMask({ op, x: [x], constant }: Backward<'Clip'>, y: Ref): Ref {
  const steep = 2 ** 100
  const bounds = [constant(1), constant(2)].map(t => t && numbers(t)[0]!)
  const given = [1, 2].filter(i => bounds[i - 1] !== undefined)
  const representable = bounds.every(bound => bound === undefined || Math.abs(bound) < 2 ** 27)
  if (op.type(x!).dtype !== 'float32' || !representable || given.length === 0) {
    return maskLike(op, op.Equal([x, y]), x!)
  }
  const masks = given.map(i => {
    const slope = i === 1 ? steep : -steep
    return op.HardSigmoid([y], { alpha: slope, beta: -slope * bounds[i - 1]! })
  })
  return masks.length === 1 ? masks[0]! : op.Mul(masks)
}

export const bitwiseAnd = elementwise('BitwiseAnd', {
  commutative: true,
  gradient: onBits,
  compute: ofIntegers((a, b) => a & b),
})
export const bitwiseOr = elementwise('BitwiseOr', {
  commutative: true,
  gradient: onBits,
  compute: ofIntegers((a, b) => a | b),
})
export const bitwiseXor = elementwise('BitwiseXor', {
  commutative: true,
  gradient: onBits,
  compute: ofIntegers((a, b) => a ^ b),
})
export const bitwiseNot = elementwise('BitwiseNot', { gradient: onBits, compute: ofIntegers(a => ~a) })

export const bitShift = operator('BitShift', {
  infer: ({ inputs }) => [broadcastType(inputs)],
  gradient: onBits,
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ attributes: { direction } }, inputs) => [
    evaluateElementwise(
      inputs.map(t => t!),
      ofIntegers(direction === 'LEFT' ? (a, b) => a << b : (a, b) => a >> b),
    ),
  ],
})

function ofIntegers(integer: (a: bigint, b: bigint) => bigint): Compute {
  return { float: () => Number.NaN, integer: (a, b) => integer(a!, b!) }
}
