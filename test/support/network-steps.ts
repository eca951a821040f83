import { fromNumbers, full, scalar, type Tensor, tensor } from '../../src/base/tensor.ts'
import { attribute } from '../../src/graph/attributes.ts'
import { node } from '../../src/graph/edit.ts'
import type { Body, Node } from '../../src/graph/graph.ts'
import type { OpName } from '../../src/ops/spec.ts'
import { type Known, type Made, Nothing, type Site } from './network-site.ts'

const isFloat = ({ dtype }: Known) => dtype === 'float32'
const isExact = (type: Known) => isFloat(type) && type.exact
const isRanked = (type: Known) => isFloat(type) && type.shape.length > 0
const ofRank = (rank: number) => (type: Known) => isFloat(type) && type.shape.length === rank

function require<T>(value: T | undefined | false): T {
  if (value === undefined || value === false) throw new Nothing()
  return value
}

const fixed = (dim: number | string | undefined) => require(typeof dim === 'number' && dim > 0 && dim)

/** Quarters from -2 to 2, different for each salt. */
function constant(shape: readonly number[], salt: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1)
  return fromNumbers(
    'float32',
    shape,
    Array.from({ length: count }, (_, i) => (((i * 7 + salt * 5) % 17) - 8) / 4),
  )
}

function positive(shape: readonly number[], salt: number): Tensor {
  const { data } = constant(shape, salt)
  return fromNumbers(
    'float32',
    shape,
    Array.from(data as Float32Array, v => Math.abs(v) + 0.5),
  )
}

type Step = (site: Site) => void

/** An operator of one operand, whether it keeps numbers exact, and attributes by choice. */
function unary(type: OpName, exact = false, attributes: readonly Record<string, unknown>[] = [{}]): Step {
  return ({ op, value, make, below }) => {
    const x = value(isFloat)
    make(op.many(type, 1, [x.ref], attributes[below(attributes.length)])[0]!, exact && x.exact)
  }
}

/** An operator of two operands: of two values, or of a value and a constant that broadcasts to it. */
function binary(type: OpName, exact: boolean): Step {
  return ({ op, value, make, below }) => {
    const a = value(isFloat)
    const form = below(6)
    if (form === 0) {
      const b = value(type => isFloat(type) && broadcasts(type, a))
      return make(op.many(type, 1, below(2) === 0 ? [a.ref, b.ref] : [b.ref, a.ref])[0]!, exact && a.exact && b.exact)
    }
    const neutral = form === 1
    const shapes = [[], [1], ...(a.shape.length === 4 ? [[1, fixed(a.shape[1]), 1, 1]] : []), lastOf(a)]
    const shape = shapes[below(shapes.length)]!
    const one = type === 'Mul' || type === 'Div' ? 1 : 0
    const make_ = type === 'Div' ? positive : constant
    const b = op.constant(neutral ? full('float32', shape, one) : make_(shape, below(9)))
    make(op.many(type, 1, below(4) > 0 ? [a.ref, b] : [b, a.ref])[0]!, exact && a.exact)
  }
}

function lastOf({ shape }: Known): readonly number[] {
  const last = shape.at(-1)
  return typeof last === 'number' ? [last] : [1]
}

function broadcasts(a: Known, b: Known): boolean {
  for (let i = 1; i <= Math.min(a.shape.length, b.shape.length); i++) {
    const [x, y] = [a.shape.at(-i)!, b.shape.at(-i)!]
    if (x !== y && x !== 1 && y !== 1) return false
  }
  return true
}

