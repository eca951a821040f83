import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { type Body, bodiesOf, type Graph } from '../graph/graph.ts'
import type { Ops } from '../ops/build.ts'
import { rewrite } from './apply.ts'
import { rule } from './rule.ts'
import { type RuleStatistics, recorder } from './trace.ts'
import { ruleKey } from './workshop.ts'

const x = f32('N', 4)

/** `op(inputs) -> outputs` of each node, for short. */
function text(body: Body): string[] {
  return body.nodes.map(n => `${n.op}(${n.inputs}) -> ${n.outputs}`)
}

const dropIdentity = rule({
  name: 'drop-identity',
  match: ({ op, any }) => op.Identity([any('x')]),
  replace: ({ x }) => x,
})

const doubleNegation = rule({
  name: 'drop-double-negation',
  match: ({ op, any }) => op.Neg([op.Neg([any('x')])]),
  replace: ({ x }) => x,
})

const addToSub = rule({
  name: 'add-to-sub',
  match: ({ op, any, constant }) => op.Add([any('x'), constant('c')]),
  replace({ x, c }, { op, decline }) {
    const negated = op.constant(
      float32s(
        c.shape,
        Array.from(c.data as Float32Array, v => -v),
      ),
      'negated',
    )
    const result = op.Sub([x, negated])
    return c.data[0] === 0 ? decline('it adds zero') : result
  },
})

test('a pass that finds nothing gives back the very graph', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Relu([x]) }))
  expect(rewrite('all', [dropIdentity, addToSub])(graph)).toBe(graph)
})

test('a replacement takes over the name of the value it replaces, and says which rule made it', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Relu([op.Add([x, op.scalar(2)])]) }))
  const before = structuredClone(graph)
  const after = rewrite('all', [addToSub])(graph)
  expect(text(after)).toEqual(['Sub(x,negated) -> add', 'Relu(add) -> y'])
  expect(after.nodes[0]!.extra?.metadata?.[ruleKey]).toBe('add-to-sub')
  expect([...after.initializers.keys()]).toEqual(['negated'])
  expect(after.initializers.get('negated')!.data[0]).toBe(-2)
  expect(graph).toEqual(before)
})

test('a rule that declines after building leaves nothing behind, and its reason is heard', () => {
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Add([x, op.scalar(0)]) }))
  const { trace, statistics } = recorder()
  expect(rewrite('all', [addToSub])(graph, trace)).toBe(graph)
  expect(statistics().rules).toMatchObject([
    { rule: 'add-to-sub', hits: 0, declines: { 'it adds zero': ["Add 'add'"] } },
  ])
})

test('a rule that needs a fixed shape declines where a dimension is symbolic', () => {
  const needsShape = rule({
    name: 'needs-shape',
    match: ({ op, any }) => op.Relu([any('x')]),
    replace: ({ x }, { op, decline }) => decline(`${op.shape(x)}`),
  })
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Relu([x]) }))
  const { trace, statistics } = recorder()
  expect(rewrite('all', [needsShape])(graph, trace)).toBe(graph)
  expect(Object.keys(statistics().rules[0]!.declines)[0]).toContain('set its symbolic dimensions')
})

