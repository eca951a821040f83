import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs, run } from '../../../test/support/same-outputs.ts'
import { float32s, fromNumbers, type Tensor } from '../../base/tensor.ts'
import { attribute } from '../../graph/attributes.ts'
import { type NewNode, node } from '../../graph/edit.ts'
import { type Body, bodiesOf, type Graph } from '../../graph/graph.ts'
import { simplify } from '../index.ts'
import { dropFailingBranches } from './drop-failing-branches.ts'
import { hoist } from './hoist.ts'
import { inlineBranches } from './inline-branches.ts'
import { unrollLoops } from './unroll-loops.ts'

const x = f32('N', 3)
const bool = { dtype: 'bool', shape: [] } as const
const whole = { dtype: 'int64', shape: [] } as const
const operators = (body: Body) => body.nodes.map(one => one.op)

type Line = readonly [
  op: string,
  inputs: readonly string[],
  output: string | readonly string[],
  attributes?: NewNode['attributes'],
]

/** A body in one line a node. Nodes of different bodies have the same names. */
function body(
  lines: readonly Line[],
  outputs: readonly string[],
  inputs: Body['inputs'] = [],
  held: readonly (readonly [string, Tensor])[] = [],
): Body {
  const nodes = lines.map(([op, reads, made, attributes = {}], i) =>
    node({ op, name: `${op} ${i}`, inputs: reads, outputs: [made].flat(), attributes }),
  )
  return {
    name: 'body',
    inputs,
    outputs: outputs.map(name => ({ name, type: undefined })),
    nodes,
    initializers: new Map(held),
    types: new Map(),
  }
}

/** A graph from x, and the initializers given, to the outputs named. */
function graphOf(
  lines: readonly Line[],
  outputs: readonly string[],
  held: readonly (readonly [string, Tensor])[] = [],
): Graph {
  const empty = makeGraph({ x }, (op, { x }) => ({ unused: op.Relu([x]) }))
  return { ...empty, ...body(lines, outputs, [{ name: 'x', type: x }], held) }
}

const choice = (condition: string, then: Body, otherwise: Body, outputs: string | readonly string[]): Line => [
  'If',
  [condition],
  outputs,
  { then_branch: attribute.graph(then), else_branch: attribute.graph(otherwise) },
]

const truth = (value: number) => fromNumbers('bool', [], [value])
const count = (value: number) => fromNumbers('int64', [], [value])
/** Whether the elements of x sum up to more than 0. */
const condition: readonly Line[] = [
  ['ReduceSum', ['x'], 'sum', { keepdims: attribute.int(0) }],
  ['Greater', ['sum', 'zero'], 'c'],
]
const zero = ['zero', float32s([], [0])] as const

