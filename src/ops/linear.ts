import { type Dim, productOf, type Shape } from '../base/shape.ts'
import { broadcast } from './broadcast.ts'
import type { Ops, Ref } from './build.ts'
import { productCost } from './channels.ts'
import { scalarLike } from './elementwise.ts'
import { free, type Link, no, operator, type TypedCall } from './operator.ts'
import { refuse } from './spec.ts'

const notFolded = no('matrix products are not shape arithmetic')

export const gemm = operator('Gemm', {
  infer: ({ node, attributes: { transA, transB }, inputs: [a, b] }) => {
    checkMatch(node, a?.shape?.[transA ? 0 : 1], b?.shape?.[transB ? 1 : 0])
    return [{ dtype: a!.dtype, shape: [a?.shape?.[transA ? 1 : 0] ?? '', b?.shape?.[transB ? 0 : 1] ?? ''] }]
  },
  gradient: ({ op, attributes: { alpha, beta, transA, transB }, x: [a, b], dy: [dy], needs }) => [
    needs[0]
      ? transA
        ? op.Gemm([b, dy], { alpha, transA: transB, transB: 1 })
        : op.Gemm([dy, b], { alpha, transB: 1 - transB })
      : null,
    needs[1]
      ? transB
        ? op.Gemm([dy, a], { alpha, transA: 1, transB: transA })
        : op.Gemm([a, dy], { alpha, transA: 1 - transA })
      : null,
    needs[2] ? (beta === 1 ? dy! : op.Mul([dy, scalarLike(op, dy!, beta)])) : null,
  ],
  coupling: ({ attributes: { transA, transB }, inputs: [, , c] }) => [
    { from: ['in', 0, transA ? 0 : 1], to: ['in', 1, transB ? 1 : 0], map: 'same' },
    { from: ['in', 1, transB ? 0 : 1], to: ['out', 0, 1], map: 'same' },
    { from: ['in', 0, transA ? 1 : 0], to: ['out', 0, 0], map: 'same' },
    ...(c?.shape ?? []).flatMap((dim, axis): readonly Link[] =>
      dim === 1 ? [] : [{ from: ['in', 2, axis], to: ['out', 0, axis + 2 - c!.shape!.length], map: 'same' }],
    ),
  ],
  cost: ({ attributes: { transA }, inputs: [a], outputs: [y] }) =>
    productCost(y?.shape, a?.shape && [a.shape[transA ? 0 : 1]!]),
  evaluate: notFolded,
  upgrades: [
    {
      to: 7,
      // That the third input is broadcast had to be asked for.
      apply: ({ attributes: { alpha, beta, transA, transB } }, op, x) => [op.Gemm(x, { alpha, beta, transA, transB })],
    },
  ],
})

export const matMul = operator('MatMul', {
  infer: ({ node, inputs: [a, b] }) => {
    if (!a?.shape || !b?.shape) return [{ dtype: a!.dtype, shape: undefined }]
    const [left, right] = [a.shape, b.shape]
    if (left.length === 0 || right.length === 0) refuse(node, 'it multiplies vectors and matrices, not single numbers.')
    checkMatch(node, left.at(-1), right.at(right.length === 1 ? 0 : -2))
    const batch = broadcast([left.slice(0, -2), right.slice(0, -2)])!
    const rows = left.length === 1 ? [] : [left.at(-2)!]
    const columns = right.length === 1 ? [] : [right.at(-1)!]
    return [{ dtype: a.dtype, shape: [...batch, ...rows, ...columns] }]
  },
  gradient: ({ op, x: [a, b], dy: [dy], needs }) => {
    const [left, right] = [op.shape(a!), op.shape(b!)]
    // A vector is a matrix of one row on the left, of one column on the right.
    const asRow = left.length === 1 ? op.Reshape([a, op.ints([1, left[0]!])]) : a!
    const asColumn = right.length === 1 ? op.Reshape([b, op.ints([right[0]!, 1])]) : b!
    const rows = left.length === 1 ? 1 : left.at(-2)!
    const columns = right.length === 1 ? 1 : right.at(-1)!
    const batch = broadcast([left.slice(0, -2), right.slice(0, -2)]) as readonly number[]
    const vectors = left.length === 1 || right.length === 1
    const gradient = vectors ? op.Reshape([dy, op.ints([...batch, rows, columns])]) : dy!
    const fitted = (result: Ref, shape: readonly number[]) =>
      shape.length === 1 ? op.Reshape([summedToMatrix(op, result), op.ints(shape)]) : result
    return [
      needs[0] ? fitted(timesTransposed(op, gradient, asColumn), left) : null,
      needs[1] ? fitted(transposedTimes(op, asRow, gradient, right.length <= 2), right) : null,
    ]
  },
  coupling: ({ inputs: [a, b], outputs: [y] }) => matMulLinks(a?.shape, b?.shape, y?.shape),
  cost: ({ inputs: [a], outputs: [y] }) => productCost(y?.shape, a?.shape?.slice(-1)),
  evaluate: notFolded,
})