const compare =
  (type: 'Greater' | 'Less' | 'Equal'): Step =>
  ({ op, value, make, below }) => {
    const a = value(isExact)
    const b = below(2) === 0 ? value(type => isExact(type) && broadcasts(type, a)).ref : op.scalar(below(5) - 2)
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

function body(name: string, nodes: readonly Node[], outputs: readonly string[], inputs: Body['inputs'] = []): Body {
  return {
    name,
    inputs,
    outputs: outputs.map(output => ({ name: output, type: undefined })),
    nodes,
    initializers: new Map(),
    types: new Map(),
  }
}

/** A node with bodies, whose output types follow from what it was given. */
function emit({ op, draft }: Site, made: Node, like: Made): string {
  // The builder learns the type from a node whose output has it.
  draft.add(made)
  const result = op.Identity([like.ref])
  for (const one of draft.nodes()) {
    if (one.outputs[0] === result) draft.replace(one, { ...one, inputs: [made.outputs[0]!] })
  }
  return result
}

export const stepsByKind: Readonly<Record<string, Step>> = {
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
  Pow: ({ op, value, make }) => make(op.Pow([value(isFloat).ref, op.scalar(2)]), false),
  Greater: compare('Greater'),
  Less: compare('Less'),
  Equal: compare('Equal'),
  Not: ({ op, value, make }) => make(op.Not([value(({ dtype }) => dtype === 'bool').ref]), true),
  And: ({ op, value, make }) => {
    const a = value(({ dtype }) => dtype === 'bool')
    const b = value(type => type.dtype === 'bool' && broadcasts(type, a))
    make(op.And([a.ref, b.ref]), true)
  },
  Where: ({ op, value, make, below }) => {
    const condition = value(({ dtype }) => dtype === 'bool')
    const a = value(type => isFloat(type) && broadcasts(type, condition))
    make(op.Where([condition.ref, a.ref, op.scalar(below(5) - 2)]), a.exact)
  },
  Cast: ({ op, value, make, below }) => {
    const x = value(type => type.exact)
    const to = [1, 6, 7, 11, 9][below(5)]!
    make(op.Cast([x.ref], { to }), true)
  },
  CastBack: ({ op, value, make }) => make(op.Cast([value(type => type.exact).ref], { to: 1 }), true),
  ReduceMean: reduce('ReduceMean'),
  ReduceSum: reduce('ReduceSum'),
  ReduceMax: reduce('ReduceMax'),
  ReduceMin: reduce('ReduceMin'),
  Clip: ({ op, value, make, below }) => {
    const x = value(isFloat)
    const [low, high] = [op.scalar(below(3) - 2), op.scalar(1 + below(6))]
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
  SizeArithmetic: ({ op, value, make, below }) => {
    const x = value(isRanked)
    const size = op.Slice([op.Shape([x.ref]), op.ints([0]), op.ints([1])])
    const doubled = below(2) === 0 ? op.Mul([size, op.ints([2])]) : op.Add([size, op.ints([1])])
    make(op.Cast([doubled], { to: 1 }), true)
  },
  Flatten: ({ op, value, make, below }) => {
    const x = value(isRanked)
    make(op.Flatten([x.ref], { axis: below(x.shape.length + 1) }), x.exact)
  },
  Squeeze: site => {
    const x = site.value(({ dtype, shape }) => dtype === 'float32' && shape.includes(1))
    site.make(withAxes(site, 'Squeeze', x.ref, [x.shape.indexOf(1)]), x.exact)
  },
  Unsqueeze: site => {
    const x = site.value(isFloat)
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
      isFloat(type) &&
      type.shape.length === x.shape.length &&
      type.shape.every((dim, i) => i === axis || dim === x.shape[i])
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
    const x = value(isFloat)
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
  Pad: ({ op, value, make, below }) => {
    const x = value(isRanked)
    const pads = [...x.shape, ...x.shape].map((_, i) => (i % x.shape.length < x.shape.length - 2 ? 0 : below(3)))
    make(op.Pad([x.ref, op.ints(pads), below(2) === 0 ? null : op.scalar(below(2))]), x.exact)
  },
  Conv: ({ op, value, make, below }) => {
    const x = value(ofRank(4))
    const channels = fixed(x.shape[1])
    const group = below(3) === 0 ? channels : 1
    const kernel = 1 + below(3)
    const w = op.constant(constant([channels * (1 + below(2)), channels / group, kernel, kernel], below(9)))
    const outputs = op.shape(w)[0]!
    const b = below(2) === 0 ? null : op.constant(constant([outputs], below(9)))
    const pads = below(2) === 0 ? [0, 0, 0, 0] : [1, 1, 1, 1]
    make(op.Conv([x.ref, w, b], { group, pads, strides: [1 + below(2), 1] }), false)
  },
  ConvTranspose: ({ op, value, make, below }) => {
    const x = value(ofRank(4))
    const channels = fixed(x.shape[1])
    const w = op.constant(constant([channels, 1 + below(3), 2, 2], below(9)))
    make(op.ConvTranspose([x.ref, w], { strides: [1 + below(2), 1 + below(2)] }), false)
  },
  ConvNorm: ({ op, value, make, below }) => {
    const x = value(ofRank(4))
    const channels = fixed(x.shape[1])
    const w = op.constant(constant([4, channels, 1 + below(2), 1], below(9)))
    const y = op.Conv([x.ref, w])
    if (below(3) === 0) make(y, false)
    const [scale, shift] = [op.constant(constant([4], 1)), op.constant(constant([4], below(5)))]
    const [mean, variance] = [op.constant(constant([4], 3)), op.constant(positive([4], below(5)))]
    make(op.BatchNormalization([y, scale, shift, mean, variance]), false)
  },
  BatchNormalization: ({ op, value, make, below }) => {
    const x = value(type => isFloat(type) && type.shape.length >= 2)
    const c = fixed(x.shape[1])
    const [scale, shift] = [op.constant(constant([c], below(5))), op.constant(constant([c], below(5)))]
    const [mean, variance] = [op.constant(constant([c], 3)), op.constant(positive([c], below(5)))]
    make(op.BatchNormalization([x.ref, scale, shift, mean, variance]), false)
  },
  MaxPool: ({ op, value, make, below }) => {
    const x = value(ofRank(4))
    const pads = below(2) === 0 ? [0, 0, 0, 0] : [1, 1, 0, 0]
    make(op.MaxPool([x.ref], { kernel_shape: [2, 2], strides: [1 + below(2), 1], pads }), x.exact)
  },
  AveragePool: ({ op, value, make, below }) =>
    make(
      op.AveragePool([value(ofRank(4)).ref], {
        kernel_shape: [2, 2],
        pads: below(2) === 0 ? [0, 0, 0, 0] : [1, 1, 1, 1],
        count_include_pad: below(2),
      }),
      false,
    ),
  GlobalAveragePool: ({ op, value, make }) => make(op.GlobalAveragePool([value(ofRank(4)).ref]), false),
  Gemm: ({ op, value, make, below }) => {
    const x = value(ofRank(2))
    const transB = below(2)
    const shape = [fixed(x.shape[1]), 3]
    const w = op.constant(constant(transB ? shape.reverse() : shape, below(9)))
    const c = [null, op.constant(constant([3], 2)), op.constant(constant([1], 2))][below(3)]
    make(op.Gemm([x.ref, w, c], { transB, alpha: [1, 0.5][below(2)]!, beta: [1, 2][below(2)]! }), false)
  },
  MatMul: ({ op, value, make, below }) => {
    const x = value(isRanked)
    const w = op.constant(constant([fixed(x.shape.at(-1)), 1 + below(4)], below(9)))
    const y = op.MatMul([x.ref, w])
    make(y, false)
    if (below(2) === 0) make(op.Add([y, op.constant(constant([op.type(y).shape!.at(-1) as number], 4))]), false)
  },
  LayerNorm: ({ op, value, make, below, opset }) => {
    const x = value(isRanked)
    const c = fixed(x.shape.at(-1))
    const [scale, shift] = [op.constant(constant([c], below(5))), op.constant(constant([c], below(5)))]
    if (opset >= 17 && below(3) === 0) return make(op.LayerNormalization([x.ref, scale, shift]), false)
    if (opset >= 18) throw new Nothing()
    const mean = (y: string) => op.ReduceMean([y], { axes: attribute.ints([-1]) } as never)
    const centred = op.Sub([x.ref, mean(x.ref)])
    const variance = mean(op.Pow([centred, op.scalar(2)]))
    const normal = op.Div([centred, op.Sqrt([op.Add([variance, op.scalar(1e-3)])])])
    make(op.Add([op.Mul([normal, scale]), shift]), false)
  },
  Gelu: ({ op, value, make, below }) => {
    const { ref } = value(isFloat)
    const gate = op.Add([op.Erf([op.Div([ref, op.scalar(Math.SQRT2)])]), op.scalar(1)])
    make(
      below(2) === 0 ? op.Mul([op.Mul([ref, gate]), op.scalar(0.5)]) : op.Mul([op.Mul([ref, op.scalar(0.5)]), gate]),
      false,
    )
  },
  Swish: ({ op, value, make, below }) => {
    const { ref } = value(isFloat)
    const six = op.Clip([op.Add([ref, op.scalar(3)]), op.scalar(0), op.scalar(6)])
    make(below(2) === 0 ? op.Mul([ref, op.Sigmoid([ref])]) : op.Div([op.Mul([ref, six]), op.scalar(6)]), false)
  },
  ConstantOfShape: ({ op, make, below }) => {
    const value = tensor('float32', [1], Float32Array.of(below(4)))
    make(op.ConstantOfShape([op.ints([1 + below(3), 4])], { value: attribute.tensor(value) } as never), true)
  },
  Range: ({ op, make, below }) => {
    const [start, end, by] = [0, 2 + below(4), 1].map(v => op.constant(scalar('int64', v)))
    make(op.Cast([op.Range([start!, end!, by!])], { to: 1 }), true)
  },
  Folded: ({ op, make, below }) => {
    const a = op.constant(constant([4], below(9)))
    make(op.Add([op.Mul([a, op.constant(constant([4], below(9)))]), op.scalar(1)]), true)
  },
  If: site => {
    const { op, draft, value, make, below } = site
    const a = value(isFloat)
    const b = value(type => isFloat(type) && `${type.shape}` === `${a.shape}`)
    const bools = below(2) === 0 ? op.constant(tensor('bool', [], Uint8Array.of(below(2)))) : undefined
    const condition =
      bools ?? op.Greater([op.ReduceMax([value(isExact).ref], { keepdims: 0 }), op.scalar(below(3) - 1)])
    const [yes, no, out] = [draft.fresh('yes'), draft.fresh('no'), draft.fresh('if')]
    const branch = (type: string, name: string) =>
      body(name, [node({ op: type, name, inputs: [a.ref, b.ref], outputs: [name] })], [name])
    const made = node({
      op: 'If',
      name: out,
      inputs: [condition],
      outputs: [out],
      attributes: { then_branch: attribute.graph(branch('Add', yes)), else_branch: attribute.graph(branch('Max', no)) },
    })
    make(emit(site, made, a), a.exact && b.exact)
  },
  Loop: site => {
    const { op, draft, value, make, below } = site
    const a = value(isExact)
    const [iteration, going, state, next, still, out] = ['i', 'going', 'state', 'next', 'still', 'loop'].map(
      draft.fresh,
    )
    const nodes = [
      node({ op: 'Identity', inputs: [going!], outputs: [still!] }),
      node({ op: 'Add', inputs: [state!, a.ref], outputs: [next!] }),
    ]
    const inputs = [
      { name: iteration!, type: { dtype: 'int64' as const, shape: [] } },
      { name: going!, type: { dtype: 'bool' as const, shape: [] } },
      { name: state!, type: { dtype: a.dtype, shape: a.shape } },
    ]
    const trips = op.constant(scalar('int64', below(4)))
    const condition = op.constant(tensor('bool', [], Uint8Array.of(1)))
    const made = node({
      op: 'Loop',
      name: out!,
      inputs: [trips, condition, a.ref],
      outputs: [out!],
      attributes: { body: attribute.graph(body('body', nodes, [still!, next!], inputs)) },
    })
    make(emit(site, made, a), true)
  },
}
