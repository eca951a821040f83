import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, scalar } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { rewrite } from './apply.ts'
import type { Pattern, Vocabulary } from './pattern.ts'
import { rule } from './rule.ts'

/** What a pattern captures wherever it is found in a graph. */
function find<C>(graph: Graph, match: (v: Vocabulary) => Pattern<C>): C[] {
  const found: C[] = []
  const look = rule({
    name: 'look',
    match,
    replace(captures, { decline }) {
      found.push(captures)
      return decline('only looking')
    },
  })
  expect(rewrite('look', [look])(graph)).toBe(graph)
  return found
}

const x = f32('N', 4)

test('a pattern captures values, constants and nodes by name, with attributes typed and defaults filled in', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({
    y: op.Relu([op.Gemm([x, op.constant(float32s([4, 3], Array(12).fill(1)), 'w')], { alpha: 2 })]),
  }))
  const [found, ...others] = find(graph, ({ op, any, constant, maybe }) =>
    op.Relu([op.Gemm([any('x'), constant('w'), maybe('b')]).as('gemm')]).as('relu'),
  )
  expect(others).toEqual([])
  expect(found!.x).toBe('x')
  expect(found!.b).toBe(null)
  expect(found!.w).toMatchObject({ ref: 'w', shape: [4, 3] })
  expect(found!.w.data[0]).toBe(1)
  expect(found!.gemm).toMatchObject({ type: 'Gemm', attributes: { alpha: 2, beta: 1, transB: 0 } })
  expect(found!.relu.node.outputs).toEqual(['y'])
})

test('operands that commute match in either order, others only as written', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({
    a: op.Add([x, op.scalar(1)]),
    b: op.Add([op.scalar(2), x]),
    c: op.Sub([x, op.scalar(3)]),
    d: op.Sub([op.scalar(4), x]),
  }))
  const at = (found: readonly { c: { data: ArrayLike<unknown> } }[]) => found.map(({ c }) => c.data[0])
  expect(at(find(graph, ({ op, any, constant }) => op.Add([constant('c'), any('x')])))).toEqual([1, 2])
  expect(at(find(graph, ({ op, any, constant }) => op.Sub([constant('c'), any('x')])))).toEqual([4])
})

test('a name that stands twice is one value, and a match that fails later on is tried the other way round', () => {
  const graph = makeGraph({ x, y: x }, (op, { x, y }) => ({
    same: op.Mul([op.Add([y, x]), x]),
    other: op.Sub([op.Add([y, x]), op.Relu([x])]),
  }))
  expect(find(graph, ({ op, any }) => op.Mul([op.Add([any('a'), any('b')]), any('a')]))).toEqual([{ a: 'x', b: 'y' }])
  expect(find(graph, ({ op, any }) => op.Sub([op.Add([any('a'), any('b')]), any('a')]))).toEqual([])
})

test('once() asks for a value that nothing else reads and the graph does not put out', () => {
  const chain = (also: (op: Parameters<Parameters<typeof makeGraph>[1]>[0], a: string) => Record<string, string>) =>
    makeGraph({ x }, (op, { x }) => {
      const a = op.Add([x, op.scalar(1)])
      return { y: op.Relu([a]), ...also(op, a) }
    })
  const looks = (graph: Graph) =>
    find(graph, ({ op, any, constant }) => op.Relu([op.Add([any(), constant()]).once()]).as('relu')).length
  expect(looks(chain(() => ({})))).toBe(1)
  expect(looks(chain((op, a) => ({ z: op.Sub([a, op.scalar(1)]) })))).toBe(0)
  expect(looks(chain((_, a) => ({ a })))).toBe(0)
})

test('where() tests attributes; constant() tests its tensor', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({
    a: op.Softmax([x], { axis: 0 }),
    b: op.Softmax([x]),
    c: op.Mul([x, op.scalar(1)]),
    d: op.Mul([x, op.scalar(2)]),
  }))
  const last = find(graph, ({ op, any }) =>
    op
      .Softmax([any('x')])
      .where(({ axis }) => axis === -1)
      .as('softmax'),
  )
  expect(last.map(({ softmax }) => softmax.node.outputs)).toEqual([['b']])
  const one = find(graph, ({ op, any, constant }) => op.Mul([any('x'), constant('c', t => t.data[0] === 1)]).as('mul'))
  expect(one.map(({ mul }) => mul.node.outputs)).toEqual([['c']])
})

test('either() takes the first pattern that fits, and tells which by the node type', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({ a: op.Relu([op.Sigmoid([x])]), b: op.Relu([op.Tanh([x])]) }))
  const found = find(graph, ({ op, any, either }) =>
    op.Relu([either(op.Sigmoid([any('x')]).as('inner'), op.Tanh([any('x')]).as('inner'))]),
  )
  expect(found.map(({ inner }) => inner.type)).toEqual(['Sigmoid', 'Tanh'])
})

test('an optional input matches as null or as its pattern, never beyond what the pattern lists', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({
    none: op.Clip([x]),
    upper: op.Clip([x, null, op.scalar(6)]),
  }))
  const found = find(graph, ({ op, any, constant, maybe }) =>
    op.Clip([any('x'), maybe(constant('low')), maybe(constant('high'))]),
  )
  expect(found).toMatchObject([
    { low: null, high: null },
    { low: null, high: { shape: [] } },
  ])
  expect(find(graph, ({ op, any }) => op.Clip([any('x')]).as('clip')).map(({ clip }) => clip.node.outputs)).toEqual([
    ['none'],
  ])
})

test('rest() captures all inputs that are left', () => {
  const graph = makeGraph({ x, y: x }, (op, { x, y }) => ({ z: op.Concat([x, y, x], { axis: 0 }) }))
  expect(find(graph, ({ op, any, rest }) => op.Concat([any('first'), rest('others')]))).toEqual([
    { first: 'x', others: ['y', 'x'] },
  ])
})

test('output() looks at another output than the first', () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const [left, right] = op.many('Split', 2, [x], { axis: 1, num_outputs: 2 })
    return { a: op.Relu([left!]), b: op.Relu([right!]) }
  })
  const found = find(graph, ({ op, any }) => op.Relu([op.Split([any('x')]).output(1)]).as('relu'))
  expect(found.map(({ relu }) => relu.node.outputs)).toEqual([['b']])
})

test('a Constant node is a constant; an initializer that a caller can override is not', () => {
  const fixed = makeGraph({ x }, (op, { x }) => ({
    y: op.Add([x, op.Constant([], { value: scalar('float32', 3) })]),
  }))
  const adds = (graph: Graph) => find(graph, ({ op, any, constant }) => op.Add([any('x'), constant('c')]))
  expect(adds(fixed).map(({ c }) => c.data[0])).toEqual([3])
  const plain = makeGraph({ x }, (op, { x }) => ({ y: op.Add([x, op.scalar(1)]) }))
  expect(adds(plain)).toHaveLength(1)
  const overridable: Graph = { ...plain, inputs: [...plain.inputs, { name: 'scalar', type: f32() }] }
  expect(adds(overridable)).toHaveLength(0)
})