export const det = operator('Det', {
  infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape?.slice(0, -2) }],
  gradient: no('it is the determinant times the inverse, which no operator gives'),
  coupling: ({ inputs: [x] }) =>
    x!.shape!.slice(0, -2).map((_, axis) => ({ from: ['in', 0, axis], to: ['out', 0, axis], map: 'same' })),
  cost: free,
  evaluate: notFolded,
})

function checkMatch(node: TypedCall['node'], inner: Dim | undefined, other: Dim | undefined): void {
  if (typeof inner !== 'number' || typeof other !== 'number' || inner === other) return
  refuse(node, `rows of ${inner} elements do not multiply columns of ${other}.`)
}

/** g x bT, for g [..., M, N] and b [..., K, N] transposed by the last two axes. */
function timesTransposed(op: Ops, g: Ref, b: Ref): Ref {
  return op.MatMul([g, transposed(op, b)])
}

/** aT x g, for a [..., M, K] and g [..., M, N]; summed over the batch, as one product, where that is wanted. */
function transposedTimes(op: Ops, a: Ref, g: Ref, sum: boolean): Ref {
  const [left, right] = [op.shape(a), op.shape(g)]
  const whole = left.length === right.length && left.every((size, i) => i >= left.length - 1 || size === right[i])
  if (!sum || !whole) return op.MatMul([transposed(op, a), g])
  const flat = (ref: Ref, shape: readonly number[]) =>
    shape.length === 2 ? ref : op.Reshape([ref, op.ints([Number(productOf(shape.slice(0, -1))), shape.at(-1)!])])
  return op.Gemm([flat(a, left), flat(g, right)], { transA: 1 })
}

function transposed(op: Ops, matrix: Ref): Ref {
  const axes = op.shape(matrix).map((_, axis) => axis)
  return op.Transpose([matrix], { perm: [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!] })
}

/** A batch of matrices summed to one. */
function summedToMatrix(op: Ops, matrices: Ref): Ref {
  const batch = op.shape(matrices).slice(0, -2)
  return batch.length === 0 ? matrices : op.ReduceSum([matrices, op.ints([...batch.keys()])], { keepdims: 0 })
}

function matMulLinks(a: Shape | undefined, b: Shape | undefined, y: Shape | undefined): readonly Link[] {
  if (!a || !b || !y) return []
  const rank = y.length
  const links: Link[] = [{ from: ['in', 0, a.length - 1], to: ['in', 1, Math.max(0, b.length - 2)], map: 'same' }]
  const columns = b.length > 1 ? 1 : 0
  const rows = a.length > 1 ? 1 : 0
  if (columns) links.push({ from: ['in', 1, b.length - 1], to: ['out', 0, rank - 1], map: 'same' })
  if (rows) links.push({ from: ['in', 0, a.length - 2], to: ['out', 0, rank - 1 - columns], map: 'same' })
  const batch = rank - rows - columns
  for (const [input, shape] of [a, b].entries()) {
    const own = shape.length - 2
    for (let axis = 0; axis < own; axis++) {
      if (shape[axis] !== 1) links.push({ from: ['in', input, axis], to: ['out', 0, axis + batch - own], map: 'same' })
    }
  }
  return links
}
