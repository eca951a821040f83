import type { Settings } from '../settings.ts'
import type { Step } from '../step.ts'
import { absorbNegation, absorbReciprocal, divideToReciprocal, plainPower, sumToMean } from './algebra.ts'
import { foldBatchNorm } from './fold-batch-norm.ts'
import { padIntoAveragePool, padIntoConv, padIntoMaxPool } from './fold-pad.ts'
import { foldScaleAfter } from './fold-scale-after.ts'
import { foldScaleBefore } from './fold-scale-before.ts'
import { mergeAffine } from './merge-affine.ts'
import { mergeBounds } from './merge-bounds.ts'
import { mergeParallel } from './merge-parallel.ts'
import { sinkScale } from './sink-scale.ts'
import { addIntoGemm, matmulToGemm, transposedMatmulToGemm, transposeIntoGemm } from './to-gemm.ts'

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
  foldScaleAfter,
  foldScaleBefore,
  sinkScale,
  padIntoConv,
  padIntoMaxPool,
  padIntoAveragePool,
  matmulToGemm,
  addIntoGemm,
  transposeIntoGemm,
  transposedMatmulToGemm,
  mergeParallel,
]
