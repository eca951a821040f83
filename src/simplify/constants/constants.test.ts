import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import { float32s, fromNumbers, isLazy, lazyTensor, numbers, type Tensor } from '../../base/tensor.ts'
import { attribute } from '../../graph/attributes.ts'
import { edit, node } from '../../graph/edit.ts'
import { type Body, bodiesOf, type Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { simplify } from '../index.ts'
import { dropUnused } from './drop-unused.ts'
import { foldConstants } from './fold-constants.ts'
import { tieConstants } from './tie-constants.ts'

const x = f32('N', 4)
const fold = foldConstants({ maxGrowth: 1024 })
const operators = (graph: Body) => graph.nodes.map(one => one.op)
const counted = (...shape: number[]) =>
  float32s(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
  )

/** A body of an If that gives one value, in which `x` of the graph around is known. */
function branch(name: string, build: (op: Ops, x: Ref) => Ref): Body {
  const graph = makeGraph({ x }, (op, { x }) => ({ [name]: op.Identity([build(op, x)]) }))
  const hidden = (one: string) => (one === 'x' || one === name ? one : `${name}/${one}`)
  const nodes = graph.nodes.map(one => ({ ...one, inputs: one.inputs.map(hidden), outputs: one.outputs.map(hidden) }))
  const initializers = new Map([...graph.initializers].map(([one, value]) => [hidden(one), value]))
  return { name, inputs: [], outputs: graph.outputs, nodes, initializers, types: new Map() }
}

/** If the sum of x is positive, one branch, else the other. */
function conditional(then: Body, otherwise: Body, around: (op: Ops, x: Ref) => Ref = (_, x) => x): Graph {
  const graph = makeGraph({ x }, (op, { x }) => ({
    condition: op.Greater([op.ReduceSum([x], { keepdims: 0 }), op.scalar(0)]),
    around: op.Sin([around(op, x)]),
  }))
  return edit(graph, draft => {
    const attributes = { then_branch: attribute.graph(then), else_branch: attribute.graph(otherwise) }
    draft.add(node({ op: 'If', inputs: ['condition'], outputs: ['y'], attributes }))
    draft.outputs.push({ name: 'y', type: x })
  })
}

describe('fold-constants', () => {
  test('what is made of constants becomes one, under its name', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const table = op.Transpose([op.constant(counted(4, 6), 'w')])
      const rows = op.Slice([table, op.ints([0]), op.ints([4]), op.ints([0])])
      const scaled = op.Mul([op.Concat([rows, rows], { axis: 1 }), op.scalar(0.5)])
      return { y: op.MatMul([x, scaled]) }
    })
    const after = dropUnused(fold(graph))
    expect(operators(after)).toEqual(['MatMul'])
    expect([...after.initializers.keys()]).toEqual([after.nodes[0]!.inputs[1]])
    await expectSameOutputs(after, graph)
    expect(fold(after)).toBe(after)
  })

  test('sizes that inputs always have are constants, and what follows from them', async () => {
    const graph = makeGraph({ x: f32('N', 3, 8) }, (op, { x }) => {
      const sizes = op.Shape([x])
      const half = op.Div([op.Gather([sizes, op.ints([2])]), op.ints([2])])
      const target = op.Concat([op.Gather([sizes, op.ints([0])]), op.ints([-1]), half], { axis: 0 })
      return { y: op.Reshape([x, target]) }
    })
    const after = dropUnused(fold(graph))
    // The batch is not known, so that the target is still put together; its other parts are constants.
    expect(operators(after)).toEqual(['Shape', 'Gather', 'Concat', 'Reshape'])
    await expectSameOutputs(after, graph)
  })

  test('an output of the graph keeps its name, and a maker', async () => {
    const graph = makeGraph({ x }, (op, { x }) => ({ y: op.Neg([x]), z: op.Neg([op.constant(counted(20), 'w')]) }))
    const after = fold(graph)
    expect(operators(after)).toEqual(['Neg', 'Constant'])
    expect(after.outputs).toEqual(graph.outputs)
    await expectSameOutputs(after, graph)
    expect(fold(after)).toBe(after)
  })

  test('what must grow beyond the cap stays, unless it is asked for', async () => {
    const graph = makeGraph({ x: f32(1, 64, 64) }, (op, { x }) => {
      const large = op.ConstantOfShape([op.ints([64, 64])], { value: fromNumbers('float32', [1], [0.5]) })
      return { y: op.Add([x, large]), z: op.Mul([x, op.ReduceMax([op.Expand([op.scalar(3), op.ints([64])])])]) }
    })
    const after = dropUnused(fold(graph))
    expect(operators(after)).toEqual(['ConstantOfShape', 'Add', 'Mul'])
    await expectSameOutputs(after, graph)
    expect(operators(dropUnused(foldConstants({ maxGrowth: Number.POSITIVE_INFINITY })(graph)))).toEqual(['Add', 'Mul'])
  })

  test('what replaces its source may be as large as that; a copy beside it may not', () => {
    const build = (beside: boolean) =>
      makeGraph({ x: f32('N', 40) }, (op, { x }) => {
        const w = op.constant(counted(40, 40), 'w')
        const y = op.MatMul([x, op.Transpose([w])])
        return { y: beside ? op.MatMul([y, w]) : y }
      })
    expect(operators(fold(build(false)))).toEqual(['MatMul'])
    const graph = build(true)
    expect(fold(graph)).toBe(graph)
  })

  test('random numbers, defaults that callers may override and operators without evaluation stay', () => {
    const graph = makeGraph({ x }, (op, { x }) => ({
      a: op.Add([x, op.RandomUniformLike([op.constant(counted(1, 4), 'c')])]),
      b: op.Add([x, op.Neg([op.constant(counted(2, 1, 4), 'free')])]),
      c: op.Add([x, op.Softmax([op.constant(counted(3, 1, 4), 'd')])]),
    }))
    const free = [...graph.initializers.keys()].find(name => name.startsWith('free'))!
    const overridable: Graph = { ...graph, inputs: [...graph.inputs, { name: free, type: f32(2, 1, 4) }] }
    expect(fold(overridable)).toBe(overridable)
  })

  test('bodies fold too, of what is constant around them as well', async () => {
    const then = branch('then', (op, x) => op.Mul([x, op.Neg([op.constant(counted(4), 'w')])]))
    const graph = conditional(
      then,
      branch('else', (op, x) => op.Add([x, op.scalar(1)])),
    )
    const after = fold(graph)
    const [inner] = bodiesOf(after.nodes.find(one => one.op === 'If')!)
    expect(operators(inner!)).toEqual(['Mul', 'Identity'])
    await expectSameOutputs(after, graph)
  })

  test('what is made of a tensor that is not in memory is not kept there either', () => {
    let reads = 0
    const value = counted(200, 200)
    const weights = lazyTensor('float32', [200, 200], () => {
      reads++
      return value.data.slice()
    })
    const graph = makeGraph({ x: f32('N', 200) }, (op, { x }) => ({
      y: op.MatMul([x, op.Transpose([op.constant(value, 'w')])]),
    }))
    const [name] = [...graph.initializers.keys()]
    const after = fold({ ...graph, initializers: new Map([[name!, weights]]) })
    const made = after.initializers.get(after.nodes[0]!.inputs[1]!)!
    expect(isLazy(made)).toBe(true)
    expect(numbers(made)[1]).toBe(201)
    expect(reads).toBeGreaterThan(0)
  })
})

