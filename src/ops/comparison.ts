import { type Dim, sameDim } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { broadcast, broadcastType, elementwiseLinks } from './broadcast.ts'
import { withContents } from './contents.ts'
import { broadcastSources, take } from './elements.ts'
import { eachElement, elementwise, maskLike, piecewiseConstant } from './elementwise.ts'
import { free, type InferredType, operator } from './operator.ts'

type Ordered = number | bigint

function comparison<K extends 'Greater' | 'GreaterOrEqual' | 'Less' | 'LessOrEqual'>(
  type: K,
  holds: (a: Ordered, b: Ordered) => boolean,
) {
  const compute = (a?: Ordered, b?: Ordered) => holds(a!, b!)
  return elementwise(type, {
    gradient: piecewiseConstant,
    compute: { float: compute, integer: compute },
    result: 'bool',
  })
}

export const greater = comparison('Greater', (a, b) => a > b)
export const greaterOrEqual = comparison('GreaterOrEqual', (a, b) => a >= b)
export const less = comparison('Less', (a, b) => a < b)
export const lessOrEqual = comparison('LessOrEqual', (a, b) => a <= b)

export const equal = elementwise('Equal', {
  commutative: true,
  gradient: piecewiseConstant,
  compute: { float: (a, b) => a === b, integer: (a, b) => a === b },
  symbolic: (a, b) => (sameDim(a, b) ? 1 : differ(a, b) || differ(b, a) ? 0 : ''),
  result: 'bool',
})

/** A single symbol is a size, which a negative number (the -1 of a Reshape's target) never equals. */
function differ(symbol: Dim, size: Dim): boolean {
  return typeof symbol === 'string' && /^\w+$/.test(symbol) && typeof size === 'number' && size < 0
}

export const and = elementwise('And', {
  commutative: true,
  gradient: piecewiseConstant,
  compute: (a, b) => a! !== 0 && b! !== 0,
})
export const or = elementwise('Or', {
  commutative: true,
  gradient: piecewiseConstant,
  compute: (a, b) => a! !== 0 || b! !== 0,
})
export const xor = elementwise('Xor', {
  commutative: true,
  gradient: piecewiseConstant,
  compute: (a, b) => (a! !== 0) !== (b! !== 0),
})
export const not = elementwise('Not', { gradient: piecewiseConstant, compute: a => a! === 0 })

export const where = operator('Where', {
  infer: ({ inputs }) => {
    const [condition, a, b] = inputs as readonly InferredType[]
    const found = broadcastType([condition, a, b], a!.dtype)
    return [withContents(found, eachElement([condition, a, b], found, which))]
  },
  gradient: ({ op, x: [condition, a], dy: [dy], needs }) => {
    // A mask's product: onnxruntime's Where takes a slow path for what is broadcast.
    const da = op.Mul([dy, maskLike(op, condition!, a!)])
    return [null, da, needs[2] ? op.Sub([dy, da]) : null]
  },
  coupling: elementwiseLinks,
  cost: free,
  evaluate: (_, inputs) => {
    const shape = broadcast(inputs.map(t => t!.shape)) as readonly number[]
    const [holds, a, b] = inputs.map(t => take(t!, shape, broadcastSources(shape, t!.shape)))
    const data = b!.data.slice() as { [i: number]: unknown }
    ;(holds!.data as Uint8Array).forEach((one, i) => {
      if (one) data[i] = a!.data[i]
    })
    return [{ dtype: a!.dtype, shape, data: data as unknown as Tensor['data'] }]
  },
})

/** The element that is chosen, where it is known which, or where both are the same. */
function which(condition: Dim = '', a: Dim = '', b: Dim = ''): Dim {
  if (typeof condition === 'number') return condition ? a : b
  return sameDim(a, b) ? a : ''
}
