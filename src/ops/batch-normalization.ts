import { SinterError } from '../base/errors.ts'
import { elementCount } from '../base/shape.ts'
import { full } from '../base/tensor.ts'
import { describe } from '../graph/graph.ts'
import { elementwiseLinks } from './broadcast.ts'
import type { Ops, Ref } from './build.ts'
import { alongChannels, sumPerChannel } from './channels.ts'
import { scalarLike } from './elementwise.ts'
import { type Backward, free, type Link, no, operator, type Training, type TrainingForm } from './operator.ts'
import { refuse } from './spec.ts'

export const batchNormalization = operator('BatchNormalization', {
  infer: ({ inputs: [x, , , mean, variance], node }) =>
    [x, mean, variance].slice(0, node.outputs.length).map(type => type && { dtype: type.dtype, shape: type.shape }),
  gradient: call => (call.attributes.training_mode ? trainingGradient(call) : inferenceGradient(call)),
  coupling: call => [
    // The batch's statistics are over all axes but the channels'.
    ...elementwiseLinks({ ...call, inputs: call.inputs.slice(0, 1) }).filter(
      ({ from }) => from[2] === 1 || !call.attributes.training_mode,
    ),
    ...[1, 2, 3, 4].map((input): Link => ({ from: ['in', input, 0], to: ['out', 0, 1], map: 'same' })),
    ...[1, 2].flatMap((output): Link[] =>
      call.outputs[output] ? [{ from: ['in', output + 2, 0], to: ['out', output, 0], map: 'same' }] : [],
    ),
  ],
  cost: free,
  evaluate: no('normalization is not shape arithmetic'),
  training: trainingForm,
  upgrades: [
    {
      to: 14,
      apply({ node, attributes }, op, x) {
        const { spatial = 1, epsilon } = attributes as { readonly spatial?: number; readonly epsilon: number }
        if (node.outputs.slice(1).some(name => name !== '')) {
          refuse(node, 'the training mode of opsets before 14 is not supported; export the model for inference.')
        }
        return [spatial === 0 ? normalizedByPosition(op, x, epsilon) : op.BatchNormalization(x, { epsilon })]
      },
    },
  ],
})

/** Until opset 8 there could be statistics for each channel and position, [C, ...positions]. */
function normalizedByPosition(op: Ops, [x, scale, shift, mean, variance]: readonly Ref[], epsilon: number): Ref {
  const deviation = op.Sqrt([op.Add([variance, scalarLike(op, variance!, epsilon)])])
  return op.Add([op.Mul([op.Sub([x, mean]), op.Div([scale, deviation])]), shift])
}

/**
 * Normalizes by the batch's own statistics. The operator is given a momentum of 0, so that its other outputs are the
 * batch's mean and biased variance; the running statistics follow in nodes of their own, as momentum * running +
 * (1 - momentum) * batch, with the variance unbiased (M / (M - 1) for M values a channel) as PyTorch keeps it.
 */
function trainingForm({ node, attributes, op, x }: Training<'BatchNormalization'>): TrainingForm {
  const { epsilon, momentum } = attributes
  const [data, scale, shift, mean, variance] = x as readonly [Ref, Ref, Ref, Ref, Ref]
  const [y, batchMean, batchVariance] = op.many(
    'BatchNormalization',
    3,
    // onnxruntime writes the batch's statistics over the memory of these two inputs: they must be copies.
    [data, scale, shift, copyOf(op, mean), copyOf(op, variance)],
    { epsilon, momentum: 0, training_mode: 1 },
  ) as [Ref, Ref, Ref]
  const shape = op.shape(data)
  const count = elementCount(shape) / shape[1]!
  const running = (old: Ref, batch: Ref, factor: number) =>
    op.Add([
      op.Mul([old, scalarLike(op, old, momentum)]),
      op.Mul([batch, scalarLike(op, batch, (1 - momentum) * factor)]),
    ])
  const updates = [
    { input: 3, value: running(mean, batchMean, 1) },
    { input: 4, value: running(variance, batchVariance, count > 1 ? count / (count - 1) : 1) },
  ]
  return { outputs: [y, updates[0]!.value, updates[1]!.value].slice(0, node.outputs.length), updates }
}

