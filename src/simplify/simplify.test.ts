import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../test/support/same-outputs.ts'
import { float32s } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { type Body, bodiesOf, type Graph } from '../graph/graph.ts'
import { check } from '../read/check.ts'
import { recorder } from '../rewrite/trace.ts'
import { dropUnused } from './constants/drop-unused.ts'
import { simplify, steps } from './index.ts'
import { nameOf } from './step.ts'

const x = f32('N', 2, 4, 4)
const constant = (value: number, ...shape: number[]) =>
  float32s(shape, Array(shape.reduce((a, b) => a * b, 1)).fill(value))

/** Identity, Conv, Identity, BatchNormalization, Identity. */
const network = makeGraph({ x }, (op, { x }) => {
  const conv = op.Conv([op.Identity([x]), op.constant(constant(0.5, 3, 2, 3, 3), 'w')])
  const statistics = [2, 1, 0.25, 4].map(value => op.constant(constant(value, 3), 'statistic'))
  return { y: op.Identity([op.BatchNormalization([op.Identity([conv]), ...statistics])]) }
})

/** A graph whose initializers are inputs too, as old exporters write them. */
function overridable(graph: Graph): Graph {
  const values = [...graph.initializers].map(([name, { dtype, shape }]) => ({ name, type: { dtype, shape } }))
  return { ...graph, inputs: [...graph.inputs, ...values] }
}

const operators = (graph: Body) => graph.nodes.map(node => node.op)

test('takes all steps until none changes anything', async () => {
  const { trace, statistics } = recorder()
  const after = simplify()(network, trace)
  expect(operators(after)).toEqual(['Conv'])
  await expectSameOutputs(after, network)
  expect(statistics().rules.filter(({ hits }) => hits > 0)).toMatchObject([
    { rule: 'drop-identity', hits: 3 },
    { rule: 'fold-batch-norm', hits: 1 },
  ])
  expect(simplify()(after)).toBe(after)
})

test('numbers that raise the rank leave nothing unlike what it was', async () => {
  const graph = makeGraph({ x: f32(3), number: f32() }, (op, { x, number }) => {
    const one = (value: number, ...shape: number[]) => op.constant(constant(value, ...shape))
    const gelu = (ref: string, ...shape: number[]) => {
      const gate = op.Add([op.Erf([op.Div([ref, op.scalar(Math.SQRT2)])]), op.scalar(1)])
      return op.Mul([op.Mul([ref, gate]), one(0.5, ...shape)])
    }
    const six = op.Clip([op.Add([x, one(3, 1, 1)]), op.scalar(0), op.scalar(6)])
    const centred = op.Sub([x, op.ReduceMean([x, op.ints([0])], { keepdims: 1 })])
    const variance = op.ReduceMean([op.Mul([centred, centred]), op.ints([0])], { keepdims: 1 })
    return {
      gelu: gelu(x, 1, 1),
      ofNumber: gelu(number, 1),
      swish: op.Div([op.Mul([x, six]), op.scalar(6)]),
      normalized: op.Div([centred, op.Sqrt([op.Add([variance, one(1e-5, 1, 1)])])]),
      zero: op.Add([x, one(0, 1, 1)]),
      clipped: op.Min([op.Max([number, one(0, 1)]), one(6, 1)]),
    }
  })
  await expectSameOutputs(simplify()(graph), graph)
})

test('initializers come off the inputs, unless callers are to override them', async () => {
  const graph = overridable(network)
  const after = simplify()(graph)
  expect(after.inputs.map(({ name }) => name)).toEqual(['x'])
  expect(operators(after)).toEqual(['Conv'])
  await expectSameOutputs(after, network)

  const kept = simplify({ keepOverridable: true })(graph)
  expect(kept.inputs).toEqual(graph.inputs)
  expect(operators(kept)).toEqual(['Conv', 'BatchNormalization'])
  await expectSameOutputs(kept, network)
})

