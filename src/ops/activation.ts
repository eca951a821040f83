import { elementwiseLinks } from './broadcast.ts'
import type { Ops, Ref } from './build.ts'
import { type Elementwise, elementwise, evaluateElementwise, maskLike, scalarLike } from './elementwise.ts'
import { free, no, operator } from './operator.ts'
import type { OpName } from './spec.ts'

const compute = no('activations are not shape arithmetic')

function activation<K extends OpName>(type: K, gradient: Elementwise<K>['gradient']) {
  return elementwise(type, { gradient, compute })
}

/** Large enough that HardSigmoid(steep * y) is 1 for every positive y that is not vanishingly small. */
const steep = 1e30

/** 1 where a value is positive, else 0. */
function positive(op: Ops, x: Ref): Ref {
  // One fused pass in onnxruntime; Sign and Where take several. NaN gives 0 here.
  if (op.type(x).dtype === 'float32') return op.HardSigmoid([x], { alpha: steep, beta: 0 })
  return maskLike(op, op.Greater([x, scalarLike(op, x, 0)]), x)
}

/** value * factor + term, of numbers. */
function linear(op: Ops, value: Ref, factor: number, term: number): Ref {
  const scaled = factor === 1 ? value : op.Mul([value, scalarLike(op, value, factor)])
  return term === 0 ? scaled : op.Add([scaled, scalarLike(op, value, term)])
}

/**
 * The slope of an activation that is the identity (times `rise`) above zero and saturates exponentially below it, where
 * its slope is y * `factor` + `term`.
 */
function exponentialBelow(op: Ops, y: Ref, rise: number, factor: number, term: number): Ref {
  const below = linear(op, op.Min([y, scalarLike(op, y, 0)]), factor, term)
  return term === rise ? below : op.Add([below, linear(op, positive(op, y), rise - term, 0)])
}

export const relu = activation('Relu', ({ op, y: [y], dy: [dy] }) => [op.Mul([dy, positive(op, y!)])])

export const leakyRelu = activation('LeakyRelu', ({ op, attributes: { alpha }, x: [x], y: [y], dy: [dy] }) => {
  // The result has the sign of the data if the slope is not negative, and is more likely to be kept for others.
  const mask = positive(op, alpha >= 0 ? y! : x!)
  const slope =
    alpha >= 0 && alpha <= 1 ? op.Clip([mask, scalarLike(op, mask, alpha)]) : linear(op, mask, 1 - alpha, alpha)
  return [op.Mul([dy, slope])]
})

export const prelu = elementwise('PRelu', {
  gradient({ op, x: [x, slope], dy: [dy], needs }) {
    const zero = scalarLike(op, x!, 0)
    return [
      needs[0] ? op.Where([op.Greater([x, zero]), dy, op.Mul([dy, slope])]) : null,
      needs[1] ? op.Mul([dy, op.Min([x, zero])]) : null,
    ]
  },
  compute,
  upgrades: [
    {
      to: 7,
      apply({ inputs: [data, slope] }, op, [x, s]) {
        // A slope for each channel stood along axis 1 by itself; broadcasting needs the axes behind. Up to opset 12
        // Unsqueeze has its axes as an attribute.
        const [rank, width] = [data!.shape!.length, slope!.shape!.length]
        const axes = width === 1 && slope!.shape![0] !== 1 ? Array.from({ length: rank - 2 }, (_, i) => i + 1) : []
        return [op.PRelu([x, axes.length > 0 ? op.Unsqueeze([s], { axes } as object) : s])]
      },
    },
  ],
})

export const elu = activation('Elu', ({ op, attributes: { alpha }, y: [y], dy: [dy] }) => [
  op.Mul([dy, exponentialBelow(op, y!, 1, 1, alpha)]),
])

export const selu = elementwise('Selu', {
  gradient: ({ op, attributes: { alpha, gamma }, y: [y], dy: [dy] }) => [
    op.Mul([dy, exponentialBelow(op, y!, gamma, 1, alpha * gamma)]),
  ],
  compute,
  // The constants were rounded; what a node does not say was them.
  upgrades: [{ to: 6, apply: ({ attributes: { alpha, gamma } }, op, x) => [op.Selu(x, { alpha, gamma })] }],
})

export const celu = activation('Celu', ({ op, attributes: { alpha }, y: [y], dy: [dy] }) => [
  op.Mul([dy, exponentialBelow(op, y!, 1, 1 / alpha, 1)]),
])

export const thresholdedRelu = activation('ThresholdedRelu', ({ op, attributes: { alpha }, x: [x], dy: [dy] }) => [
  op.Mul([dy, maskLike(op, op.Greater([x, scalarLike(op, x!, alpha)]), dy!)]),
])

export const sigmoid = activation('Sigmoid', ({ op, y: [y], dy: [dy] }) => [
  op.Mul([dy, op.Mul([y, linear(op, y!, -1, 1)])]),
])

export const tanh = activation('Tanh', ({ op, y: [y], dy: [dy] }) => [op.Mul([dy, linear(op, op.Mul([y, y]), -1, 1)])])

