import { numbers } from '../../base/tensor.ts'
import type { Ref } from '../../ops/build.ts'
import { neverNegative } from '../../ops/kinds.ts'
import { keyOf } from '../../ops/spec.ts'
import type { Tools } from '../../rewrite/rule.ts'

/** Operators with no negative results, where their arithmetic is that of floats. */
const always: ReadonlySet<string> = new Set([...neverNegative, 'ReduceL1', 'ReduceL2', 'ReduceSumSquare', 'Sqrt'])

/** Operators with no negative results if no operand is negative. */
const keeps = new Set(
  `Add AveragePool Cast Concat Dropout Expand Flatten GlobalAveragePool GlobalMaxPool Identity Max MaxPool Mean Min
   Mul ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Reshape Squeeze Sum Transpose Unsqueeze`.split(/\s+/),
)

/** Operators of `keeps` whose later inputs are axes or shapes. */
const firstAlone = /^(Expand|Reduce|Reshape|Squeeze|Unsqueeze|Dropout)/

/** Whether a value is known to hold no negative number (or NaN instead), by what computes it, some nodes up. */
export function isNeverNegative(ref: Ref, tools: Pick<Tools, 'producer' | 'constant'>, steps = 6): boolean {
  const known = tools.constant(ref)
  if (known) return known.dtype !== 'string' && Array.prototype.every.call(numbers(known), value => value >= 0)
  const node = steps === 0 ? undefined : tools.producer(ref)
  if (!node) return false
  const key = keyOf(node)
  const [x = '', second = ''] = node.inputs
  if (always.has(key)) return true
  if (key === 'Mul' && x === second) return true
  const number = second === '' ? undefined : tools.constant(second)
  if (key === 'Pow') return number?.data.length === 1 && numbers(number)[0]! % 2 === 0
  if (key === 'Clip') return second !== '' && node.inputs.slice(1).every(bound => isNeverNegative(bound, tools, 1))
  if (!keeps.has(key)) return false
  const operands = firstAlone.test(key) ? [x] : node.inputs
  return operands.every(input => isNeverNegative(input, tools, steps - 1))
}
