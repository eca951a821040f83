import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs, run } from '../../../test/support/same-outputs.ts'
import type { DType } from '../../base/dtype.ts'
import { fromNumbers, numbers } from '../../base/tensor.ts'
import { attribute } from '../../graph/attributes.ts'
import { node } from '../../graph/edit.ts'
import { type Body, bodiesOf, type Graph } from '../../graph/graph.ts'
import type { Ops } from '../../ops/build.ts'
import { simplify } from '../index.ts'

const operators = (graph: Graph) => graph.nodes.map(node => node.op).join(' ')

/** A constant that counts up from 1, or of the numbers given. */
function c(op: Ops, dtype: DType, shape: readonly number[], values?: readonly number[]) {
  const count = shape.reduce((a, b) => a * b, 1)
  return op.constant(fromNumbers(dtype, shape, values ?? Array.from({ length: count }, (_, i) => i + 1)), 'c')
}

describe('a quotient of whole numbers is rounded, and stays where it is', () => {
  test.each(['int32', 'int64'] as const)('%s', async dtype => {
    const graph = makeGraph({ x: { dtype, shape: [2, 3] } }, (op, { x }) => ({
      y: op.Div([op.MatMul([x, c(op, dtype, [3, 2], [1, 2, 3, 4, 5, 7])]), op.scalar(2, dtype)]),
    }))
    const after = simplify()(graph)
    const feeds = { x: fromNumbers(dtype, [2, 3], [1, -2, 3, 4, 5, -6]) }
    const [expected, actual] = [await run(graph, feeds), await run(after, feeds)]
    expect(actual.y!.data).toEqual(expected.y!.data)
  })
})

describe('a constant that gives a value its channels stays', () => {
  const image = (op: Ops, scaled: string) => op.Conv([scaled, c(op, 'float32', [2, 3, 3, 3])])
  const norm = (op: Ops, x: string) => {
    const list = () => c(op, 'float32', [3])
    return op.BatchNormalization([x, list(), list(), list(), list()])
  }
  const perChannel = (op: Ops) => c(op, 'float32', [3, 1, 1])
  const cases: Record<string, Graph> = {
    'before Conv': makeGraph({ x: f32('N', 1, 5, 5) }, (op, { x }) => ({ y: image(op, op.Mul([x, perChannel(op)])) })),
    'shifted before Conv': makeGraph({ x: f32('N', 1, 5, 5) }, (op, { x }) => ({
      y: image(op, op.Add([x, perChannel(op)])),
    })),
    'scaled and shifted before padded Conv': makeGraph({ x: f32('N', 1, 5, 5) }, (op, { x }) => ({
      y: op.Conv([op.Add([op.Mul([x, perChannel(op)]), perChannel(op)]), c(op, 'float32', [2, 3, 3, 3])], {
        pads: [1, 1, 1, 1],
      }),
    })),
    'before MatMul': makeGraph({ x: f32('N', 1) }, (op, { x }) => ({
      y: op.MatMul([op.Mul([x, c(op, 'float32', [3])]), c(op, 'float32', [3, 4])]),
    })),
    'before BatchNormalization': makeGraph({ x: f32('N', 1, 5, 5) }, (op, { x }) => ({
      y: norm(op, op.Mul([x, perChannel(op)])),
    })),
    'a dimension before BatchNormalization': makeGraph({ x: f32(3) }, (op, { x }) => ({
      y: norm(op, op.Mul([x, c(op, 'float32', [1, 1])])),
    })),
  }
  test.each(Object.entries(cases))('%s', async (_, graph) => {
    await expectSameOutputs(simplify()(graph), graph)
  })

  test('where the size is open', async () => {
    const graph = makeGraph({ x: f32('N', 'K') }, (op, { x }) => ({
      y: op.MatMul([op.Mul([x, c(op, 'float32', [3])]), c(op, 'float32', [3, 4])]),
    }))
    const after = simplify()(graph)
    const feeds = { x: fromNumbers('float32', [2, 1], [1, -2]) }
    const [expected, actual] = [await run(graph, feeds), await run(after, feeds)]
    expect(actual.y).toEqual(expected.y)
  })

  test('but moves where the value has them', () => {
    const graph = makeGraph({ x: f32('N', 3, 5, 5) }, (op, { x }) => ({ y: image(op, op.Mul([x, perChannel(op)])) }))
    expect(operators(simplify()(graph))).toBe('Conv')
  })
})

