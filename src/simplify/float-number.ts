import { isFloat } from '../base/dtype.ts'
import { numbers, type Tensor } from '../base/tensor.ts'

/**
 * The one number that a tensor of a float type holds, whatever its rank; undefined for more or fewer elements, and for
 * other types: rules about real numbers do not hold where division rounds down.
 */
export function floatNumber(t: Tensor | undefined): number | undefined {
  return t && t.data.length === 1 && isFloat(t.dtype) ? numbers(t)[0] : undefined
}
