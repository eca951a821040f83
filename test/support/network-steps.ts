import { isFloat } from '../../src/base/dtype.ts'
import { fromNumbers, full, scalar } from '../../src/base/tensor.ts'
import { attribute } from '../../src/graph/attributes.ts'
import type { OpName } from '../../src/ops/spec.ts'
import { bodies } from './network-bodies.ts'
import {
  broadcasts,
  constant,
  fixed,
  isExact,
  isOwn,
  isRanked,
  number,
  positive,
  scalarOf,
  widened,
} from './network-constants.ts'
import { layers } from './network-layers.ts'
import { type Known, Nothing, type Site, type Step } from './network-site.ts'

/** An operator of one operand, whether it keeps numbers exact, and attributes by choice. */
function unary(type: OpName, exact = false, attributes: readonly Record<string, unknown>[] = [{}]): Step {
  return ({ op, value, make, below }) => {
    const x = value(isOwn)
    make(op.many(type, 1, [x.ref], attributes[below(attributes.length)])[0]!, exact && x.exact)
  }
}

/** An operator of two operands: of two values, or of a value and a constant that broadcasts to it, or it to the constant. */
function binary(type: OpName, exact: boolean): Step {
  return site => {
    const { op, value, make, below, dtype } = site
    const a = value(isOwn)
    const form = below(6)
    // Integers divided by 0 end the process.
    const divides = type === 'Div'
    const bare = divides && !isFloat(dtype)
    if (form === 0 && !bare) {
      const b = value(type => type.own && broadcasts(type, a))
      return make(op.many(type, 1, below(2) === 0 ? [a.ref, b.ref] : [b.ref, a.ref])[0]!, exact && a.exact && b.exact)
    }
    const [channels, last] = [widened(a.shape[1]), widened(a.shape.at(-1))]
    const shapes = [
      [],
      [1],
      ...(channels && a.shape.length === 4 ? [[1, channels, 1, 1]] : []),
      ...(last ? [[last]] : []),
      [1, ...a.shape.map(() => 1)],
    ]
    const shape = shapes[below(shapes.length)]!
    const neutral = () => op.constant(full(dtype, shape, type === 'Mul' || divides ? 1 : 0))
    const b = form === 1 ? neutral() : (divides ? positive : constant)(site, shape, below(9))
    make(op.many(type, 1, below(4) > 0 || bare ? [a.ref, b] : [b, a.ref])[0]!, exact && a.exact)
  }
}

const compare =
  (type: 'Greater' | 'Less' | 'Equal'): Step =>
  site => {
    const { op, value, make, below } = site
    const a = value(isExact)
    const b = below(2) === 0 ? value(type => isExact(type) && broadcasts(type, a)).ref : number(site, below(5) - 2, a)
    make(op[type]([a.ref, b]), true)
  }

const reduce =
  (type: 'ReduceMean' | 'ReduceSum' | 'ReduceMax' | 'ReduceMin'): Step =>
  ({ op, value, make, below, opset }) => {
    const x = value(isRanked)
    const axes = below(4) === 0 ? undefined : [below(x.shape.length)]
    const keepdims = below(2)
    const since = type === 'ReduceSum' ? 13 : 18
    const exact = x.exact && type !== 'ReduceMean' && type !== 'ReduceSum'
    if (opset >= since) make(op[type]([x.ref, axes && op.ints(axes)], { keepdims }), exact)
    else make(op[type]([x.ref], { ...(axes ? { axes: attribute.ints(axes) } : {}), keepdims } as never), exact)
  }

/** Axes as an input or, in older opsets, as an attribute. */
function withAxes({ op, opset }: Site, type: 'Squeeze' | 'Unsqueeze', x: string, axes: readonly number[]): string {
  return opset >= 13 ? op[type]([x, op.ints(axes)]) : op[type]([x], { axes: attribute.ints(axes) } as never)
}

function permutation(rank: number, below: Site['below']): number[] {
  const perm = Array.from({ length: rank }, (_, i) => i)
  for (let i = rank - 1; i > 0; i--) {
    const j = below(i + 1)
    ;[perm[i], perm[j]] = [perm[j]!, perm[i]!]
  }
  return perm
}

const castTo = { float32: 1, int32: 6, int64: 7, float64: 11, bool: 9 }