describe('what a rule may not put in the place of a value', () => {
  const replacing = (build: (x: string, op: Ops) => string) =>
    rule({
      name: 'wrong',
      match: ({ op, any }) => op.Relu([any('x')]),
      replace: ({ x }, { op }) => build(x, op),
    })
  const relu = makeGraph({ x }, (op, { x }) => ({ y: op.Exp([op.Relu([x])]) }))

  test.each<[string, string, (x: string, op: Ops) => string]>([
    ['another element type', 'float64[N,4]', (x, op) => op.Cast([x], { to: 11 })],
    ['another rank', 'float32[N,4,1]', (x, op) => op.Unsqueeze([x, op.ints([2])])],
    ['another size', 'float32[N,2]', (x, op) => op.Gather([x, op.ints([0, 1])], { axis: 1 })],
    ['a constant of another rank', 'float32[]', (_, op) => op.scalar(1)],
  ])('%s', (_, type, build) => {
    const { trace, statistics } = recorder()
    expect(rewrite('all', [replacing(build)])(relu, trace)).toBe(relu)
    const reason = `'relu' is float32[N,4], and ${type} would stand for it`
    expect(statistics().rules).toMatchObject([{ hits: 0, declines: { [reason]: ["Relu 'relu'"] }, failures: [] }])
  })

  test('a value that is there already and differs', () => {
    const dropped = rule({
      name: 'drop-sum',
      match: ({ op, any }) => op.Add([any('x'), any()]),
      replace: ({ x }) => x,
    })
    const raised = float32s([1, 1, 1], [0])
    const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Exp([op.Add([x, op.constant(raised)])]) }))
    expect(rewrite('all', [dropped])(graph)).toBe(graph)
  })

  test('sizes that are symbols may be any', () => {
    const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Exp([op.Relu([x])]) }))
    const fixed = rewrite('all', [replacing((_, op) => op.constant(float32s([2, 4], new Array(8).fill(1))))])(graph)
    expect(text(fixed)).toEqual(['Exp(relu) -> y'])
  })

  test('nodes that cannot be: the graph stays, and the trace hears that the rule failed', () => {
    const { trace, statistics } = recorder()
    const wrong = replacing((x, op) => op.MatMul([x, op.constant(float32s([3, 4], new Array(12).fill(1)))]))
    expect(rewrite('all', [wrong])(relu, trace)).toBe(relu)
    const [{ declines, failures }] = statistics().rules as [RuleStatistics]
    expect(failures).toEqual([expect.stringContaining('rows of 4 elements do not multiply columns of 3')])
    expect(Object.keys(declines)).toEqual(failures)
  })

  test('errors that are no answers come through, and so do those of a graph that is broken itself', () => {
    const broken = rule({
      name: 'broken',
      match: ({ op, any }) => op.Relu([any('x')]),
      replace: () => (undefined as unknown as string[])[0]!,
    })
    expect(() => rewrite('all', [broken])(relu)).toThrow(TypeError)
    const impossible = edit(relu, draft => {
      draft.initializers.set('w', float32s([3, 4], new Array(12).fill(1)))
      draft.outputs.push({ name: 'z', type: undefined })
      draft.add({ op: 'MatMul', inputs: ['x', 'w'], outputs: ['z'] })
    })
    const looking = replacing((x, op) => op.Abs([x]))
    expect(() => rewrite('all', [looking])(impossible)).toThrow("MatMul that makes 'z'")
  })
})

test('a new node inherits the name of the node of its operator that it replaces', () => {
  const doubled = rule({
    name: 'double',
    match: ({ op, any }) => op.Neg([op.Relu([any('x')])]),
    replace: ({ x }, { op }) => op.Relu([op.Neg([x])]),
  })
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Neg([op.Relu([x])]) }))
  const named: Graph = { ...graph, nodes: graph.nodes.map(n => ({ ...n, name: `layer/${n.op}` })) }
  const after = rewrite('all', [doubled])(named)
  expect(after.nodes.map(n => [n.op, n.name])).toEqual([
    ['Neg', 'layer/Neg'],
    ['Relu', 'layer/Relu'],
  ])
})

