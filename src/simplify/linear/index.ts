import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'
import { absorbNegation, absorbReciprocal, divideToReciprocal, plainPower, sumToMean } from './algebra.ts'
import { foldAfter } from './fold-after.ts'
import { foldBatchNorm } from './fold-batch-norm.ts'
import { foldBefore } from './fold-before.ts'
import { padIntoAveragePool, padIntoConv, padIntoMaxPool } from './fold-pad.ts'
import { mergeAffine } from './merge-affine.ts'
import { mergeBounds } from './merge-bounds.ts'
import { mergeParallel } from './merge-parallel.ts'
import { sinkScale } from './sink-scale.ts'
import { addIntoGemm, matMulToGemm, transposedMatMulToGemm, transposeIntoGemm } from './to-gemm.ts'

/** Arithmetic that moves into the weights and attributes of convolutions and matrix products. */
export const linear = (settings: Settings): readonly Step[] => [
  absorbNegation,
  absorbReciprocal,
  divideToReciprocal,
  plainPower,
  sumToMean,
  mergeBounds,
  mergeAffine(settings),
  foldBatchNorm,
  foldAfter,
  foldBefore,
  sinkScale,
  padIntoConv,
  padIntoMaxPool,
  padIntoAveragePool,
  matMulToGemm,
  addIntoGemm,
  transposeIntoGemm,
  transposedMatMulToGemm,
  mergeParallel,
]
