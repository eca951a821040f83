import type { Shape } from '../base/shape.ts'
import { axisOf } from './axes.ts'
import { elementwiseLinks } from './broadcast.ts'
import { piecewiseConstant } from './elementwise.ts'
import { free, type Link, no, operator, type TypedCall, type Upgrade } from './operator.ts'

const notFolded = no('activations are not shape arithmetic')

export const softmax = operator('Softmax', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ op, attributes: { axis }, y: [y], dy: [dy] }) => {
    const mean = op.ReduceSum([op.Mul([dy, y]), op.ints([axis])], { keepdims: 1 })
    return [op.Mul([y, op.Sub([dy, mean])])]
  },
  coupling: call => allButAxis(call, call.attributes.axis),
  cost: free,
  evaluate: notFolded,
  upgrades: [overOneAxis('Softmax')],
})

export const logSoftmax = operator('LogSoftmax', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: ({ op, attributes: { axis }, y: [y], dy: [dy] }) => [
    op.Sub([dy, op.Mul([op.Exp([y]), op.ReduceSum([dy, op.ints([axis])], { keepdims: 1 })])]),
  ],
  coupling: call => allButAxis(call, call.attributes.axis),
  cost: free,
  evaluate: notFolded,
  upgrades: [overOneAxis('LogSoftmax')],
})

export const hardmax = operator('Hardmax', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
  gradient: piecewiseConstant,
  coupling: call => allButAxis(call, call.attributes.axis),
  cost: free,
  evaluate: notFolded,
  upgrades: [overOneAxis('Hardmax')],
})

/** Along the axis the elements sum to 1, so none leaves without changing the others. */
function allButAxis(call: TypedCall, axis: number): readonly Link[] {
  const rank = call.inputs[0]?.shape?.length
  if (rank === undefined) return []
  return elementwiseLinks(call).filter(({ from }) => from[2] !== axisOf(axis, rank))
}

/** The one axis of `axis` and those after it that is not of size 1, counted from the end; undefined if there may be more. */
function onlyWideAxis(shape: Shape | undefined, axis: number): number | undefined {
  if (!shape) return undefined
  const first = axisOf(axis, shape.length)
  const wide = shape.flatMap((dim, i) => (i >= first && dim !== 1 ? [i - shape.length] : []))
  return wide.length > 1 ? undefined : (wide[0] ?? -1)
}

/** Before opset 13 all the axes from `axis` on were taken as one. */
function overOneAxis<K extends 'Softmax' | 'LogSoftmax' | 'Hardmax'>(type: K): Upgrade<K> {
  return {
    to: 13,
    apply({ attributes, inputs: [x] }, op, [data]) {
      const { axis } = attributes as { readonly axis: number }
      const only = onlyWideAxis(x?.shape, axis)
      if (only !== undefined) return [op[type]([data], { axis: only })]
      const normalized = op[type]([op.Flatten([data], { axis })], { axis: -1 })
      return [op.Reshape([normalized, op.Shape([data])])]
    },
  }
}