describe('names at the border of the graph', () => {
  test('readers go over to a value that was there before', () => {
    const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Relu([op.Identity([x])]) }))
    expect(text(rewrite('all', [dropIdentity])(graph))).toEqual(['Relu(x) -> y'])
  })

  test('a value that replaces an output of the graph takes over its name, with all its readers', () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const a = op.Relu([x])
      return { y: op.Identity([a]), z: op.Neg([a]) }
    })
    expect(text(rewrite('all', [dropIdentity])(graph))).toEqual(['Relu(x) -> y', 'Neg(y) -> z'])
  })

  test('two outputs of the graph, or an input and an output, stay two names', () => {
    const outputs = makeGraph({ x }, (op, { x }) => {
      const a = op.Relu([x])
      return { a, b: op.Identity([a]), c: op.Identity([a]) }
    })
    const inputs = makeGraph({ x }, (op, { x }) => ({ y: op.Identity([x]) }))
    const constants = makeGraph({ x }, (op, { x }) => ({ y: op.Identity([op.scalar(1)]), z: op.Relu([x]) }))
    for (const graph of [outputs, inputs, constants]) {
      const { trace, statistics } = recorder()
      expect(rewrite('all', [dropIdentity])(graph, trace)).toBe(graph)
      expect(Object.keys(statistics().rules[0]!.declines)[0]).toContain('is an output of the graph')
    }
  })

  test('a constant that replaces an output of the graph goes by its name', () => {
    const fold = rule({
      name: 'fold',
      match: ({ op, constant }) => op.Neg([constant('c')]),
      replace: ({ c }, { op }) =>
        op.constant(
          float32s(
            c.shape,
            Array.from(c.data as Float32Array, v => -v),
          ),
        ),
    })
    const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Neg([op.scalar(5)]), z: op.Relu([x]) }))
    const after = rewrite('all', [fold])(graph)
    expect(text(after)).toEqual(['Relu(x) -> z'])
    expect(after.outputs.map(v => v.name)).toEqual(['y', 'z'])
    expect([...after.initializers]).toMatchObject([['y', { data: Float32Array.of(-5) }]])
  })
})

test('a node of the pattern that something else reads stays', () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const a = op.Neg([x])
    return { y: op.Relu([op.Neg([a])]), z: op.Sigmoid([a]) }
  })
  expect(text(rewrite('all', [doubleNegation])(graph))).toEqual(['Neg(x) -> neg', 'Relu(x) -> y', 'Sigmoid(neg) -> z'])
})

test('one replacement makes room for the next, above and below it', () => {
  const graph = makeGraph({ x }, (op, { x }) => {
    const twice = op.Neg([op.Identity([op.Neg([x])])])
    return { y: op.Relu([op.Neg([op.Neg([op.Identity([twice])])])]) }
  })
  const { trace, statistics } = recorder()
  expect(text(rewrite('all', [doubleNegation, dropIdentity])(graph, trace))).toEqual(['Relu(x) -> y'])
  expect(statistics().rules).toMatchObject([
    { rule: 'drop-identity', hits: 2 },
    { rule: 'drop-double-negation', hits: 2 },
  ])
})

test('a value read twice by one node is not read once', () => {
  const square = rule({
    name: 'once-only',
    match: ({ op, any }) => op.Mul([op.Relu([any('x')]).once(), any('y')]),
    replace: ({ x, y }, { op }) => op.Mul([x, y]),
  })
  const graph = makeGraph({ x }, (op, { x }) => {
    const a = op.Relu([x])
    return { y: op.Mul([a, a]) }
  })
  expect(rewrite('all', [square])(graph)).toBe(graph)
})

describe('nodes with several outputs', () => {
  const splitToGather = rule({
    name: 'split-to-gather',
    match: ({ op, any }) => op.Split([any('x')]),
    replace: ({ x }, { op }) => [op.Gather([x, op.ints([0, 1])], { axis: 1 }), null],
  })
  const halves = (use: (op: never, halves: readonly string[]) => Record<string, string>) =>
    makeGraph({ x }, (op, { x }) => use(op as never, op.many('Split', 2, [x], { axis: 1, num_outputs: 2 })))

  test('an output that is read must be replaced', () => {
    const graph = halves((_, [a, b]) => ({ a: a!, b: b! }))
    const { trace, statistics } = recorder()
    expect(rewrite('all', [splitToGather])(graph, trace)).toBe(graph)
    expect(Object.keys(statistics().rules[0]!.declines)[0]).toContain("its output 'b' is read")
  })

  test('an output that nothing reads need not be', () => {
    const graph = halves((_, [a]) => ({ a: a! }))
    expect(text(rewrite('all', [splitToGather])(graph))).toEqual(['Gather(x,ints) -> a'])
  })
})

