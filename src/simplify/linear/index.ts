import type { Step } from '../step.ts'
import { foldBatchNorm } from './fold-batch-norm.ts'

/** Arithmetic that moves into the weights and attributes of convolutions and matrix products. */
export const linear = (): readonly Step[] => [foldBatchNorm]
