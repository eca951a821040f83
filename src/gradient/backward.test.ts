import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { type Dim, elementCount, isFixed, isTensorType } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { emptyGraph, type Graph, type Node } from '../graph/graph.ts'
import type { Ops } from '../ops/build.ts'
import { extend } from '../read/extend.ts'
import { infer, scopeOf } from '../read/infer.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { backward } from './backward.ts'

type Shapes = Readonly<Record<string, readonly Dim[]>>

/** A graph in float64 whose inputs are all differentiated, and which ends in a rank-0 `loss`. */
function graphOf(shapes: Shapes, build: (op: Ops) => string, more: Graph['inputs'] = []): Graph {
  const start: Graph = {
    ...emptyGraph('composite'),
    inputs: [
      ...Object.entries(shapes).map(([name, shape]) => ({ name, type: { dtype: 'float64' as const, shape } })),
      ...more,
    ],
  }
  return extend(start, (op, draft) => {
    const loss = op.ReduceSum([build(op)], { keepdims: 0 })
    draft.outputs.push({ name: loss, type: op.type(loss) })
  })
}

/** The graph with the gradients as further outputs, and their names. */
function differentiate(graph: Graph, wrt: readonly string[]) {
  const names = new Map<string, string>()
  const made = extend(graph, (op, draft) => {
    const scope = scopeOf(graph, infer(graph))
    const from = new Map([[graph.outputs[0]!.name, 'one' as const]])
    for (const [of, gradient] of backward({ nodes: graph.nodes, op, scope, from, wrt })) {
      const name = draft.fresh('gradient')
      draft.add({ op: 'Identity', inputs: [gradient], outputs: [name] })
      draft.outputs.push({ name, type: op.type(gradient) })
      names.set(of, name)
    }
  })
  return { graph: made, names }
}

function drawFeeds(graph: Graph, seed = 1): Record<string, Tensor> {
  const stream = random(seed)
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      if (!isTensorType(type) || !isFixed(type.shape)) throw new Error(name)
      const values = Array.from({ length: elementCount(type.shape) }, () =>
        type.dtype === 'int64' ? stream.integer(3) : 0.2 + stream.uniform(),
      )
      return [name, fromNumbers(type.dtype, type.shape, values)]
    }),
  )
}

/** Compares every gradient with central differences. */
async function expectExact(graph: Graph, wrt: readonly string[]): Promise<void> {
  const { graph: both, names } = differentiate(graph, wrt)
  expect([...names.keys()]).toEqual(wrt)
  await using plain = await onnxruntimeNode.open(graph, { threads: 1 })
  await using session = await onnxruntimeNode.open(both, { threads: 1 })
  const feeds = drawFeeds(graph)
  const results = await session.run(feeds)
  const loss = async (changed: Record<string, Tensor>) =>
    numbers((await plain.run({ ...feeds, ...changed }))[graph.outputs[0]!.name]!)[0]!
  const step = 1e-5
  for (const name of wrt) {
    const { dtype, shape } = feeds[name]!
    const values = Array.from(numbers(feeds[name]!))
    const gradient = results[names.get(name)!]!
    expect(gradient.shape).toEqual(shape)
    for (const [i, value] of values.entries()) {
      const at = (x: number) => loss({ [name]: fromNumbers(dtype, shape, values.with(i, x)) })
      const numeric = ((await at(value + step)) - (await at(value - step))) / (2 * step)
      const analytic = numbers(gradient)[i]!
      expect(Math.abs(analytic - numeric), `d/d${name}[${i}]`).toBeLessThan(1e-6 * Math.max(1, Math.abs(numeric)))
    }
  }
}

describe('gradients agree with central differences', () => {
  test('where a value is read several times, their gradients are added', async () => {
    const graph = graphOf({ x: [2, 3] }, op => {
      const square = op.Mul(['x', 'x'])
      return op.Sum([op.Exp([square]), op.Tanh([square]), op.Mul([square, 'x']), 'x'])
    })
    await expectExact(graph, ['x'])
  })

  test('where values are broadcast, they are summed', async () => {
    const graph = graphOf({ a: [2, 1, 3], b: [4, 1], c: [], d: [1, 1, 1, 1] }, op =>
      op.Mul([op.Div([op.Add(['a', 'b']), op.Exp(['c'])]), op.Sqrt(['d'])]),
    )
    await expectExact(graph, ['a', 'b', 'c', 'd'])
  })

  test('through a network with attention, a norm and a branch', async () => {
    const graph = graphOf({ x: [2, 3, 4], q: [4, 4], k: [4, 4], scale: [4], bias: [4] }, op => {
      const queries = op.MatMul(['x', 'q'])
      const keys = op.Transpose([op.MatMul(['x', 'k'])], { perm: [0, 2, 1] })
      const weights = op.Softmax([op.MatMul([queries, keys])], { axis: -1 })
      const mixed = op.Add(['x', op.MatMul([weights, 'x'])])
      const centred = op.Sub([mixed, op.ReduceMean([mixed, op.ints([-1])])])
      const variance = op.ReduceMean([op.Mul([centred, centred]), op.ints([-1])])
      const normal = op.Div([centred, op.Sqrt([op.Add([variance, op.scalar(1e-3, 'float64')])])])
      const [left, right] = op.many('Split', 2, [op.Add([op.Mul([normal, 'scale']), 'bias'])], {
        axis: -1,
        num_outputs: 2,
      })
      return op.Concat([op.Sigmoid([left]), op.Mul([right, right])], { axis: -1 })
    })
    await expectExact(graph, ['x', 'q', 'k', 'scale', 'bias'])
  })

  test('through an embedding, whose rows are asked for by whole numbers', async () => {
    const ids = { name: 'ids', type: { dtype: 'int64' as const, shape: [2, 3] } }
    const graph = graphOf({ table: [3, 2] }, op => op.Exp([op.Gather(['table', 'ids'])]), [ids])
    await expectExact(graph, ['table'])
  })

  test('of a value in the middle', async () => {
    const graph = graphOf({ x: [3] }, op => op.Exp([op.Sin(['x'])]))
    const middle = graph.nodes[0]!.outputs[0]!
    const { graph: both, names } = differentiate(graph, ['x', middle])
    await using session = await onnxruntimeNode.open(both)
    const x = fromNumbers('float64', [3], [0.1, 0.5, 0.9])
    const results = await session.run({ x })
    const at = (name: string) => Array.from(numbers(results[names.get(name)!]!))
    at(middle).forEach((d, i) => {
      expect(d).toBeCloseTo(Math.exp(Math.sin(numbers(x)[i]!)), 10)
      expect(at('x')[i]).toBeCloseTo(d * Math.cos(numbers(x)[i]!), 10)
    })
  })
})