describe('inline-branches', () => {
  test('a branch that is always taken stands where the If was, names kept apart', async () => {
    const then = body(
      [
        ['Exp', ['x'], 'inner'],
        ['Add', ['inner', 'w'], 'then'],
      ],
      ['then'],
      [],
      [['w', float32s([3], [1, 2, 3])]],
    )
    const otherwise = body([['Neg', ['x'], 'else']], ['else'])
    const graph = graphOf(
      [choice('yes', then, otherwise, 'a'), choice('no', otherwise, then, 'b'), ['Sub', ['a', 'b'], 'y']],
      ['y'],
      [
        ['yes', truth(1)],
        ['no', truth(0)],
      ],
    )
    const after = inlineBranches(graph)
    expect(operators(after)).toEqual(['Exp', 'Add', 'Identity', 'Exp', 'Add', 'Identity', 'Sub'])
    await expectSameOutputs(after, graph)
    expect(operators(simplify()(graph))).toEqual(['Exp', 'Add', 'Sub'])
  })

  test('inside of a branch its condition is decided, and the opposite too', async () => {
    const inner = body(
      [
        ['Not', ['c'], 'not'],
        choice('c', body([['Exp', ['x'], 'p']], ['p']), body([['Sin', ['x'], 'q']], ['q']), 'r'),
        choice('not', body([['Cos', ['r'], 's']], ['s']), body([['Abs', ['r'], 't']], ['t']), 'then'),
      ],
      ['then'],
    )
    const graph = graphOf(
      [...condition, choice('c', inner, body([['Neg', ['x'], 'else']], ['else']), 'y')],
      ['y'],
      [zero],
    )
    const after = inlineBranches(graph)
    const [then] = bodiesOf(after.nodes.at(-1)!)
    expect(operators(then!)).toEqual(['Not', 'Exp', 'Identity', 'Abs', 'Identity'])
    await expectSameOutputs(after, graph)
    expect(inlineBranches(after)).toBe(after)
  })

  test('a branch follows from sizes that are known', async () => {
    const then = body([['Exp', ['x'], 'then']], ['then'])
    const graph = graphOf(
      [
        ['Shape', ['x'], 'sizes'],
        ['Gather', ['sizes', 'one'], 'size'],
        ['Equal', ['size', 'three'], 'c'],
        choice('c', then, body([['Neg', ['x'], 'else']], ['else']), 'y'),
      ],
      ['y'],
      [
        ['one', count(1)],
        ['three', count(3)],
      ],
    )
    const after = simplify()(graph)
    expect(operators(after)).toEqual(['Exp'])
    await expectSameOutputs(after, graph)
  })

  test('a condition that callers may override decides nothing', () => {
    const then = body([['Exp', ['x'], 'then']], ['then'])
    const graph = graphOf(
      [choice('yes', then, body([['Neg', ['x'], 'else']], ['else']), 'y')],
      ['y'],
      [['yes', truth(1)]],
    )
    const overridable: Graph = { ...graph, inputs: [...graph.inputs, { name: 'yes', type: bool }] }
    expect(inlineBranches(overridable)).toBe(overridable)
  })
})

describe('drop-failing-branches', () => {
  const weights = (name: string, rows: number) =>
    [
      name,
      float32s(
        [rows, 1],
        Array.from({ length: rows }, (_, i) => i + 1),
      ),
    ] as const
  /** Multiplies x [N, 3] by so many rows. */
  const times = (rows: number, name = 'y') =>
    body([['MatMul', ['x', `w${rows}`], name]], [name], [], [weights(`w${rows}`, rows)])

  test('the branch that fits stands where the If was, in branches too', () => {
    const fits = graphOf([...condition, choice('c', times(3, 'then'), times(5, 'else'), 'y')], ['y'], [zero])
    const after = dropFailingBranches(fits)
    expect(operators(after)).toEqual(['ReduceSum', 'Greater', 'MatMul', 'Identity'])
    expect([...after.initializers.keys()].sort()).toEqual(['w3', 'zero'])
    expect(dropFailingBranches(after)).toBe(after)
    const inner = body([choice('c', times(5, 'p'), times(7, 'q'), 'r')], ['r'])
    const nested = graphOf([...condition, choice('c', inner, times(3, 'else'), 'y')], ['y'], [zero])
    expect(operators(dropFailingBranches(nested))).toEqual(['ReduceSum', 'Greater', 'MatMul', 'Identity'])
  })

  test('branches that both fit, or both do not, stay', () => {
    for (const rows of [3, 5]) {
      const graph = graphOf([...condition, choice('c', times(rows, 'a'), times(rows, 'b'), 'y')], ['y'], [zero])
      expect(dropFailingBranches(graph)).toBe(graph)
    }
  })
})

