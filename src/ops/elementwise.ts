import { type DType, isInteger } from '../base/dtype.ts'
import { type Dim, elementCount, isFixed, sameShape } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { dataTypeOf } from '../onnx/dtypes.ts'
import { countedAxis } from './axes.ts'
import { broadcast, broadcastType, elementwiseLinks } from './broadcast.ts'
import type { Ops, Ref } from './build.ts'
import { mostFollowed, withContents } from './contents.ts'
import { broadcastSources, integersOf, tensorOf } from './elements.ts'
import {
  free,
  type GradientRule,
  type InferredType,
  isNo,
  type No,
  no,
  type Operator,
  operator,
  type Upgrade,
} from './operator.ts'
import { schemas } from './spec.generated.ts'
import type { OpName } from './spec.ts'

type OfFloats = (...x: number[]) => number | boolean
type OfIntegers = (...x: bigint[]) => bigint | boolean

/** What one element comes to: in float64 before it is rounded, and for integers, where the operator takes them, exactly. */
export type Compute = OfFloats | { readonly float: OfFloats; readonly integer: OfIntegers }

type OfDims = (...x: Dim[]) => Dim

/** The result where an operand is a symbolic dimension; '' where it is not known. Numbers go through `compute`. */
export type Symbolic = OfDims | { readonly float: OfDims; readonly integer: OfDims }

export interface Elementwise<K extends OpName> {
  readonly gradient: GradientRule<K> | No
  readonly compute: Compute | No
  readonly symbolic?: Symbolic
  /** The result's element type where it is not the first input's. */
  readonly result?: DType
  readonly upgrades?: Operator<K>['upgrades']
  readonly commutative?: true
}

/** The record of an operator that works on each element by itself, its inputs broadcast against each other. */
export function elementwise<K extends OpName>(type: K, row: Elementwise<K>): Operator<K> {
  const { gradient, compute, symbolic, result, commutative = false } = row
  const { upgrades = broadcastsOnRequest(type) ? [placeOnRequest] : [] } = row
  return operator(type, {
    infer: ({ inputs, opset }) => {
      const found =
        opset < 7 ? { dtype: result ?? inputs[0]!.dtype, shape: inputs[0]!.shape } : broadcastType(inputs, result)
      const value = isNo(compute) || opset < 7 ? undefined : followElements(inputs, found, compute, symbolic)
      return [withContents(found, value)]
    },
    gradient,
    coupling: elementwiseLinks,
    cost: free,
    evaluate: isNo(compute)
      ? compute
      : ({ opset }, inputs) => {
          if (opset < 7 && inputs.some(t => t!.data.length !== 1 && !sameShape(t!.shape, inputs[0]!.shape))) {
            throw new Error('its operands are broadcast in another way')
          }
          return [evaluateElementwise(inputs as readonly Tensor[], compute, result)]
        },
    upgrades,
    commutative,
  })
}

/** Applies a function to each element of tensors that broadcast against each other. */
export function evaluateElementwise(inputs: readonly Tensor[], compute: Compute, result = inputs[0]!.dtype): Tensor {
  const shape = broadcast(inputs.map(t => t.shape)) as readonly number[]
  const integers = inputs.every(t => isInteger(t.dtype))
  // With operands of two kinds (Pow of a float and an integer) all are taken as numbers.
  const operands = inputs.map(t => (t.dtype === 'string' ? t.data : integers ? integersIn(t) : numbers(t)))
  const count = elementCount(shape)
  const values = isInteger(result)
    ? new Array<bigint>(count)
    : new (result === 'float32' ? Float32Array : Float64Array)(count)
  fillElementwise(
    values,
    functionFor(compute, integers),
    operands as Numbers[],
    shape,
    inputs.map(t => t.shape),
  )
  if (values instanceof Float32Array) return { dtype: result, shape, data: values }
  return Array.isArray(values) ? tensorOf(result, shape, values) : fromNumbers(result, shape, values)
}

type Numbers = ArrayLike<number>

/** An integer tensor's elements, without a copy where they are 64 bits wide. */
function integersIn(t: Tensor): ArrayLike<bigint> {
  return t.dtype === 'int64' || t.dtype === 'uint64' ? (t.data as BigInt64Array) : integersOf(t)
}

