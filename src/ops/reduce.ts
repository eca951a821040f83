import { isInteger } from '../base/dtype.ts'
import { addDims, type Dim, elementCount, isFixed, productOf, type Shape } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { axesOf, given, lengthOf, numbersFrom, unknownShape } from './axes.ts'
import type { Ops, Ref } from './build.ts'
import { withContents } from './contents.ts'
import { eachPosition, elementsOf, larger, smaller, stridesOf, tensorOf } from './elements.ts'
import { maskLike, scalarLike } from './elementwise.ts'
import { filled } from './fill.ts'
import { type Backward, type Call, free, type InferredType, type Link, operator, type TypedCall } from './operator.ts'

type ReduceName =
  | 'ReduceL1'
  | 'ReduceL2'
  | 'ReduceLogSum'
  | 'ReduceLogSumExp'
  | 'ReduceMax'
  | 'ReduceMean'
  | 'ReduceMin'
  | 'ReduceProd'
  | 'ReduceSum'
  | 'ReduceSumSquare'

/** What a reduction's gradient is made of. `y` and `dy` have size 1 along the axes that are gone. */
interface Reduced {
  readonly op: Ops
  readonly x: Ref
  readonly y: Ref
  readonly dy: Ref
  /** How many elements go into one. */
  readonly count: number
  /** Repeats a reduced value along the axes that are gone, times a factor: in onnxruntime, Mul is faster than Expand. */
  spread(ref: Ref, factor?: number): Ref
  /** Reduces another value of x's shape along the same axes, which stay with size 1. */
  again(type: ReduceName, ref: Ref): Ref
}

interface Combine {
  readonly float: (x: number[]) => number
  readonly integer: (x: bigint[]) => bigint
  /** Of sizes with symbols among them. */
  readonly symbolic?: (x: readonly Dim[]) => Dim
}

/** A reduction: its gradient, how it combines elements, and since when it takes the axes as an input. */
function reduction(type: ReduceName, gradient: (parts: Reduced) => Ref, combine: Combine, since: 13 | 18 = 18) {
  return operator<ReduceName>(type, {
    infer: call => {
      const [x] = call.inputs
      const plan = planOf(call, x!.shape)
      const found = { dtype: x!.dtype, shape: plan?.result }
      return [withContents(found, plan && combine.symbolic && reduceDims(x!, plan, combine.symbolic))]
    },
    gradient: call => [gradient(partsOf(call))],
    coupling: reduceLinks,
    cost: free,
    evaluate: (call, [x]) => [reduce(x!, planOf(call, x!.shape)!, combine)],
    // Only an empty list of axes is read in two ways.
    moot: call => (call.constant(1)?.data.length ? ['noop_with_empty_axes'] : []),
    upgrades: [
      {
        to: since,
        apply({ attributes }, op, [x]) {
          const { axes, keepdims } = attributes as { axes?: readonly number[]; keepdims: number }
          return [op[type]([x, axes && op.ints(axes)], { keepdims })]
        },
      },
    ],
  })
}

const floats = (float: (x: number[]) => number): Combine => ({
  float,
  integer: x => BigInt(Math.trunc(float(x.map(Number)))),
})

const total = (x: number[]) => x.reduce((a, b) => a + b, 0)
const exactTotal = (x: bigint[]) => x.reduce((a, b) => a + b, 0n)
const exactAbs = (a: bigint) => (a < 0n ? -a : a)

export const reduceSum = reduction(
  'ReduceSum',
  ({ spread, dy }) => spread(dy),
  { float: total, integer: exactTotal, symbolic: x => x.reduce(addDims, 0) },
  13,
)

export const reduceMean = reduction('ReduceMean', ({ spread, dy, count }) => spread(dy, 1 / count), {
  float: x => total(x) / x.length,
  integer: x => exactTotal(x) / BigInt(x.length),
})

export const reduceMax = reduction('ReduceMax', extremeGradient, {
  float: x => x.reduce((a, b) => Math.max(a, b), -Infinity),
  integer: x => x.reduce(larger),
})

export const reduceMin = reduction('ReduceMin', extremeGradient, {
  float: x => x.reduce((a, b) => Math.min(a, b), Infinity),
  integer: x => x.reduce(smaller),
})

/** Elements that tie for the extreme share its gradient equally, as in PyTorch's amax. */
function extremeGradient({ op, x, y, dy, again }: Reduced): Ref {
  const mask = maskLike(op, op.Equal([x, y]), x)
  return op.Mul([mask, op.Div([dy, again('ReduceSum', mask)])])
}

export const reduceProd = reduction('ReduceProd', productGradient, {
  float: x => x.reduce((a, b) => a * b, 1),
  integer: x => x.reduce((a, b) => a * b, 1n),
  symbolic: productOf,
})

/** The product of the others: 0 if one of them is 0, else the product of all that are not 0, divided by this if it is not. */
function productGradient({ op, x, dy, again }: Reduced): Ref {
  const isZero = (ref: Ref) => maskLike(op, op.Equal([ref, scalarLike(op, x, 0)]), x)
  const zero = isZero(x)
  const nonzero = op.Add([x, zero])
  const othersAreNot = isZero(op.Sub([again('ReduceSum', zero), zero]))
  return op.Mul([op.Div([othersAreNot, nonzero]), op.Mul([dy, again('ReduceProd', nonzero)])])
}