describe('hoist', () => {
  test('what both branches compute is computed before, once', async () => {
    const then = body(
      [
        ['Exp', ['x'], 'e'],
        ['Sin', ['e'], 's'],
        ['Add', ['s', 'x'], 'then'],
      ],
      ['then'],
    )
    const otherwise = body(
      [
        ['Exp', ['x'], 'e2'],
        ['Sin', ['e2'], 's2'],
        ['Cos', ['s2'], 'else'],
      ],
      ['else'],
    )
    const graph = graphOf([...condition, choice('c', then, otherwise, 'y')], ['y'], [zero])
    const after = hoist(graph)
    expect(operators(after)).toEqual(['ReduceSum', 'Greater', 'Exp', 'Sin', 'If'])
    expect(bodiesOf(after.nodes.at(-1)!).map(operators)).toEqual([['Add'], ['Cos']])
    await expectSameOutputs(after, graph)
    expect(hoist(after)).toBe(after)
  })

  test('an If whose branches are equal goes', async () => {
    const pair = (a: string, b: string) =>
      body(
        [
          ['Exp', ['x'], a],
          ['Neg', [a], b],
        ],
        [b],
      )
    const graph = graphOf([...condition, choice('c', pair('a', 'b'), pair('d', 'e'), 'y')], ['y'], [zero])
    const after = simplify()(graph)
    expect(operators(after)).toEqual(['Exp', 'Neg'])
    await expectSameOutputs(after, graph)
  })

  test('a result that is the same value either way is that value, and the others stay', async () => {
    const then = body(
      [
        ['Identity', ['x'], 'same'],
        ['Exp', ['x'], 'then'],
      ],
      ['same', 'then'],
    )
    const otherwise = body(
      [
        ['Identity', ['x'], 'same2'],
        ['Neg', ['x'], 'else'],
      ],
      ['same2', 'else'],
    )
    const graph = graphOf(
      [...condition, choice('c', then, otherwise, ['a', 'b']), ['Add', ['a', 'b'], 'y']],
      ['y'],
      [zero],
    )
    const after = simplify()(graph)
    const kept = after.nodes.find(one => one.op === 'If')!
    expect(kept.outputs).toHaveLength(1)
    expect(after.nodes.at(-1)!.inputs).toContain('x')
    await expectSameOutputs(after, graph)
  })

  test('what only one branch computes stays there', () => {
    const graph = graphOf(
      [
        ...condition,
        choice('c', body([['Exp', ['x'], 'then']], ['then']), body([['Sin', ['x'], 'else']], ['else']), 'y'),
      ],
      ['y'],
      [zero],
    )
    expect(hoist(graph)).toBe(graph)
  })

  test('what is the same in every iteration of a loop is computed before it', async () => {
    const inner = body(
      [
        ['Exp', ['x'], 'e'],
        ['Add', ['a', 'e'], 'next'],
        ['Identity', ['go'], 'on'],
      ],
      ['on', 'next'],
      [
        { name: 'i', type: whole },
        { name: 'go', type: bool },
        { name: 'a', type: x },
      ],
    )
    const graph = graphOf(
      [['Loop', ['trips', '', 'x'], 'y', { body: attribute.graph(inner) }]],
      ['y'],
      [['trips', count(4)]],
    )
    const after = hoist(graph)
    expect(operators(after)).toEqual(['Exp', 'Loop'])
    await expectSameOutputs(after, graph)
    expect(hoist(after)).toBe(after)
  })

  test.each([
    ['sums that may not fit stay in a loop that may not run', f32('M', 3), ['Loop']],
    ['sums that fit leave it', f32('N', 3), ['Add', 'Loop']],
    ['and so do those with one row', f32(1, 3), ['Add', 'Loop']],
  ])('%s', async (_, type, expected) => {
    const inner = body(
      [
        ['Add', ['x', 'z'], 'sum'],
        ['Add', ['a', 'sum'], 'next'],
        ['Identity', ['go'], 'on'],
      ],
      ['on', 'next'],
      [
        { name: 'i', type: whole },
        { name: 'go', type: bool },
        { name: 'a', type: x },
      ],
    )
    const loop: Line = ['Loop', ['trips', '', 'x'], 'y', { body: attribute.graph(inner) }]
    const graph = graphOf([loop], ['y'])
    const open: Graph = {
      ...graph,
      inputs: [...graph.inputs, { name: 'z', type }, { name: 'trips', type: whole }],
    }
    const after = hoist(open)
    expect(operators(after)).toEqual(expected)
    const rows = type.shape![0] === 'M' ? 3 : type.shape![0] === 1 ? 1 : 2
    const fill = (count: number) =>
      float32s(
        [count, 3],
        Array.from({ length: 3 * count }, (_, i) => i),
      )
    const feeds = { x: fill(2), z: fill(rows), trips: count(0) }
    expect(await run(after, feeds)).toEqual(await run(open, feeds))
  })

  test('where a loop surely runs, they leave it as they are', () => {
    const inner = body(
      [
        ['Concat', ['x', 'z'], 'both', { axis: attribute.int(0) }],
        ['ReduceSum', ['both'], 'sum', { keepdims: attribute.int(0) }],
        ['Add', ['a', 'sum'], 'next'],
        ['Identity', ['go'], 'on'],
      ],
      ['on', 'next'],
      [
        { name: 'i', type: whole },
        { name: 'go', type: bool },
        { name: 'a', type: x },
      ],
    )
    const loop: Line = ['Loop', ['trips', '', 'x'], 'y', { body: attribute.graph(inner) }]
    const held = (trips: number) =>
      graphOf(
        [loop],
        ['y'],
        [
          ['trips', count(trips)],
          ['z', float32s([1, 3], [1, 2, 3])],
        ],
      )
    expect(operators(hoist(held(3)))).toEqual(['Concat', 'Loop'])
    expect(operators(hoist(held(0)))).toEqual(['Loop'])
  })
})