/** Operators that compute element by element, move elements and reduce. */
const plain: Readonly<Record<string, Step>> = {
  Relu: unary('Relu', true),
  Neg: unary('Neg', true),
  Abs: unary('Abs', true),
  Identity: unary('Identity', true),
  Floor: ({ op, value, make }) => make(op.Floor([value(isExact).ref]), true),
  Sigmoid: unary('Sigmoid'),
  Tanh: unary('Tanh'),
  Erf: unary('Erf'),
  HardSigmoid: unary('HardSigmoid', false, [{}, { alpha: 1 / 6, beta: 0.5 }]),
  LeakyRelu: unary('LeakyRelu', false, [{}, { alpha: 0.25 }]),
  Softplus: unary('Softplus'),
  Softmax: ({ op, value, make, below }) => {
    const x = value(isRanked)
    make(op.Softmax([x.ref], { axis: below(2) === 0 ? -1 : below(x.shape.length) }), false)
  },
  Dropout: unary('Dropout', true),
  Add: binary('Add', true),
  Sub: binary('Sub', true),
  Mul: binary('Mul', false),
  Div: binary('Div', false),
  Max: binary('Max', true),
  Min: binary('Min', true),
  Pow: site => {
    const x = site.value(isOwn)
    site.make(site.op.Pow([x.ref, number(site, 2, x)]), false)
  },
  Greater: compare('Greater'),
  Less: compare('Less'),
  Equal: compare('Equal'),
  Not: ({ op, value, make }) => make(op.Not([value(({ dtype }) => dtype === 'bool').ref]), true),
  And: ({ op, value, make }) => {
    const a = value(({ dtype }) => dtype === 'bool')
    const b = value(type => type.dtype === 'bool' && broadcasts(type, a))
    make(op.And([a.ref, b.ref]), true)
  },
  Where: site => {
    const { op, value, make, below } = site
    const condition = value(({ dtype }) => dtype === 'bool')
    const a = value(type => type.own && broadcasts(type, condition))
    make(op.Where([condition.ref, a.ref, number(site, below(5) - 2, a)]), a.exact)
  },
  // Never to the type that a value has: the engine drops such a Cast, and forgets bodies that read it.
  Cast: ({ op, value, make, below }) => {
    const x = value(type => type.exact)
    const [dtype, to] = Object.entries(castTo)[below(5)]!
    if (dtype === x.dtype) throw new Nothing()
    make(op.Cast([x.ref], { to }), true)
  },
  CastBack: ({ value, make, cast }) => make(cast(value(type => type.exact && !type.own).ref), true),
  ReduceMean: reduce('ReduceMean'),
  ReduceSum: reduce('ReduceSum'),
  ReduceMax: reduce('ReduceMax'),
  ReduceMin: reduce('ReduceMin'),
  Clip: site => {
    const { op, value, make, below } = site
    const x = value(isOwn)
    const [low, high] = [scalarOf(site, below(3) - 2), scalarOf(site, 1 + below(6))]
    make(op.Clip([x.ref, below(4) === 0 ? null : low, below(4) === 0 ? null : high]), x.exact)
  },
  Transpose: ({ op, value, make, below }) => {
    const x = value(isRanked)
    make(op.Transpose([x.ref], { perm: permutation(x.shape.length, below) }), x.exact)
  },
  Reshape: ({ op, value, make, below }) => {
    const x = value(isRanked)
    const forms = [[0, -1], [-1], [1, -1], x.shape.map((dim, i) => (i === 0 ? -1 : fixed(dim)))]
    make(op.Reshape([x.ref, op.ints(forms[below(forms.length)]!)]), x.exact)
  },
  ReshapeBySize: site => {
    const { op, value, make, below } = site
    const x = value(isRanked)
    const size = op.Gather([op.Shape([x.ref]), op.constant(scalar('int64', 0))], { axis: 0 })
    const rest = below(2) === 0 ? op.ints([-1]) : withAxes(site, 'Unsqueeze', op.constant(scalar('int64', -1)), [0])
    const target = op.Concat([withAxes(site, 'Unsqueeze', size, [0]), rest], { axis: 0 })
    make(op.Reshape([x.ref, target]), x.exact)
  },
  SizeArithmetic: ({ op, value, make, below, cast, dtype }) => {
    const x = value(isRanked)
    const size = op.Slice([op.Shape([x.ref]), op.ints([0]), op.ints([1])])
    const doubled = below(2) === 0 ? op.Mul([size, op.ints([2])]) : op.Add([size, op.ints([1])])
    make(dtype === 'int64' ? doubled : cast(doubled), true)
  },
  Flatten: ({ op, value, make, below }) => {
    const x = value(isRanked)
    make(op.Flatten([x.ref], { axis: below(x.shape.length + 1) }), x.exact)
  },
  Squeeze: site => {
    const x = site.value(({ own, shape }) => own && shape.includes(1))
    site.make(withAxes(site, 'Squeeze', x.ref, [x.shape.indexOf(1)]), x.exact)
  },
  Unsqueeze: site => {
    const x = site.value(isOwn)
    site.make(withAxes(site, 'Unsqueeze', x.ref, [site.below(x.shape.length + 1)]), x.exact)
  },
  Slice: ({ op, value, make, below }) => {
    const x = value(isRanked)
    const axis = below(x.shape.length)
    const steps = [1, 1, 2, -1][below(4)]!
    const start = steps < 0 ? -1 : below(3)
    const end = steps < 0 ? -100 : [2 ** 31 - 1, 100, -1, 4][below(4)]!
    make(op.Slice([x.ref, op.ints([start]), op.ints([end]), op.ints([axis]), op.ints([steps])]), x.exact)
  },
  Concat: ({ op, value, make, below }) => {
    const x = value(isRanked)
    const axis = below(x.shape.length)
    const alike = (type: Known) =>
      type.own && type.shape.length === x.shape.length && type.shape.every((dim, i) => i === axis || dim === x.shape[i])
    const others = Array.from({ length: below(3) }, () => value(alike))
    make(
      op.Concat([x.ref, ...others.map(({ ref }) => ref)], { axis }),
      [x, ...others].every(one => one.exact),
    )
  },
  Split: ({ op, value, make, below, opset }) => {
    const x = value(isRanked)
    const axis = below(x.shape.length)
    const size = fixed(x.shape[axis])
    const cut = 1 + below(size)
    const sizes = cut < size ? [cut, size - cut] : [size]
    const parts =
      opset >= 13
        ? op.many('Split', sizes.length, [x.ref, op.ints(sizes)], { axis })
        : op.many('Split', sizes.length, [x.ref], { axis, split: attribute.ints(sizes) } as never)
    for (const part of parts) make(part, x.exact)
    if (below(2) === 0) make(op.Concat(parts, { axis }), x.exact)
  },
  Expand: ({ op, value, make, below }) => {
    const x = value(isOwn)
    const target = below(3) === 0 ? [1] : [2, ...x.shape.map(() => 1)]
    make(op.Expand([x.ref, op.ints(target)]), x.exact)
  },
  Tile: ({ op, value, make, below }) => {
    const x = value(isRanked)
    make(op.Tile([x.ref, op.ints(x.shape.map(() => 1 + below(2)))]), x.exact)
  },
  Gather: ({ op, value, make, below }) => {
    const x = value(isRanked)
    const axis = below(x.shape.length)
    const size = fixed(x.shape[axis])
    const indices = [below(size), size - 1, 0].slice(0, 1 + below(3))
    const index = below(3) === 0 ? op.constant(scalar('int64', indices[0]!)) : op.ints(indices)
    make(op.Gather([x.ref, index], { axis }), x.exact)
  },
  Pad: site => {
    const { op, value, make, below } = site
    const x = value(isRanked)
    const pads = [...x.shape, ...x.shape].map((_, i) => (i % x.shape.length < x.shape.length - 2 ? 0 : below(3)))
    make(op.Pad([x.ref, op.ints(pads), below(2) === 0 ? null : scalarOf(site, below(2))]), x.exact)
  },
  ConstantOfShape: ({ op, make, below, dtype }) => {
    const value = fromNumbers(dtype, [1], [below(4)])
    make(op.ConstantOfShape([op.ints([1 + below(3), 4])], { value: attribute.tensor(value) } as never), true)
  },
  Range: ({ op, make, below, cast, dtype }) => {
    const [start, end, by] = [0, 2 + below(4), 1].map(v => op.constant(scalar('int64', v)))
    const range = op.Range([start!, end!, by!])
    make(dtype === 'int64' ? range : cast(range), true)
  },
  Folded: site => {
    const { op, make, below } = site
    const a = constant(site, [4], below(9))
    make(op.Add([op.Mul([a, constant(site, [4], below(9))]), scalarOf(site, 1)]), true)
  },
}

/** All that a network may be made of, by name. */
export const stepsByKind: Readonly<Record<string, Step>> = { ...plain, ...layers, ...bodies }

const convolving = ['Conv', 'ConvTranspose', 'ConvNorm', 'AveragePool', 'GlobalAveragePool']
const curved = ['Erf', 'Gelu', 'HardSigmoid', 'LeakyRelu', 'Softplus']

/** Steps that the standard or the engine does not have for networks of other element types than float32. */
export const lacking: Readonly<Record<string, readonly string[]>> = {
  float64: [...convolving, ...curved],
  ...Object.fromEntries(
    ['int32', 'int64'].map(integer => [
      integer,
      [
        ...[...convolving, ...curved, 'BatchNormalization', 'MaxPool', 'Gemm', 'LayerNorm'],
        ...['Dropout', 'Floor', 'Relu', 'Sigmoid', 'Softmax', 'Swish', 'Tanh'],
      ],
    ]),
  ),
}
