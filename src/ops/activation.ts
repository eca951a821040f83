import { elementwiseLinks } from './broadcast.ts'
import { free, no, operator } from './operator.ts'

/** Large enough that HardSigmoid(alpha * y) is 1 for every positive normal float32. */
const steep = 1e30

export const relu = operator('Relu', {
  infer: ({ inputs: [x] }) => [x && { dtype: x.dtype, shape: x.shape }],
  // The mask y > 0 as HardSigmoid, one fused pass in onnxruntime; Sign and Where take several. NaN masks to 0 here.
  gradient: ({ op, y: [y], dy: [dy] }) => [op.Mul([dy, op.HardSigmoid([y], { alpha: steep, beta: 0 })])],
  coupling: elementwiseLinks,
  cost: free,
  evaluate: no('activations are not shape arithmetic'),
})
