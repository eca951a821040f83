import type { DType } from '../../base/dtype.ts'

/** Bits of the fraction that a float type keeps. */
const fraction: Partial<Readonly<Record<DType, number>>> = { float64: 52, float32: 23, float16: 10, bfloat16: 7 }

/**
 * Whether numbers added one after another rounded what they were added to: a large one (`most`), of which little is left
 * in the end (`left`). Adding 1.5 * 2^23 and taking it away again is how a float32 is rounded to an integer, so that
 * neither may go. Where less than half of the fraction is lost, it is rounding like any other.
 */
export function cancels(most: number, left: number, dtype: DType): boolean {
  const half = 2 ** ((fraction[dtype] ?? 0) / 2)
  return most >= half && left * half < most
}

/** Whether a number is so large that adding it leaves hardly a digit after the point: nothing that values are meant to keep. */
export function drowns(shift: number, dtype: DType): boolean {
  const bits = fraction[dtype]
  return bits !== undefined && shift >= 2 ** (bits - 2)
}
