import { SinterError } from '../base/errors.ts'
import { elementCount, type Shape } from '../base/shape.ts'
import { full } from '../base/tensor.ts'
import { describe } from '../graph/graph.ts'
import { axisOf } from './axes.ts'
import { elementwiseLinks } from './broadcast.ts'
import type { Ops, Ref } from './build.ts'
import { alongChannels, channelwiseLinks, sumPerChannel } from './channels.ts'
import { scalarLike } from './elementwise.ts'
import { type Backward, free, type InferredType, type Link, no, operator, type TypedCall } from './operator.ts'
import { refuse } from './spec.ts'

const notFolded = no('normalization is not shape arithmetic')

export const layerNormalization = operator('LayerNormalization', {
  infer: ({ node, attributes: { axis, stash_type }, inputs: [x] }) => {
    const dtype = stash_type === 1 ? 'float32' : 'bfloat16'
    const statistic: InferredType = { dtype, shape: x!.shape && statisticShape(x!.shape, axis) }
    return [{ dtype: x!.dtype, shape: x!.shape }, statistic, statistic].slice(0, node.outputs.length)
  },
  gradient: layerGradient,
  coupling: call => linksBefore(call, call.attributes.axis),
  cost: free,
  evaluate: notFolded,
  // The gradient is computed from the statistics too.
  training: ({ attributes, op, x }) => ({ outputs: op.many('LayerNormalization', 3, x, attributes) }),
})

export const rmsNormalization = operator('RMSNormalization', {
  infer: ({ inputs: [x, scale] }) => [{ dtype: scale!.dtype, shape: x!.shape }],
  // dx = r * (a*dy - xr * mean(a*dy * xr)) with r the inverse root mean square, xr = x*r.
  gradient: ({ op, attributes: { axis, epsilon }, x: [x, scale], dy: [dy], needs }) => {
    const shape = op.shape(x!)
    const axes = op.ints(shape.flatMap((_, i) => (i < axisOf(axis, shape.length) ? [] : [i])))
    const square = op.ReduceMean([op.Mul([x, x]), axes], { keepdims: 1 })
    const inverse = op.Reciprocal([op.Sqrt([op.Add([square, scalarLike(op, square, epsilon)])])])
    const normalized = op.Mul([x, inverse])
    const scaled = op.Mul([dy, scale])
    const mean = op.ReduceMean([op.Mul([scaled, normalized]), axes], { keepdims: 1 })
    return [
      needs[0] ? op.Mul([inverse, op.Sub([scaled, op.Mul([normalized, mean])])]) : null,
      needs[1] ? op.Mul([dy, normalized]) : null,
    ]
  },
  coupling: call => linksBefore(call, call.attributes.axis),
  cost: free,
  evaluate: notFolded,
})

export const instanceNormalization = operator('InstanceNormalization', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: call => groupsGradient(call, call.op.shape(call.x[0]!)[1]!, call.attributes.epsilon),
  coupling: call => [
    ...channelwiseLinks(call),
    ...[1, 2].map((input): Link => ({ from: ['in', input, 0], to: ['out', 0, 1], map: 'same' })),
  ],
  cost: free,
  evaluate: notFolded,
})

export const groupNormalization = operator('GroupNormalization', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: call => groupsGradient(call, call.attributes.num_groups, call.attributes.epsilon),
  // The channels of a group are normalized together: none leaves without changing the others.
  coupling: () => [{ from: ['in', 0, 0], to: ['out', 0, 0], map: 'same' }],
  cost: free,
  evaluate: notFolded,
  upgrades: [
    {
      // Before opset 21 there was a scale and a bias for each group, not for each channel.
      to: 21,
      apply({ node, attributes: { epsilon, num_groups }, inputs: [x] }, op, [data, scale, bias]) {
        const channels = x?.shape?.[1]
        if (typeof channels !== 'number') return refuse(node, 'the number of its channels must be known.')
        const perChannel = (perGroup: Ref | undefined) => {
          const column = op.Reshape([perGroup, op.ints([num_groups, 1])])
          const spread = op.Expand([column, op.ints([num_groups, channels / num_groups])])
          return op.Reshape([spread, op.ints([channels])])
        }
        return [op.GroupNormalization([data, perChannel(scale), perChannel(bias)], { epsilon, num_groups })]
      },
    },
  ],
})

function statisticShape(shape: Shape, axis: number): Shape {
  const first = axisOf(axis, shape.length)
  return shape.map((dim, i) => (i < first ? dim : 1))
}

/** Axes before the normalized ones go through; of those, no element leaves without changing the others. */
function linksBefore(call: TypedCall, axis: number): readonly Link[] {
  const rank = call.inputs[0]?.shape?.length
  if (rank === undefined) return []
  const data = elementwiseLinks({ ...call, inputs: call.inputs.slice(0, 1) })
  return data.flatMap(link => {
    if (link.from[2] >= axisOf(axis, rank)) return []
    const statistics = [1, 2].filter(output => call.outputs[output])
    return [link, ...statistics.map((output): Link => ({ ...link, to: ['out', output, link.from[2]] }))]
  })
}

