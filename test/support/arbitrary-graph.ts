import fc from 'fast-check'
import { arrayLength, arrayOf, byteLength, type DType, dtypes } from '../../src/base/dtype.ts'
import type { ValueType } from '../../src/base/shape.ts'
import type { Tensor } from '../../src/base/tensor.ts'
import type { Attribute, AttributeValue, Body, Extra, Graph, Node, SparseTensor, Value } from '../../src/graph/graph.ts'

/** Texts that a file can hold: whole characters, any of them. */
const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
const key = fc.stringMatching(/^[a-z][a-z_]{0,8}$/)

/** A field that no version of the format has: number 1000, a varint. */
const unknown = fc.nat(127).map(value => Uint8Array.of(0xc0, 0x3e, value))

const extra: fc.Arbitrary<Extra> = fc
  .record(
    { doc: name, metadata: fc.dictionary(key, text, { minKeys: 1, maxKeys: 2 }), unknown },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map(parts => ({ ...parts, ...(parts.metadata && { metadata: { ...parts.metadata } }) }))

/** Now and then an extra, where one may stand. */
function withExtra<T extends object>(value: fc.Arbitrary<T>, part: fc.Arbitrary<Extra> = extra): fc.Arbitrary<T> {
  return fc
    .tuple(value, fc.option(part, { freq: 3, nil: {} }))
    .map(([v, e]) => (Object.keys(e).length > 0 ? { ...v, extra: e } : v))
}

function tensorOf(dtype: DType, shape: readonly number[]): fc.Arbitrary<Tensor> {
  const count = shape.reduce((product, size) => product * size, 1)
  if (dtype === 'string') {
    return fc.array(text, { minLength: count, maxLength: count }).map(data => ({ dtype, shape, data }))
  }
  const length = byteLength(dtype, count)
  return fc.uint8Array({ minLength: length, maxLength: length }).map(bytes => {
    const data = new (arrayOf(dtype)!)(new Uint8Array(bytes).buffer, 0, arrayLength(dtype, count))
    return { dtype, shape, data } as Tensor
  })
}

const shape = fc.array(fc.nat(3), { maxLength: 3 })
const dtype = fc.constantFrom(...dtypes)

export const tensor: fc.Arbitrary<Tensor> = fc.tuple(dtype, shape).chain(([d, s]) => tensorOf(d, s))

const sparse: fc.Arbitrary<SparseTensor> = fc.record(
  {
    shape,
    values: fc.nat(3).chain(n => tensorOf('float32', [n])),
    indices: fc.nat(3).chain(n => tensorOf('int64', [n]) as fc.Arbitrary<Tensor<'int64'>>),
  },
  { noNullPrototype: true },
)

const tensorType = fc.record(
  { dtype, shape: fc.option(fc.array(fc.oneof(fc.nat(9), text), { maxLength: 3 }), { nil: undefined }) },
  { noNullPrototype: true },
)

const valueType: fc.Arbitrary<ValueType> = fc.letrec<{ type: ValueType }>(tie => ({
  type: fc.oneof(
    { maxDepth: 2 },
    tensorType,
    tensorType.map(type => ({ sparse: type })),
    tie('type').map(sequence => ({ sequence })),
    tie('type').map(optional => ({ optional })),
    fc.tuple(dtype, tie('type')).map(([k, value]) => ({ key: k, value })),
  ),
})).type

const float = fc.float()
const int = fc
  .bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  .map(value => (Number.isSafeInteger(Number(value)) ? Number(value) : value))
const smallInt = fc.oneof(int, fc.integer())
const invalidUtf8 = fc.uint8Array({ maxLength: 4 }).map(bytes => Uint8Array.of(0xff, ...bytes))

function attribute(depth: number): fc.Arbitrary<Attribute> {
  const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 })
  const plain: fc.Arbitrary<AttributeValue> = fc.oneof(
    float.map(value => ({ type: 'float' as const, value })),
    smallInt.map(value => ({ type: 'int' as const, value })),
    text.map(value => ({ type: 'string' as const, value })),
    invalidUtf8.map(value => ({ type: 'bytes' as const, value })),
    tensor.map(value => ({ type: 'tensor' as const, value })),
    sparse.map(value => ({ type: 'sparse' as const, value })),
    valueType.map(value => ({ type: 'type' as const, value })),
    list(float).map(value => ({ type: 'floats' as const, value })),
    list(smallInt).map(value => ({ type: 'ints' as const, value })),
    list(text).map(value => ({ type: 'strings' as const, value })),
    list(tensor).map(value => ({ type: 'tensors' as const, value })),
    list(sparse).map(value => ({ type: 'sparses' as const, value })),
    list(valueType).map(value => ({ type: 'types' as const, value })),
  )
  const any: fc.Arbitrary<AttributeValue> =
    depth === 0
      ? plain
      : fc.oneof(
          { arbitrary: plain, weight: 6 },
          { arbitrary: body(depth - 1).map(value => ({ type: 'graph' as const, value })), weight: 1 },
          { arbitrary: list(body(depth - 1)).map(value => ({ type: 'graphs' as const, value })), weight: 1 },
        )
  return withExtra(
    any,
    extra.map(({ metadata: _, ...parts }) => parts),
  )
}

