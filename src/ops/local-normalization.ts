import { axisOf } from './axes.ts'
import { free, type Link, no, operator, type TypedCall } from './operator.ts'

// Normalizations without parameters: over neighbouring channels, by a norm, by mean and variance.

const notFolded = no('normalization is not shape arithmetic')
const notWritten = no('no rule is written for it; LayerNormalization and BatchNormalization have one')

export const lrn = operator('LRN', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: notWritten,
  // A channel that leaves would draw another one into its neighbours' regions.
  coupling: call => keptAxes(call, axis => axis === 1),
  cost: free,
  evaluate: notFolded,
})

export const lpNormalization = operator('LpNormalization', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: notWritten,
  // Zeros add nothing to a norm.
  coupling: call => keptAxes(call, () => false),
  cost: free,
  evaluate: notFolded,
})

export const meanVarianceNormalization = operator('MeanVarianceNormalization', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: notWritten,
  coupling: call => {
    const rank = call.inputs[0]!.shape!.length
    const normalized = call.attributes.axes.map(axis => axisOf(axis, rank))
    return keptAxes(call, axis => normalized.includes(axis))
  },
  cost: free,
  evaluate: notFolded,
  upgrades: [
    {
      // Over the positions of each image, and its channels if asked for; the variance could be left alone.
      to: 9,
      apply({ attributes, inputs: [x] }, op, [data]) {
        const { across_channels: across, normalize_variance: scales = 1 } = attributes as {
          readonly across_channels?: number
          readonly normalize_variance?: number
        }
        const axes = Array.from({ length: x!.shape!.length }, (_, axis) => axis).slice(across ? 1 : 2)
        if (scales) return [op.MeanVarianceNormalization([data], { axes })]
        return [op.Sub([data, op.ReduceMean([data], { axes: { type: 'ints', value: axes } } as object)])]
      },
    },
  ],
})

function keptAxes({ inputs: [x] }: TypedCall, stays: (axis: number) => boolean): readonly Link[] {
  return x!.shape!.flatMap((_, axis): Link[] =>
    stays(axis) ? [] : [{ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' }],
  )
}
