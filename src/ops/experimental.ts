import type { Dim } from '../base/shape.ts'
import { float32s } from '../base/tensor.ts'
import { elementwiseLinks } from './broadcast.ts'
import type { Ops, Ref } from './build.ts'
import { type Call, free, type InferredType, no, type Operator, operator } from './operator.ts'

// Operators that ONNX tried and dropped at opset 10, as converters of their time wrote them. They are read as what the
// standard has for them; engines go on running them in models of their opsets.

const readAsOthers = no('it is read as the operators that took its place')

function dropped(
  type: string,
  infer: (call: Call) => readonly InferredType[],
  apply: (call: Call, op: Ops, x: readonly Ref[]) => Ref,
): Operator {
  // The newest opsets have none of them, so the typed table has not either.
  return operator(type as 'Relu', {
    infer,
    gradient: readAsOthers,
    coupling: type === 'Crop' || type === 'DynamicSlice' ? readAsOthers : elementwiseLinks,
    cost: free,
    evaluate: readAsOthers,
    upgrades: [{ to: 10, apply: (call, op, x) => [apply(call, op, x)] }],
  }) as unknown as Operator
}

const sameType = ({ inputs: [x] }: Call): readonly InferredType[] => [{ dtype: x!.dtype, shape: x!.shape }]

/** One of an operator's attributes that are numbers. */
function attributeOf(call: Call, name: string, standard: number): number {
  return (call.attributes as Readonly<Record<string, number | undefined>>)[name] ?? standard
}

/** factor * x + term, the numbers in x's type. */
function linear(call: Call, op: Ops, x: Ref, factor: number, term: number): Ref {
  const number = (value: number) => op.scalar(value, call.inputs[0]!.dtype)
  return op.Add([op.Mul([x, number(factor)]), number(term)])
}

export const affine = dropped('Affine', sameType, (call, op, [x]) =>
  linear(call, op, x!, attributeOf(call, 'alpha', 1), attributeOf(call, 'beta', 0)),
)

export const scale = dropped('Scale', sameType, (call, op, [x]) =>
  linear(call, op, x!, attributeOf(call, 'scale', 1), 0),
)

/** alpha * tanh(beta * x) */
export const scaledTanh = dropped('ScaledTanh', sameType, (call, op, [x]) => {
  const inner = linear(call, op, x!, attributeOf(call, 'beta', 1), 0)
  return linear(call, op, op.Tanh([inner]), attributeOf(call, 'alpha', 1), 0)
})

/** alpha * ln(exp(beta * x) + 1) */
export const parametricSoftplus = dropped('ParametricSoftplus', sameType, (call, op, [x]) => {
  const inner = linear(call, op, x!, attributeOf(call, 'beta', 1), 0)
  return linear(call, op, op.Softplus([inner]), attributeOf(call, 'alpha', 1), 0)
})

/** scale * x, and a bias for each channel. */
export const imageScaler = dropped('ImageScaler', sameType, (call, op, [x]) => {
  const { bias } = call.attributes as { readonly bias?: readonly number[] }
  const scaled = linear(call, op, x!, attributeOf(call, 'scale', 1), 0)
  if (!bias) return scaled
  const columns = op.constant(float32s([bias.length, 1, 1], bias), 'bias')
  return op.Add([scaled, op.Cast([columns], { to: call.inputs[0]!.dtype === 'float64' ? 11 : 1 })])
})

/** [left, top, right, bottom] cut off of height and width, or as many kept from there as `scale` says. */
export const crop = dropped(
  'Crop',
  call => {
    const [x] = call.inputs
    const { starts, ends } = croppingOf(call)
    const sizes = starts.map((start, i): Dim => {
      const size = x!.shape?.[i + 2] ?? ''
      if (ends[i]! > 0) return ends[i]! - start
      return typeof size === 'number' ? size + ends[i]! - start : ''
    })
    return [{ dtype: x!.dtype, shape: x!.shape && [...x!.shape.slice(0, 2), ...sizes] }]
  },
  (call, op, [x]) => {
    const { starts, ends } = croppingOf(call)
    const counted = ends.map(end => (end === 0 ? Number.MAX_SAFE_INTEGER : end))
    return op.Slice([x, op.ints(starts), op.ints(counted), op.ints([2, 3])])
  },
)

/** Where height and width begin, and where they end: counted from the end if not positive. */
function croppingOf(call: Call): { readonly starts: readonly number[]; readonly ends: readonly number[] } {
  const { border, scale: kept } = call.attributes as Readonly<Record<'border' | 'scale', readonly number[] | undefined>>
  const [left = 0, top = 0, right = 0, bottom = 0] = border ?? []
  return { starts: [top, left], ends: kept ? [top + kept[0]!, left + kept[1]!] : [-bottom, -right] }
}

export const dynamicSlice = dropped(
  'DynamicSlice',
  ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape?.map(() => '') }],
  (_, op, x) => op.Slice(x),
)
