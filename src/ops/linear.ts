import { multiplyDims } from '../base/shape.ts'
import { no, operator } from './operator.ts'

export const gemm = operator('Gemm', {
  infer: ({ attributes: { transA, transB }, inputs: [a, b] }) => [
    { dtype: a!.dtype, shape: a?.shape && b?.shape && [a.shape[transA ? 1 : 0]!, b.shape[transB ? 0 : 1]!] },
  ],
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
    needs[2] ? (beta === 1 ? dy! : op.Mul([dy, op.scalar(beta)])) : null,
  ],
  coupling: ({ attributes: { transA, transB }, inputs: [, , c] }) => [
    { from: ['in', 0, transA ? 0 : 1], to: ['in', 1, transB ? 1 : 0], map: 'same' },
    { from: ['in', 1, transB ? 0 : 1], to: ['out', 0, 1], map: 'same' },
    { from: ['in', 0, transA ? 1 : 0], to: ['out', 0, 0], map: 'same' },
    ...(c?.shape?.length ? [{ from: ['in', 2, c.shape.length - 1], to: ['out', 0, 1], map: 'same' } as const] : []),
  ],
  cost: ({ attributes: { transA }, inputs: [a], outputs: [y] }) => ({
    macs: Number(multiplyDims(multiplyDims(y!.shape![0]!, y!.shape![1]!), a!.shape![transA ? 0 : 1]!)),
  }),
  evaluate: no('matrix products are not shape arithmetic'),
})