/** The usual two cases, one operand and two of which one may be a single element, run without any bookkeeping. */
function fillElementwise(
  values: { [i: number]: unknown },
  apply: OfFloats,
  operands: readonly Numbers[],
  shape: readonly number[],
  froms: readonly (readonly number[])[],
): void {
  const count = elementCount(shape)
  const [a, b] = operands as readonly [Numbers, Numbers]
  const whole = operands.map(of => (of.length === count ? 1 : of.length === 1 ? 0 : undefined))
  if (operands.length === 1) {
    for (let i = 0; i < count; i++) values[i] = worth(apply(a[i]!))
  } else if (operands.length === 2 && whole.every(step => step !== undefined)) {
    const [s, t] = whole as [number, number]
    for (let i = 0; i < count; i++) values[i] = worth(apply(a[i * s]!, b[i * t]!))
  } else if (operands.length === 2) {
    const [left, right] = froms.map(from => broadcastSources(shape, from)) as [Int32Array, Int32Array]
    for (let i = 0; i < count; i++) values[i] = worth(apply(a[left[i]!]!, b[right[i]!]!))
  } else {
    const index = froms.map(from => broadcastSources(shape, from))
    for (let i = 0; i < count; i++) values[i] = worth(apply(...operands.map((of, n) => of[index[n]![i]!]!)))
  }
}

/** A truth as the number that stands for it. */
const worth = (value: number | boolean) => (value === true ? 1 : value === false ? 0 : value)

/** The function for a kind of elements: call it with what `elementsOf` gives for them, which the compiler cannot follow. */
export function functionFor(compute: Compute, integers: boolean): OfFloats {
  if (typeof compute === 'function') return compute
  return integers ? (compute.integer as unknown as OfFloats) : compute.float
}

/** The contents of the result, where the operands' are known (see `InferredType`). */
export function followElements(
  inputs: readonly (InferredType | undefined)[],
  found: InferredType,
  compute: Compute,
  symbolic?: Symbolic,
): readonly Dim[] | undefined {
  const integers = inputs.every(type => isInteger(type!.dtype))
  const apply = functionFor(compute, integers)
  const wholes = typeof compute !== 'function' && integers
  const dims = typeof symbolic === 'object' ? symbolic[integers ? 'integer' : 'float'] : symbolic
  return eachElement(inputs, found, (...x) => {
    if (!x.every(dim => typeof dim === 'number')) {
      // Half of a symbol could be rounded in any direction yet.
      const open = x.some(dim => dim === '' || (typeof dim === 'number' && !Number.isInteger(dim)))
      return open || !dims ? '' : dims(...x)
    }
    if (integers && !x.every(Number.isSafeInteger)) return ''
    try {
      return Number(apply(...(wholes ? (x.map(BigInt) as unknown as number[]) : x)))
    } catch (error) {
      // A division by zero, which fails only where it is run.
      if (error instanceof RangeError) return ''
      throw error
    }
  })
}

/** Applies a function to the contents of inputs that broadcast to a shape; undefined where one's are not known. */
export function eachElement(
  inputs: readonly (InferredType | undefined)[],
  { shape }: InferredType,
  apply: (...x: readonly Dim[]) => Dim,
): readonly Dim[] | undefined {
  const values = inputs.map(type => type?.value)
  if (!isFixed(shape) || values.some(value => value === undefined)) return undefined
  const count = elementCount(shape)
  if (count > mostFollowed) return undefined
  const operands = (values as readonly (readonly Dim[])[]).map((value, n) => {
    if (value.length === count || value.length === 1) return (i: number) => value[value.length === 1 ? 0 : i]!
    const places = broadcastSources(shape, inputs[n]!.shape as readonly number[])
    return (i: number) => value[places[i]!]!
  })
  return Array.from({ length: count }, (_, i) => apply(...operands.map(at => at(i))))
}

/** A rank-0 constant of a value's type. */
export function scalarLike(op: Ops, ref: Ref, value: number): Ref {
  return op.scalar(value, op.type(ref).dtype)
}

/** 1 where a condition holds and 0 elsewhere, in the type of `like`. */
export function maskLike(op: Ops, condition: Ref, like: Ref): Ref {
  return op.Cast([condition], { to: dataTypeOf(op.type(like).dtype) })
}

function broadcastsOnRequest(type: OpName): boolean {
  return schemas[type]?.some(({ attributes }) => 'broadcast' in attributes) ?? false
}

/**
 * Before opset 7 a second input was broadcast on request only, its axes placed at `axis` of the first's: axes of size 1
 * behind them say the same.
 */
const placeOnRequest: Upgrade = {
  to: 7,
  apply({ node, attributes, inputs: [a, b] }, op, x) {
    const { axis, broadcast: asked } = attributes as { axis?: number; broadcast?: number }
    const moved = asked && axis !== undefined
    const [rank, width] = moved ? [a!.shape!.length, b!.shape!.length] : [0, 0]
    const behind = moved ? rank - countedAxis(axis, rank) - width : 0
    const axes = Array.from({ length: behind }, (_, i) => width + i)
    // Up to opset 12 the axes are an attribute.
    const second = behind > 0 ? op.Unsqueeze([x[1]], { axes } as object) : x[1]
    return [op[node.op as 'Add']([x[0], second])]
  },
}

export const piecewiseConstant = no('it is piecewise constant: its derivative is zero wherever it has one')
