import { divideDims, multiplyDims, type Shape } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { axesOf } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { demandPositive } from './demand.ts'
import { sources, strided, stridesOf, take } from './elements.ts'
import { free, no, operator } from './operator.ts'

export const transpose = operator('Transpose', {
  infer: ({ attributes, inputs: [x] }) => {
    if (!x!.shape) return [{ dtype: x!.dtype, shape: undefined }]
    const order = orderOf(attributes.perm, x!.shape.length)
    return [{ dtype: x!.dtype, shape: order.map(axis => x!.shape![axis]!) }]
  },
  gradient: ({ op, attributes, x: [x], dy: [dy] }) => {
    const order = orderOf(attributes.perm, op.shape(x!).length)
    return [op.Transpose([dy], { perm: order.map((_, axis) => order.indexOf(axis)) })]
  },
  coupling: ({ attributes, inputs: [x] }) =>
    orderOf(attributes.perm, x!.shape!.length).map((from, to) => ({
      from: ['in', 0, from],
      to: ['out', 0, to],
      map: 'same',
    })),
  cost: free,
  moves: [0],
  evaluate: ({ attributes }, [x]) => [transposed(x!, orderOf(attributes.perm, x!.shape.length))],
})

/** The axes in their new order; reversed if the attribute is left out. */
function orderOf(perm: readonly number[] | undefined, rank: number): readonly number[] {
  const order = perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
  if (order.length !== rank) throw new Error(`perm [${order}] does not fit rank ${rank}`)
  axesOf(order, rank)
  return order
}

export function transposed(x: Tensor, order: readonly number[]): Tensor {
  const strides = stridesOf(x.shape)
  return strided(
    x,
    order.map(axis => x.shape[axis]!),
    order.map(axis => strides[axis]!),
  )
}

export const depthToSpace = operator('DepthToSpace', {
  infer: ({ attributes: { blocksize }, inputs: [x] }) => {
    demandPositive('blocksize', blocksize)
    return [{ dtype: x!.dtype, shape: x!.shape && rearranged(x!.shape, 1 / blocksize, blocksize) }]
  },
  gradient: ({ op, attributes: { blocksize, mode }, x: [x], dy: [dy] }) => [
    mode === 'CRD' ? columnsRowsDepthInverse(op, dy!, op.shape(x!), blocksize) : op.SpaceToDepth([dy], { blocksize }),
  ],
  coupling: no('each of its channels becomes positions of another'),
  cost: free,
  moves: [0],
  evaluate: ({ attributes: { blocksize: b, mode } }, [x]) => {
    const shape = rearranged(x!.shape, 1 / b, b) as readonly number[]
    const [, channels = 0] = shape
    const index = sources(shape, x!.shape, ([n = 0, c = 0, h = 0, w = 0]) => {
      const block = (h % b) * b + (w % b)
      const from = mode === 'CRD' ? c * b * b + block : block * channels + c
      return [n, from, Math.floor(h / b), Math.floor(w / b)]
    })
    return [take(x!, shape, index)]
  },
})

export const spaceToDepth = operator('SpaceToDepth', {
  infer: ({ attributes: { blocksize }, inputs: [x] }) => {
    demandPositive('blocksize', blocksize)
    return [{ dtype: x!.dtype, shape: x!.shape && rearranged(x!.shape, blocksize, 1 / blocksize) }]
  },
  gradient: ({ op, attributes: { blocksize }, dy: [dy] }) => [op.DepthToSpace([dy], { blocksize, mode: 'DCR' })],
  coupling: no('each of its channels is made of positions of another'),
  cost: free,
  moves: [0],
  evaluate: ({ attributes: { blocksize: b, mode } }, [x]) => {
    const shape = rearranged(x!.shape, b, 1 / b) as readonly number[]
    const channels = x!.shape[1]!
    const index = sources(shape, x!.shape, ([n = 0, c = 0, h = 0, w = 0]) => {
      const block = mode === 'CRD' ? c % (b * b) : Math.floor(c / channels)
      return [
        n,
        mode === 'CRD' ? Math.floor(c / (b * b)) : c % channels,
        h * b + Math.floor(block / b),
        w * b + (block % b),
      ]
    })
    return [take(x!, shape, index)]
  },
})

/** [N, C, H, W] with channels times `depth` squared, height and width times `space`; one of them is a fraction. */
function rearranged(shape: Shape, depth: number, space: number): Shape {
  if (shape.length !== 4) throw new Error(`rank ${shape.length} is not 4`)
  const [n, c, h, w] = shape
  const scale = (dim: Shape[number], by: number) =>
    by >= 1 ? multiplyDims(dim, by) : divideDims(dim, Math.round(1 / by))
  const square = depth >= 1 ? depth * depth : 1 / Math.round(1 / depth) ** 2
  return [n!, scale(c!, square), scale(h!, space), scale(w!, space)]
}

/** The inverse of a DepthToSpace whose depth is ordered column, row, depth (PyTorch's pixel shuffle). */
function columnsRowsDepthInverse(op: Ops, dy: Ref, [n, c, h, w]: readonly number[], b: number): Ref {
  const blocks = op.Reshape([dy, op.ints([n!, c! / (b * b), h!, b, w!, b])])
  return op.Reshape([op.Transpose([blocks], { perm: [0, 1, 3, 5, 2, 4] }), op.ints([n!, c!, h!, w!])])
}