export const hardSigmoid = activation('HardSigmoid', ({ op, attributes: { alpha }, y: [y], dy: [dy] }) => [
  op.Mul([op.Mul([dy, scalarLike(op, dy!, alpha)]), between(op, y!, 0, 1)]),
])

/** x * max(0, min(1, x / 6 + 1/2)). */
export const hardSwish = activation('HardSwish', ({ op, x: [x], dy: [dy] }) => {
  const sixth = linear(op, x!, 1 / 6, 0)
  const gate = op.Clip([linear(op, sixth, 1, 0.5), scalarLike(op, x!, 0), scalarLike(op, x!, 1)])
  return [op.Mul([dy, op.Add([gate, op.Mul([sixth, between(op, gate, 0, 1)])])])]
})

export const softplus = activation('Softplus', ({ op, x: [x], dy: [dy] }) => [op.Mul([dy, op.Sigmoid([x])])])

export const softsign = activation('Softsign', ({ op, x: [x], dy: [dy] }) => {
  const size = linear(op, op.Abs([x]), 1, 1)
  return [op.Div([dy, op.Mul([size, size])])]
})

/** x * sigmoid(alpha * x). */
export const swish = activation('Swish', ({ op, attributes: { alpha }, x: [x], dy: [dy] }) => {
  const gate = op.Sigmoid([linear(op, x!, alpha, 0)])
  const bend = op.Mul([linear(op, x!, alpha, 0), linear(op, gate, -1, 1)])
  return [op.Mul([dy, op.Mul([gate, linear(op, bend, 1, 1)])])]
})

/** x * tanh(softplus(x)). */
export const mish = activation('Mish', ({ op, x: [x], dy: [dy] }) => {
  const gate = op.Tanh([op.Softplus([x])])
  const slope = op.Mul([linear(op, op.Mul([gate, gate]), -1, 1), op.Sigmoid([x])])
  return [op.Mul([dy, op.Add([gate, op.Mul([x, slope])])])]
})

/** 0 within +-lambd, and beyond it x moved by the bias towards 0. */
export const shrink = operator('Shrink', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ op, attributes: { lambd }, x: [x], dy: [dy] }) => [
    op.Mul([dy, maskLike(op, op.Greater([op.Abs([x]), scalarLike(op, x!, lambd)]), dy!)]),
  ],
  coupling: elementwiseLinks,
  cost: free,
  evaluate: ({ attributes: { bias, lambd } }, [x]) => [
    evaluateElementwise([x!], {
      float: (v = 0) => (v < -lambd ? v + bias : v > lambd ? v - bias : 0),
      integer: v =>
        BigInt(Math.trunc(Number(v) < -lambd ? Number(v) + bias : Number(v) > lambd ? Number(v) - bias : 0)),
    }),
  ],
})

/** swish(a) * b, of equal shapes. */
export const swiGlu = operator('SwiGLU', {
  infer: ({ inputs: [a, b] }) => [{ dtype: a!.dtype, shape: a!.shape ?? b!.shape }],
  gradient: no('training graphs are of opset 21, which does not have it; write it as Mul and Sigmoid'),
  coupling: elementwiseLinks,
  cost: free,
  evaluate: compute,
})

/** x * Phi(x) with the normal distribution's Phi, or its approximation by tanh. */
export const gelu = activation('Gelu', ({ op, attributes: { approximate }, x: [x], dy: [dy] }) => {
  return [op.Mul([dy, approximate === 'tanh' ? slopeOfTanhGelu(op, x!) : slopeOfGelu(op, x!)])]
})

function slopeOfGelu(op: Ops, x: Ref): Ref {
  const distribution = linear(op, linear(op, op.Erf([linear(op, x, Math.SQRT1_2, 0)]), 1, 1), 0.5, 0)
  const density = linear(op, op.Exp([linear(op, op.Mul([x, x]), -0.5, 0)]), 1 / Math.sqrt(2 * Math.PI), 0)
  return op.Add([distribution, op.Mul([x, density])])
}

/** Of x/2 * (1 + tanh(u)) with u = sqrt(2/pi) * (x + 0.044715 x^3) (Hendrycks and Gimpel 2016). */
function slopeOfTanhGelu(op: Ops, x: Ref): Ref {
  const scale = Math.sqrt(2 / Math.PI)
  const square = op.Mul([x, x])
  const gate = op.Tanh([op.Mul([x, linear(op, square, scale * 0.044715, scale)])])
  const slope = op.Mul([linear(op, op.Mul([gate, gate]), -1, 1), linear(op, square, 3 * scale * 0.044715, scale)])
  return linear(op, op.Add([linear(op, gate, 1, 1), op.Mul([x, slope])]), 0.5, 0)
}

/** 1 strictly between two bounds, else 0. */
function between(op: Ops, x: Ref, low: number, high: number): Ref {
  const inside = op.And([op.Greater([x, scalarLike(op, x, low)]), op.Less([x, scalarLike(op, x, high)])])
  return maskLike(op, inside, x)
}