describe('unroll-loops', () => {
  const iteration = (lines: readonly Line[], last = 'go') =>
    body(
      [...lines, ['Identity', [last], 'on']],
      ['on', 'next', 'row'],
      [
        { name: 'i', type: whole },
        { name: 'go', type: bool },
        { name: 'a', type: x },
      ],
    )
  const adding: readonly Line[] = [
    ['Cast', ['i'], 'f', { to: attribute.int(1) }],
    ['Add', ['a', 'f'], 'next'],
    ['Neg', ['next'], 'row'],
  ]
  const loop = (trips: number, inner: Body, start = '') =>
    graphOf(
      [
        ['Loop', ['trips', start, 'x'], ['z', 'rows'], { body: attribute.graph(inner) }],
        ['Relu', ['z'], 'y'],
        ['Exp', ['rows'], 'r'],
      ],
      ['y', 'r'],
      [
        ['trips', count(trips)],
        ['start', truth(1)],
        ['never', truth(0)],
      ],
    )
  const unroll = unrollLoops({ maxUnrolled: 16 })

  test('a few iterations are written out, with what they collect', async () => {
    const graph = loop(3, iteration(adding))
    const after = unroll(graph)
    expect(operators(after)).not.toContain('Loop')
    await expectSameOutputs(after, graph)
    const whole = simplify()(graph)
    expect(operators(whole)).not.toContain('Cast')
    await expectSameOutputs(whole, graph)
  })

  test('a body that ends the loop by itself runs once', async () => {
    const held = { ...iteration(adding, 'never') }
    const graph = loop(100, held, 'start')
    const after = unroll(graph)
    expect(operators(after).filter(op => op === 'Neg')).toHaveLength(1)
    await expectSameOutputs(after, graph)
  })

  test('a loop that never runs hands its states on', async () => {
    const inner = body(
      [
        ['Neg', ['a'], 'next'],
        ['Identity', ['go'], 'on'],
      ],
      ['on', 'next'],
      [
        { name: 'i', type: whole },
        { name: 'go', type: bool },
        { name: 'a', type: x },
      ],
    )
    const graph = graphOf(
      [
        ['Loop', ['trips', '', 'x'], 'z', { body: attribute.graph(inner) }],
        ['Relu', ['z'], 'y'],
      ],
      ['y'],
      [['trips', count(0)]],
    )
    expect(operators(unroll(graph))).toEqual(['Identity', 'Relu'])
    await expectSameOutputs(unroll(graph), graph)
  })

  test('many iterations, a computed condition, a limit that is fed stay a loop', () => {
    const many = loop(100, iteration(adding))
    expect(unroll(many)).toBe(many)
    const computed = loop(
      2,
      iteration(
        [
          ...adding,
          ['ReduceMax', ['next'], 'm', { keepdims: attribute.int(0) }],
          ['Cast', ['m'], 'b', { to: attribute.int(9) }],
        ],
        'b',
      ),
    )
    expect(unroll(computed)).toBe(computed)
    const fed: Graph = {
      ...loop(2, iteration(adding)),
      inputs: [
        { name: 'x', type: x },
        { name: 'trips', type: whole },
      ],
    }
    expect(unroll(fed)).toBe(fed)
  })
})