/** Nodes whose outputs have names of their own and which read what stands before them. */
function nodes(prefix: string, depth: number): fc.Arbitrary<readonly Node[]> {
  const parts = fc.record({
    op: name,
    domain: fc.constantFrom('', 'com.example'),
    name: text,
    reads: fc.array(fc.nat(5), { maxLength: 3 }),
    outputs: fc.integer({ min: 1, max: 2 }),
    attributes: fc.dictionary(key, attribute(depth), { maxKeys: 3 }),
    overload: fc.option(name, { freq: 5, nil: undefined }),
  })
  const built = fc.array(withExtra(parts), { maxLength: 4 }).map(list =>
    list.map((part, i): Node => {
      const { reads, outputs, overload, attributes, ...node } = part
      return {
        ...node,
        inputs: reads.map(r => (r >= i ? '' : `${prefix}${r}_0`)),
        outputs: Array.from({ length: outputs }, (_, j) => `${prefix}${i}_${j}`),
        attributes: { ...attributes },
        ...(overload !== undefined && { overload }),
      }
    }),
  )
  return built
}

function value(names: fc.Arbitrary<string>): fc.Arbitrary<Value> {
  return withExtra(
    fc.record({ name: names, type: fc.option(valueType, { nil: undefined }) }, { noNullPrototype: true }),
  )
}

function body(depth: number): fc.Arbitrary<Body> {
  const parts = fc.record({
    name: text,
    inputs: fc.array(value(text), { maxLength: 2 }),
    outputs: fc.array(value(text), { maxLength: 2 }),
    nodes: nodes(`depth${depth}_`, depth),
    initializers: fc.array(fc.tuple(name, tensor), { maxLength: 3 }).map(entries => new Map(entries)),
    sparse: fc.array(fc.tuple(name, sparse), { maxLength: 1 }),
    types: fc.array(fc.tuple(name, valueType), { maxLength: 2 }).map(entries => new Map(entries)),
  })
  return withExtra(parts).map(({ sparse: entries, ...rest }) => {
    const sparseInitializers = new Map(entries.filter(([n]) => !rest.initializers.has(n)))
    return { ...rest, ...(sparseInitializers.size > 0 && { sparseInitializers }) }
  })
}

/** Graphs that an ONNX file can say, most of them nonsense as networks: every kind of attribute, type, tensor and extra. */
export const graph: fc.Arbitrary<Graph> = fc
  .record({
    body: body(2),
    opset: fc.dictionary(key, fc.nat(30), { maxKeys: 2 }).map(sets => ({ '': 21, ...sets })),
    metadata: fc.dictionary(key, text, { maxKeys: 2 }).map(entries => ({ ...entries })),
    producer: fc.option(fc.record({ name, version: text }, { noNullPrototype: true }), { nil: undefined }),
    irVersion: fc.integer({ min: 4, max: 10 }),
    modelExtra: fc.option(
      extra.map(({ metadata: _, ...parts }) => parts),
      { nil: undefined },
    ),
  })
  .map(({ body: inner, producer, modelExtra, ...rest }) => ({
    ...inner,
    ...rest,
    ...(producer && { producer }),
    ...(modelExtra && Object.keys(modelExtra).length > 0 && { modelExtra }),
  }))