describe('what the loss does not depend on', () => {
  test('has no gradient: unread inputs, and those read as whole numbers only', () => {
    const graph = graphOf({ x: [2], unused: [2], rounded: [2] }, op => {
      const whole = op.Cast(['rounded'], { to: 7 })
      op.Neg(['unused'])
      return op.Mul(['x', op.Cast([whole], { to: 11 })])
    })
    expect([...differentiate(graph, ['x', 'unused', 'rounded']).names.keys()]).toEqual(['x'])
  })

  test('is not walked: an operator without a gradient may stand there', () => {
    const graph = graphOf({ x: [2], mask: [2] }, op => op.Mul(['x', op.Cast([op.IsNaN(['mask'])], { to: 11 })]))
    expect([...differentiate(graph, ['x']).names.keys()]).toEqual(['x'])
  })
})

describe('a refusal', () => {
  /** A graph with hand-written nodes from `x` to `y`. */
  const through = (...nodes: readonly Node[]): Graph => ({
    ...graphOf({ x: [] }, op => op.Neg(['x'])),
    inputs: ['x', 'z'].map(name => ({ name, type: { dtype: 'float64', shape: [] } })),
    nodes,
    outputs: [{ name: 'y', type: { dtype: 'float64', shape: [] } }],
  })
  const neg: Node = { op: 'Neg', domain: '', name: 'first', inputs: ['x'], outputs: ['n'], attributes: {} }
  const refusal = (graph: Graph, wrt = ['x']) => {
    try {
      differentiate(graph, wrt)
    } catch (error) {
      return error
    }
    return undefined
  }

  test('names the operator, the reason, and the way to it', () => {
    const unheard: Node = { ...neg, op: 'Unheard', domain: 'of', name: 'second', inputs: ['n'], outputs: ['y'] }
    expect(refusal(through(neg, unheard))).toMatchObject({
      code: 'not-differentiable',
      message: expect.stringMatching(/Unheard 'second'.*knows no operator.*between 'x' and the loss/),
      details: { op: 'of.Unheard', path: ['x', 'n', 'y'] },
    })
  })

  test('comes too where the type of what the operator makes is not known, rather than no gradient', () => {
    const unheard: Node = { ...neg, op: 'Unheard', domain: 'of', name: 'second', inputs: ['n'], outputs: ['u'] }
    const last: Node = { ...neg, name: 'third', inputs: ['u'], outputs: ['y'] }
    expect(refusal(through(neg, unheard, last))).toMatchObject({ code: 'not-supported', details: { value: 'u' } })
  })

  test('comes where a branch captures what is differentiated by, rather than a gradient without it', () => {
    const branch = (input: string) =>
      attribute.graph({
        name: 'branch',
        inputs: [],
        outputs: [{ name: `${input}_negative`, type: undefined }],
        nodes: [{ ...neg, inputs: [input], outputs: [`${input}_negative`] }],
        initializers: new Map(),
        types: new Map(),
      })
    const graph: Graph = {
      ...through(neg, {
        ...neg,
        op: 'If',
        name: 'choice',
        inputs: ['condition'],
        outputs: ['y'],
        attributes: { then_branch: branch('n'), else_branch: branch('z') },
      }),
      initializers: new Map([['condition', { dtype: 'bool', shape: [], data: Uint8Array.of(1) }]]),
    }
    expect(refusal(graph)).toMatchObject({ code: 'not-differentiable', details: { path: ['x', 'n', 'y'] } })
    expect(refusal(graph, ['z'])).toMatchObject({ code: 'not-differentiable' })
  })
})

test('gradients flow on from values other than the loss, as they are given', async () => {
  const graph = graphOf({ x: [2] }, op => op.Mul(['x', 'x']))
  const squares = graph.nodes[0]!.outputs[0]!
  const made = extend(graph, (op, draft) => {
    const start = op.constant(fromNumbers('float64', [2], [10, 100]))
    const gradients = backward({
      nodes: graph.nodes,
      op,
      scope: scopeOf(graph, infer(graph)),
      from: new Map([[squares, start]]),
      wrt: ['x'],
    })
    draft.outputs.push({ name: gradients.get('x')!, type: op.type(gradients.get('x')!) })
  })
  await using session = await onnxruntimeNode.open(made)
  const results = await session.run({ x: fromNumbers('float64', [2], [1, 2]) })
  expect(Array.from(numbers(results[made.outputs[1]!.name]!))).toEqual([20, 400])
})