describe('adding much and taking it away again rounds', () => {
  const rounding = (op: Ops, x: string, much: number) => op.Sub([op.Add([x, op.scalar(much)]), op.scalar(much)])
  test.each([12582912, 786432])('%i', async much => {
    const graph = makeGraph({ x: f32('N', 3) }, (op, { x }) => ({ y: op.Relu([rounding(op, op.Relu([x]), much)]) }))
    const feeds = { x: fromNumbers('float32', [1, 3], [1.42, 0.61, 2.73]) }
    const expected = await run(graph, feeds)
    expect((await run(simplify()(graph), feeds)).y).toEqual(expected.y)
    expect(numbers(expected.y!)[0]).not.toBeCloseTo(1.42, 5)
  })

  test('after a product, too', async () => {
    const graph = makeGraph({ x: f32('N', 3) }, (op, { x }) => ({
      y: rounding(op, op.MatMul([x, c(op, 'float32', [3, 2])]), 12582912),
    }))
    await expectSameOutputs(simplify()(graph), graph)
  })

  test('but a little goes', () => {
    const graph = makeGraph({ x: f32('N', 3) }, (op, { x }) => ({ y: op.Relu([rounding(op, op.Relu([x]), 16)]) }))
    expect(operators(simplify()(graph))).toBe('Relu')
  })
})

describe('products of whole numbers stay as the engine has them', () => {
  test.each(['int32', 'int64'] as const)('%s', async dtype => {
    const type = (...shape: number[]) => ({ dtype, shape })
    const graph = makeGraph({ a: type(2, 3), b: type(4, 3), c: type(4) }, (op, { a, b, c }) => ({
      y: op.Add([op.MatMul([a, op.Transpose([b], { perm: [1, 0] })]), c]),
    }))
    await expectSameOutputs(simplify()(graph), graph)
  })
})

test('infinities that are made finite stay finite', async () => {
  const largest = 3.4028234663852886e38
  const graph = makeGraph({ x: f32(4) }, (op, { x }) => {
    const tamed = op.Clip([x, op.scalar(-largest), op.scalar(largest)])
    return { y: op.Clip([tamed, op.scalar(0), null]), z: op.Pow([x, op.scalar(0.5)]) }
  })
  const feeds = { x: fromNumbers('float32', [4], [Number.NEGATIVE_INFINITY, -1, 4, Number.POSITIVE_INFINITY]) }
  const after = simplify()(graph)
  expect(operators(after)).toBe('Clip Pow')
  expect(await run(after, feeds)).toEqual(await run(graph, feeds))
})

test('products side by side become one in branches, too', async () => {
  /** Three products of x with weights of the graph around, summed up. */
  const branch = (name: string, op: string): Body => ({
    name,
    inputs: [],
    outputs: [{ name: `${name}_end`, type: undefined }],
    initializers: new Map(),
    types: new Map(),
    nodes: [
      ...[1, 2, 3].flatMap(i => [
        node({ op: 'MatMul', inputs: ['x', `w${i}_${name}`], outputs: [`p${i}_${name}`] }),
        node({ op, inputs: [`p${i}_${name}`], outputs: [`q${i}_${name}`] }),
      ]),
      node({ op: 'Sum', inputs: [1, 2, 3].map(i => `q${i}_${name}`), outputs: [`${name}_end`] }),
    ],
  })
  const start = makeGraph({ x: f32('N', 3), c: { dtype: 'bool', shape: [] } }, (op, { x }) => ({ y: op.Relu([x]) }))
  const bodies = [branch('then', 'Sin'), branch('else', 'Cos')] as const
  const weights = bodies.flatMap(({ name }) =>
    [1, 2, 3].map(
      i =>
        [
          `w${i}_${name}`,
          fromNumbers(
            'float32',
            [3, 4],
            Array.from({ length: 12 }, (_, k) => k * i),
          ),
        ] as const,
    ),
  )
  const choice = node({
    op: 'If',
    inputs: ['c'],
    outputs: ['y'],
    attributes: { then_branch: attribute.graph(bodies[0]), else_branch: attribute.graph(bodies[1]) },
  })
  const graph: Graph = {
    ...start,
    nodes: [choice],
    outputs: [{ name: 'y', type: undefined }],
    initializers: new Map(weights),
  }
  const after = simplify()(graph)
  for (const body of bodiesOf(after.nodes[0]!)) {
    expect(body.nodes.filter(({ op }) => op === 'MatMul')).toHaveLength(1)
  }
  for (const truth of [0, 1]) {
    const feeds = { x: fromNumbers('float32', [2, 3], [1, 2, 3, -1, 0, 1]), c: fromNumbers('bool', [], [truth]) }
    const [expected, actual] = [await run(graph, feeds), await run(after, feeds)]
    const [got, wanted] = [actual, expected].map(({ y }) => Array.from(numbers(y!))) as [number[], number[]]
    for (const [i, value] of got.entries()) expect(value).toBeCloseTo(wanted[i]!, 4)
  }
})