function trainingGradient({ node, op, attributes, x, y, dy, needs }: Backward<'BatchNormalization'>) {
  const [data, scale] = x as readonly [Ref, Ref]
  const [, mean, variance] = y
  if (!mean || !variance || attributes.momentum !== 0) {
    const why = "it must put out the batch's own statistics (momentum 0), as its training form does"
    throw new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}.`, { node: node.name, why })
  }
  const shape = op.shape(data)
  const count = elementCount(shape) / shape[1]!
  const gradient = dy[0] ?? op.Mul([data, scalarLike(op, data, 0)])
  const sums = channelSums(op, data, gradient)
  const factors = batchFactors(op, { scale, mean, variance, epsilon: attributes.epsilon, count }, sums, dy[1], dy[2])
  const dData = () =>
    op.Add([op.Mul([gradient, alongChannels(op, factors.a, shape.length)]), affine(op, data, factors.b, factors.c)])
  return [needs[0] ? dData() : null, needs[1] ? factors.scale : null, needs[2] ? sums.dy : null]
}

/** What a normalization by the batch's own statistics had: vectors [C], and the number of values that each is over. */
export interface BatchStatistics {
  readonly scale: Ref
  readonly mean: Ref
  readonly variance: Ref
  readonly epsilon: number
  readonly count: number
}

/**
 * The gradient of a normalization by the batch's own statistics: of the scale, and a, b and c of each channel in
 * dx = a*dy + b*x + c, from the sums of dy and dy*x. Gradients of the mean and the variance add to b and c.
 */
export function batchFactors(
  op: Ops,
  { scale, mean, variance, epsilon, count }: BatchStatistics,
  sums: { readonly dy: Ref; readonly dyx: Ref },
  dMean?: Ref,
  dVariance?: Ref,
): { readonly scale: Ref; readonly a: Ref; readonly b: Ref; readonly c: Ref } {
  const by = (factor: number, value: Ref) => op.Mul([value, scalarLike(op, value, factor)])
  const inverse = inverseDeviation(op, variance, epsilon)
  const dScale = op.Mul([inverse, op.Sub([sums.dyx, op.Mul([mean, sums.dy])])])
  const a = op.Mul([scale, inverse])
  const k = by(-1 / count, a)
  const own = { slope: op.Mul([op.Mul([k, inverse]), dScale]), shift: op.Mul([k, sums.dy]) }
  const b = dVariance ? op.Add([own.slope, by(2 / count, dVariance)]) : own.slope
  const shift = dMean ? op.Add([own.shift, by(1 / count, dMean)]) : own.shift
  return { scale: dScale, a, b, c: op.Sub([shift, op.Mul([b, mean])]) }
}

/** With running statistics the operator is affine in its data, scale and shift. */
function inferenceGradient({ op, attributes, x, dy: [dy], needs }: Backward<'BatchNormalization'>) {
  const [data, scale, , mean, variance] = x as readonly [Ref, Ref, Ref, Ref, Ref]
  const inverse = inverseDeviation(op, variance, attributes.epsilon)
  const a = op.Mul([scale, inverse])
  const dData = needs[0] ? op.Mul([dy, alongChannels(op, a, op.shape(data).length)]) : null
  if (!needs.slice(1).includes(true)) return [dData]
  const sums = channelSums(op, data, dy!)
  const dScale = op.Mul([inverse, op.Sub([sums.dyx, op.Mul([mean, sums.dy])])])
  const dVariance = () => op.Mul([op.Mul([a, inverse]), op.Mul([dScale, scalarLike(op, a, -0.5)])])
  return [
    dData,
    needs[1] ? dScale : null,
    needs[2] ? sums.dy : null,
    needs[3] ? op.Neg([op.Mul([a, sums.dy])]) : null,
    needs[4] ? dVariance() : null,
  ]
}

/** A copy that graph optimizers do not see through: they drop a product with 1, or a sum with 0. */
function copyOf(op: Ops, vector: Ref): Ref {
  return op.Max([vector, vector])
}

export function inverseDeviation(op: Ops, variance: Ref, epsilon: number): Ref {
  return op.Reciprocal([op.Sqrt([op.Add([variance, scalarLike(op, variance, epsilon)])])])
}

/** x * scale + shift for each channel, in one pass. */
function affine(op: Ops, x: Ref, scale: Ref, shift: Ref): Ref {
  const { dtype } = op.type(scale)
  const still = (value: number, hint: string) => op.constant(full(dtype, op.shape(scale), value), hint)
  return op.BatchNormalization([x, scale, shift, still(0, 'zeros'), still(1, 'ones')], { epsilon: 0 })
}

/** Per-channel sums of dy and of dy * x. */
function channelSums(op: Ops, x: Ref, dy: Ref): { readonly dy: Ref; readonly dyx: Ref } {
  return { dy: sumPerChannel(op, dy), dyx: sumOfProducts(op, x, dy) }
}

/** From this many positions on, a convolution by a kernel as large as the data sums products faster than Mul and ReduceSum. */
const manyPositions = 400

function sumOfProducts(op: Ops, x: Ref, dy: Ref): Ref {
  const [images, channels, ...sizes] = op.shape(x) as [number, number, ...number[]]
  if (op.type(x).dtype !== 'float32' || sizes.length !== 2 || elementCount(sizes) < manyPositions) {
    return sumPerChannel(op, op.Mul([dy, x]))
  }
  const planes = images * channels
  const products = op.Conv(
    [op.Reshape([dy, op.ints([1, planes, ...sizes])]), op.Reshape([x, op.ints([planes, 1, ...sizes])])],
    { group: planes, kernel_shape: sizes },
  )
  return op.ReduceSum([op.Reshape([products, op.ints([images, channels])]), op.ints([0])], { keepdims: 0 })
}