test('weights in Constant nodes become initializers, under their names', async () => {
  const held = [...network.initializers].map(([name, value]) =>
    node({ op: 'Constant', inputs: [], outputs: [name], attributes: { value: attribute.tensor(value) } }),
  )
  const graph: Graph = { ...network, nodes: [...held, ...network.nodes], initializers: new Map() }
  const after = simplify({ only: ['lift-constants'] })(graph)
  expect(operators(after)).toEqual(operators(network))
  expect(after.initializers).toEqual(network.initializers)
  await expectSameOutputs(after, graph)

  const given = { ...graph, outputs: [...graph.outputs, { name: held[0]!.outputs[0]!, type: undefined }] }
  expect(operators(simplify({ only: ['lift-constants'] })(given))).toContain('Constant')
})

test('steps can be left out or picked by name', () => {
  expect(operators(simplify({ skip: ['fold-batch-norm'] })(network))).toEqual(['Conv', 'BatchNormalization'])
  expect(simplify({ only: ['fold-batch-norm'] })(network)).toBe(network)
  expect(() => simplify({ skip: ['fold-everything'] })).toThrow(/no step 'fold-everything'.*drop-identity/)
  const names = steps().map(nameOf)
  expect(new Set(names).size).toBe(names.length)
  expect(names[0]).toBe('drop-overridable')
  expect(names.at(-1)).toBe('drop-unused')
})

test('what no output depends on goes, inside of bodies first', () => {
  const body = (name: string): Body => ({
    name,
    inputs: [],
    outputs: [{ name: `${name}_out`, type: x }],
    nodes: [
      { op: 'Neg', domain: '', name: '', inputs: ['unread'], outputs: [`${name}_dead`], attributes: {} },
      { op: 'Relu', domain: '', name: '', inputs: ['x'], outputs: [`${name}_out`], attributes: {} },
    ],
    initializers: new Map([[`${name}_weight`, constant(1)]]),
    types: new Map(),
  })
  const graph = edit(
    makeGraph({ x }, (op, { x }) => ({ y: op.Relu([x]) })),
    draft => {
      draft.inputs.push({ name: 'condition', type: { dtype: 'bool', shape: [] } })
      draft.outputs.push({ name: 'z', type: x })
      draft.initializers.set('weight', constant(1))
      draft.add({ op: 'Exp', inputs: ['x'], outputs: ['unread'] })
      const branches = { then_branch: attribute.graph(body('then')), else_branch: attribute.graph(body('else')) }
      draft.add({ op: 'If', inputs: ['condition'], outputs: ['z'], attributes: branches })
    },
    { keepUnused: true },
  )
  const after = dropUnused(graph)
  expect(operators(after)).toEqual(['Relu', 'If'])
  expect(after.initializers.size).toBe(0)
  for (const inner of after.nodes.flatMap(bodiesOf)) {
    expect(operators(inner)).toEqual(['Relu'])
    expect(inner.initializers.size).toBe(0)
  }
  expect(after.inputs).toEqual(graph.inputs)
  expect(dropUnused(after)).toBe(after)
})

test('a graph that states no opset of the standard states one where it comes to have a node of it', () => {
  const other = (outputs: string[]): Graph => ({
    ...makeGraph({ x }, (op, { x }) => ({ y: op.Relu([x]) })),
    opset: { 'ai.onnx.ml': 1 },
    nodes: [
      node({ op: 'Binarizer', domain: 'ai.onnx.ml', inputs: ['x'], outputs: ['y'] }),
      node({ op: 'Binarizer', domain: 'ai.onnx.ml', inputs: ['c'], outputs: ['z'] }),
    ],
    initializers: new Map([['c', constant(2, 3)]]),
    outputs: outputs.map(name => ({ name, type: undefined })),
  })
  const [plain, folded] = [other(['y']), other(['y', 'z'])].map(graph => simplify()(graph))
  expect(plain!.opset).toEqual({ 'ai.onnx.ml': 1 })
  expect(folded!.opset).toEqual({ 'ai.onnx.ml': 1, '': 21 })
  expect(check(folded!)).toEqual([])
})

test('steps are named as their exports are', async () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map(file => `./${file}`)
  const modules: object[] = await Promise.all([...files, '../rewrite/share-equal.ts'].map(file => import(file)))
  const kebab = (name: string) => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  const exported = new Set(modules.flatMap(module => Object.keys(module).map(kebab)))
  const names = steps().map(nameOf)
  expect(names.filter(name => !exported.has(name))).toEqual([])
  expect(new Set(names).size).toBe(names.length)
})