/**
 * On rows of D normalized elements, with xh the normalized data, a the scale and r the inverse deviation:
 * dx = r * (a*dy + xh*S2 + S1), where S1 = dy * (-a/D) and S2 = (dy*xh) * (-a/D) are products with a vector.
 */
function layerGradient({ node, op, attributes, x, y, dy, needs }: Backward<'LayerNormalization'>) {
  const [data, scale] = x as readonly [Ref, Ref]
  const shape = op.shape(data)
  const own = shape.slice(axisOf(attributes.axis, shape.length))
  const columns = elementCount(own)
  const rows = elementCount(shape) / columns
  if (x.slice(1).some(ref => ref !== '' && elementCount(op.shape(ref)) > columns)) {
    const why = 'its scale differs from row to row'
    throw new SinterError('not-differentiable', `${describe(node)} has no gradient: ${why}.`, { node: node.name, why })
  }
  const matrix = (ref: Ref, width = columns) => op.Reshape([ref, op.ints([rows, width])])
  const by = (factor: number, ref: Ref) => op.Mul([ref, scalarLike(op, ref, factor)])
  const ofRows = (ref: Ref) => matrix(op.CastLike([ref, data]), 1)

  const values = matrix(data)
  const gradient = dy[0] ? matrix(dy[0]) : by(0, values)
  const scales = op.Expand([scale, op.ints(own)])
  const [normalized, inverse] =
    y[1] && y[2]
      ? [op.Mul([op.Sub([values, ofRows(y[1])]), ofRows(y[2])]), ofRows(y[2])]
      : normalizedRows(op, values, attributes.epsilon)
  const products = op.Mul([gradient, normalized])

  const dData = () => {
    const weights = op.Reshape([by(-1 / columns, scales), op.ints([columns, 1])])
    const [sum, sumOfProducts] = [op.MatMul([gradient, weights]), op.MatMul([products, weights])]
    const s1 = dy[1] ? op.Add([sum, by(1 / columns, op.Div([ofRows(dy[1]), inverse]))]) : sum
    const s2 = dy[2] ? op.Sub([sumOfProducts, by(1 / columns, op.Mul([ofRows(dy[2]), inverse]))]) : sumOfProducts
    const direct = op.Mul([gradient, op.Reshape([scales, op.ints([columns])])])
    const inner = op.Add([op.Add([direct, op.Mul([normalized, s2])]), s1])
    return op.Reshape([op.Mul([inner, inverse]), op.ints(shape)])
  }
  const sumOfRows = (ref: Ref) => {
    const ones = op.constant(full(op.type(data).dtype, [1, rows], 1), 'ones')
    return op.Reshape([op.MatMul([ones, ref]), op.ints(own)])
  }
  return [needs[0] ? dData() : null, needs[1] ? sumOfRows(products) : null, needs[2] ? sumOfRows(gradient) : null]
}

/** Normalization of groups of channels, each channel with its own scale and bias: as of a layer's, for each image. */
function groupsGradient({ op, x, dy: [dy], needs }: Backward, groups: number, epsilon: number) {
  const [data, scale] = x as readonly [Ref, Ref]
  const shape = op.shape(data)
  const rows = shape[0]! * groups
  const columns = elementCount(shape) / rows
  const matrix = (ref: Ref) => op.Reshape([ref, op.ints([rows, columns])])
  const [normalized, inverse] = normalizedRows(op, matrix(data), epsilon)
  const dData = () => {
    const gradient = matrix(op.Mul([dy, alongChannels(op, scale, shape.length)]))
    const weights = op.constant(full(op.type(data).dtype, [columns, 1], -1 / columns), 'weights')
    const s1 = op.MatMul([gradient, weights])
    const s2 = op.MatMul([op.Mul([gradient, normalized]), weights])
    const inner = op.Add([op.Add([gradient, op.Mul([normalized, s2])]), s1])
    return op.Reshape([op.Mul([inner, inverse]), op.ints(shape)])
  }
  const dScale = () => sumPerChannel(op, op.Mul([dy, op.Reshape([normalized, op.ints(shape)])]))
  return [needs[0] ? dData() : null, needs[1] ? dScale() : null, needs[2] ? sumPerChannel(op, dy!) : null]
}

/** Rows of a matrix less their mean and over their deviation, and one over the deviation, [rows, 1]. */
function normalizedRows(op: Ops, matrix: Ref, epsilon: number): readonly [Ref, Ref] {
  const { dtype } = op.type(matrix)
  const ones = op.constant(full(dtype, [op.shape(matrix)[1]!], 1), 'ones')
  const [normalized, , inverse] = op.many('LayerNormalization', 3, [matrix, ones], { axis: -1, epsilon })
  return [normalized!, dtype === 'float32' ? inverse! : op.CastLike([inverse, matrix])]
}