describe('tie-constants', () => {
  test('keeps one copy of equal tensors, wherever they stand', async () => {
    const then = branch('then', (op, x) => op.Mul([x, op.constant(counted(1, 4), 'w')]))
    const otherwise = branch('else', (op, x) => op.Sub([x, op.constant(counted(1, 4), 'v')]))
    const graph = conditional(then, otherwise)
    const after = tieConstants(graph)
    const bodies = bodiesOf(after.nodes.find(one => one.op === 'If')!)
    const reads = bodies.map(body => body.nodes[0]!.inputs[1])
    expect(reads[0]).toBe(reads[1])
    expect(after.initializers.has(reads[0]!)).toBe(true)
    expect(bodies.every(body => body.initializers.size === 0)).toBe(true)
    await expectSameOutputs(after, graph)
    expect(tieConstants(after)).toBe(after)
  })

  test('a type, a shape, a sign of zero tell tensors apart; so do callers and outputs', () => {
    const zeros = (value: number, ...shape: number[]) => float32s(shape, [value, value])
    const held: [string, Tensor][] = [
      ['a', zeros(0, 2)],
      ['b', zeros(-0, 2)],
      ['c', zeros(0, 1, 2)],
      ['d', fromNumbers('int32', [2], [0, 0])],
      ['free', zeros(0, 2)],
      ['given', zeros(0, 2)],
    ]
    const graph = makeGraph({ x: f32('N', 2) }, (op, { x }) => ({ y: op.Relu([x]) }))
    const whole: Graph = {
      ...graph,
      inputs: [...graph.inputs, { name: 'free', type: f32(2) }],
      outputs: [...graph.outputs, { name: 'given', type: f32(2) }],
      initializers: new Map(held),
    }
    expect(tieConstants(whole)).toBe(whole)
  })

  test('of tensors that are not in memory only those are read that others may equal', () => {
    const lazy = (first: number, ...shape: number[]) => {
      const state = { reads: 0 }
      const count = shape.reduce((a, b) => a * b, 1)
      const value = lazyTensor('float32', shape, () => {
        state.reads++
        return Float32Array.from({ length: count }, (_, i) => first + i)
      })
      return { state, value }
    }
    const [a, b, alone] = [lazy(1, 8), lazy(1, 8), lazy(1, 4, 2)]
    const graph = makeGraph({ x: f32(8) }, (op, { x }) => ({ y: op.Relu([x]) }))
    const sums = ['a', 'b', 'alone'].map((name, i) => node({ op: 'Add', inputs: ['x', name], outputs: [`s${i}`] }))
    const outputs = sums.map(one => ({ name: one.outputs[0]!, type: undefined }))
    const initializers = new Map([a, b, alone].map(({ value }, i) => [['a', 'b', 'alone'][i]!, value as Tensor]))
    const after = tieConstants({ ...graph, nodes: sums, outputs, initializers })
    expect(after.nodes.map(one => one.inputs[1])).toEqual(['a', 'a', 'alone'])
    expect(alone.state.reads).toBe(0)
    expect(a.state.reads).toBeGreaterThan(0)
  })
})