export const reduceL1 = reduction('ReduceL1', ({ op, x, dy }) => op.Mul([dy, op.Sign([x])]), {
  float: x => total(x.map(Math.abs)),
  integer: x => exactTotal(x.map(exactAbs)),
})

export const reduceL2 = reduction(
  'ReduceL2',
  ({ op, x, y, dy }) => {
    // x / |x|, and 0 where |x| is 0, as in PyTorch.
    const size = op.Add([y, maskLike(op, op.Equal([y, scalarLike(op, y, 0)]), y)])
    return op.Mul([x, op.Div([dy, size])])
  },
  floats(x => Math.sqrt(total(x.map(v => v * v)))),
)

export const reduceLogSum = reduction(
  'ReduceLogSum',
  ({ op, y, dy, spread }) => spread(op.Div([dy, op.Exp([y])])),
  floats(x => Math.log(total(x))),
)

export const reduceLogSumExp = reduction(
  'ReduceLogSumExp',
  ({ op, x, y, dy }) => op.Mul([dy, op.Exp([op.Sub([x, y])])]),
  floats(x => {
    const most = x.reduce((a, b) => Math.max(a, b), -Infinity)
    return Number.isFinite(most) ? most + Math.log(total(x.map(v => Math.exp(v - most)))) : most
  }),
)

export const reduceSumSquare = reduction('ReduceSumSquare', ({ op, x, dy }) => op.Mul([x, op.Add([dy, dy])]), {
  float: x => total(x.map(v => v * v)),
  integer: x => exactTotal(x.map(v => v * v)),
})

/** Which axes go, and the shapes of the result with and without them. undefined if the rank is not known. */
interface Plan {
  readonly axes: readonly number[]
  readonly kept: Shape
  readonly result: Shape
}

type PlanCall = Pick<Call<ReduceName>, 'node' | 'attributes' | 'inputs' | 'constant'>

function planOf(call: PlanCall, shape: Shape | undefined): Plan | undefined {
  if (!shape) return undefined
  const { keepdims, noop_with_empty_axes: noop } = call.attributes
  const listed = numbersFrom(call, 1, 'axes')
  if (listed === undefined && given(call, 1, 'axes')) {
    // The axes are computed: at most the rank of the result is known.
    const kept = unknownShape(shape.length)
    const gone = keepdims ? 0 : lengthOf(call.inputs[1])
    return gone === undefined ? undefined : { axes: [], kept, result: unknownShape(shape.length - gone) }
  }
  const all = noop ? [] : shape.map((_, axis) => axis)
  const axes = listed?.length ? axesOf(listed, shape.length) : all
  const kept = shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
  return { axes, kept, result: keepdims ? kept : shape.filter((_, axis) => !axes.includes(axis)) }
}

function partsOf(call: Backward<ReduceName>): Reduced {
  const { op, x, y, dy } = call
  const shape = op.shape(x[0]!)
  const inputs = [op.type(x[0]!)]
  const { axes, kept } = planOf({ ...call, inputs }, shape)!
  const keep = (ref: Ref) => (call.attributes.keepdims ? ref : op.Reshape([ref, op.ints(kept as number[])]))
  const gone = shape.map((size, axis) => (axes.includes(axis) ? size : 1))
  const count = elementCount(gone)
  return {
    op,
    x: x[0]!,
    y: keep(y[0]!),
    dy: keep(dy[0]!),
    count,
    spread: (ref, factor = 1) => (count === 1 && factor === 1 ? ref : op.Mul([ref, filled(op, ref, gone, factor)])),
    again: (type, ref) => op[type]([ref, op.ints(axes)], { keepdims: 1, noop_with_empty_axes: 1 }),
  }
}

/** The axes that stay. Those that go cannot lose channels: an extreme or a mean of fewer is another. */
function reduceLinks(call: TypedCall<ReduceName>): readonly Link[] {
  const shape = call.inputs[0]!.shape!
  const plan = planOf(call, shape)
  if (!plan || (plan.axes.length === 0 && given(call, 1, 'axes'))) return []
  const stay = shape.map((_, axis) => axis).filter(axis => !plan.axes.includes(axis))
  return stay.map((axis, i) => ({
    from: ['in', 0, axis],
    to: ['out', 0, call.attributes.keepdims ? axis : i],
    map: 'same',
  }))
}

function reduce(x: Tensor, plan: Plan, combine: Combine): Tensor {
  const groups = groupsOf<unknown>(elementsOf(x), x.shape, plan)
  const values = isInteger(x.dtype)
    ? (groups as bigint[][]).map(combine.integer)
    : (groups as number[][]).map(combine.float)
  return tensorOf(x.dtype, plan.result as readonly number[], values)
}

/** The same of known whole numbers, symbols among them. */
function reduceDims({ dtype, shape, value }: InferredType, plan: Plan, combine: (x: readonly Dim[]) => Dim) {
  if (!value || !isInteger(dtype) || !isFixed(shape) || !isFixed(plan.kept)) return undefined
  return groupsOf(value, shape, plan).map(combine)
}

/** The elements that go into each one of the result. */
function groupsOf<T>(elements: readonly T[], shape: readonly number[], { axes, kept }: Plan): T[][] {
  const strides = stridesOf(kept as readonly number[]).map((stride, axis) => (axes.includes(axis) ? 0 : stride))
  const groups = Array.from({ length: elementCount(kept as readonly number[]) }, (): T[] => [])
  eachPosition(shape, (position, flat) => {
    groups[position.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!.push(elements[flat]!)
  })
  return groups
}