describe('bodies of nodes', () => {
  const branch = (op: string, input: string): Body => ({
    name: op,
    inputs: [],
    outputs: [{ name: `${op}_out`, type: x }],
    initializers: new Map(),
    types: new Map(),
    nodes: [
      node({ op: 'Identity', inputs: [input], outputs: [`${op}_in`] }),
      node({ op: 'Add', inputs: [`${op}_in`, 'two'], outputs: [`${op}_sum`] }),
      node({ op, inputs: [`${op}_sum`], outputs: [`${op}_out`] }),
    ],
  })
  const graph = edit(
    makeGraph({ x }, (op, { x }) => ({ a: op.Identity([op.Neg([x])]) })),
    draft => {
      draft.inputs.push({ name: 'condition', type: { dtype: 'bool', shape: [] } })
      draft.outputs.push({ name: 'y', type: x })
      draft.initializers.set('two', float32s([], [2]))
      draft.initializers.set('negated', float32s([], [7]))
      draft.add({ op: 'Identity', inputs: ['a'], outputs: ['inner'] })
      draft.add({
        op: 'If',
        inputs: ['condition'],
        outputs: ['y'],
        attributes: {
          then_branch: attribute.graph(branch('Relu', 'inner')),
          else_branch: attribute.graph(branch('Exp', 'negated')),
        },
      })
    },
  )

  test('rules apply inside, see constants around, and give no name that stands anywhere else', () => {
    const after = rewrite('all', [dropIdentity, addToSub])(graph)
    const [then, otherwise] = after.nodes.flatMap(bodiesOf)
    expect(text(then!)).toEqual(['Sub(a,negated_1) -> Relu_sum', 'Relu(Relu_sum) -> Relu_out'])
    expect(text(otherwise!)).toEqual(['Sub(negated,negated_2) -> Exp_sum', 'Exp(Exp_sum) -> Exp_out'])
    expect([...then!.initializers.keys()]).toEqual(['negated_1'])
    expect(text(after)).toEqual(['Neg(x) -> a', 'If(condition) -> y'])
    expect([...after.initializers.keys()]).toEqual(['negated'])
  })
})

test('what earlier rules made has a type for later ones', () => {
  const first = rule({
    name: 'first',
    match: ({ op, any }) => op.Neg([any('x')]),
    replace: ({ x }, { op }) => op.Relu([op.Transpose([x], { perm: [1, 0] })]),
  })
  const seen: unknown[] = []
  const second = rule({
    name: 'second',
    match: ({ op, any }) => op.Relu([any('x')]),
    replace({ x }, { type, decline }) {
      seen.push(type(x)?.shape)
      return decline('only looking')
    },
  })
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Neg([x]) }))
  rewrite('all', [first, second])(graph)
  expect(seen).toEqual([[4, 'N']])
})

test('what earlier rules made from constants of their own has a type, too', () => {
  const first = rule({
    name: 'first',
    match: ({ op, any }) => op.Neg([any('x')]),
    replace: ({ x }, { op }) => op.Sub([x, op.Relu([op.constant(float32s([1, 4], [1, 2, 3, 4]))])]),
  })
  const wrong = rule({
    name: 'wrong',
    match: ({ op, any }) => op.Sub([any(), any('part')]),
    replace: ({ part }) => part,
  })
  const graph = makeGraph({ x: f32(3, 4) }, (op, { x }) => ({ y: op.Exp([op.Neg([x])]) }))
  expect(text(rewrite('all', [first, wrong])(graph))).toEqual([
    'Relu(constant) -> relu',
    'Sub(x,relu) -> neg',
    'Exp(neg) -> y',
  ])
})

test('rules that undo one another are stopped, and the trace hears where', () => {
  const subToAdd = rule({
    name: 'sub-to-add',
    match: ({ op, any, constant }) => op.Sub([any('x'), constant('c')]),
    replace: ({ x, c }, { op }) => op.Add([x, op.constant(float32s(c.shape, c.data as Float32Array))]),
  })
  const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Add([x, op.scalar(1)]) }))
  const { trace, statistics } = recorder()
  const after = rewrite('all', [addToSub, subToAdd])(graph, trace)
  expect(after.nodes).toHaveLength(1)
  expect(statistics().unsettled).toEqual([expect.stringMatching(/^rules that undo one another at (Add|Sub)/)])
})