describe('drop-unused', () => {
  test('optional outputs that nothing reads are not asked for', async () => {
    const graph = makeGraph({ x: f32(1, 2, 8, 8) }, (op, { x }) => {
      const [y] = op.many('MaxPool', 2, [x], { kernel_shape: [2, 2] })
      return { y: op.Relu([y!]) }
    })
    const after = dropUnused(graph)
    expect(after.nodes[0]!.outputs).toHaveLength(1)
    await expectSameOutputs(after, graph)
  })

  test('results of an If that nothing reads go out of both branches', async () => {
    const pair = (name: string): Body => {
      const one = branch(name, (op, x) => op.Exp([x]))
      const more = node({ op: 'Tanh', inputs: ['x'], outputs: [`${name}/more`] })
      const outputs = [{ name: `${name}/more`, type: x }, ...one.outputs]
      return { ...one, nodes: [...one.nodes, more], outputs }
    }
    const graph = conditional(pair('then'), pair('else'))
    const wide: Graph = {
      ...graph,
      nodes: graph.nodes.map(one => (one.op === 'If' ? { ...one, outputs: ['unread', 'y'] } : one)),
    }
    const after = dropUnused(wide)
    const choice = after.nodes.find(one => one.op === 'If')!
    expect(choice.outputs).toEqual(['y'])
    expect(bodiesOf(choice).map(operators)).toEqual([
      ['Exp', 'Identity'],
      ['Exp', 'Identity'],
    ])
    await expectSameOutputs(after, wide)
  })

  test('states of a Loop that only make themselves go, those that others need stay', async () => {
    const value = (name: string) => ({ name, type: f32('N', 4) })
    const body: Body = {
      name: 'body',
      inputs: [
        { name: 'i', type: { dtype: 'int64', shape: [] } },
        { name: 'go', type: { dtype: 'bool', shape: [] } },
        value('a'),
        value('b'),
        value('c'),
      ],
      outputs: [
        { name: 'on', type: { dtype: 'bool', shape: [] } },
        value('a1'),
        value('b1'),
        value('c1'),
        value('row'),
      ],
      nodes: [
        node({ op: 'Identity', inputs: ['go'], outputs: ['on'] }),
        node({ op: 'Add', inputs: ['a', 'b'], outputs: ['a1'] }),
        node({ op: 'Neg', inputs: ['b'], outputs: ['b1'] }),
        node({ op: 'Sin', inputs: ['c'], outputs: ['c1'] }),
        node({ op: 'Exp', inputs: ['c'], outputs: ['row'] }),
      ],
      initializers: new Map(),
      types: new Map(),
    }
    const graph = makeGraph({ x }, (op, { x }) => ({ z: op.Relu([op.Add([x, op.Cast([op.ints([3])], { to: 1 })])]) }))
    const looped = edit(graph, draft => {
      draft.initializers.set('trips', fromNumbers('int64', [], [3]))
      const attributes = { body: attribute.graph(body) }
      draft.add(
        node({ op: 'Loop', inputs: ['trips', '', 'x', 'x', 'x'], outputs: ['y', 'b2', 'c2', 'rows'], attributes }),
      )
      draft.outputs.push({ name: 'y', type: x })
    })
    const after = dropUnused(looped)
    const loop = after.nodes.find(one => one.op === 'Loop')!
    expect([loop.inputs, loop.outputs]).toEqual([
      ['trips', '', 'x', 'x'],
      ['y', 'b2'],
    ])
    expect(operators(bodiesOf(loop)[0]!)).toEqual(['Identity', 'Add', 'Neg'])
    await expectSameOutputs(after, looped)
  })
})

test('whole powers that fit their type are folded, others left to the engine', async () => {
  const graph = makeGraph({ x: f32(2) }, (op, { x }) => {
    const power = (a: number, b: number) => op.Pow([op.scalar(a, 'int32'), op.scalar(b, 'int32')])
    return { x2: op.Relu([x]), small: power(-3, 5), large: power(2, 40) }
  })
  const after = simplify()(graph)
  expect(after.nodes.filter(({ op }) => op === 'Pow')).toHaveLength(1)
  await expectSameOutputs(after, graph)
})
