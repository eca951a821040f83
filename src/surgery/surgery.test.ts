import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { expectSameOutputs, randomFeeds, run } from '../../test/support/same-outputs.ts'
import { formatType } from '../base/shape.ts'
import { float32s, fromNumbers, int64s, numbers } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { check } from '../read/check.ts'
import { load } from '../read/model-file.ts'
import { cut, extract, join, rename, setConstants, setDims } from './index.ts'

const weight = (rows: number, columns: number) =>
  float32s(
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i + 1)),
  )

/** x [N, 4] -> h = x*W -> r = Relu(h) -> y = r*V, and s = Sigmoid(h). */
const net = makeGraph({ x: f32('N', 4) }, (op, { x }) => {
  const h = op.MatMul([x, op.constant(weight(4, 3), 'w')])
  const r = op.Relu([h])
  return { h, r, y: op.MatMul([r, op.constant(weight(3, 2), 'v')]), s: op.Sigmoid([h]) }
})
const model: Graph = { ...net, outputs: net.outputs.filter(({ name }) => name === 'y' || name === 's') }

/** A graph with an If whose branches read `h`. */
const branching: Graph = edit(emptyGraph('branching'), draft => {
  const branch = (op: string) => ({
    ...emptyGraph('branch'),
    nodes: [node({ op, inputs: ['h'], outputs: [`in_${op}`] })],
    outputs: [{ name: `in_${op}`, type: undefined }],
  })
  draft.inputs.push({ name: 'x', type: f32('N', 4) }, { name: 'c', type: { dtype: 'bool', shape: [] } })
  draft.add({ op: 'Relu', inputs: ['x'], outputs: ['h'] })
  const attributes = { then_branch: attribute.graph(branch('Neg')), else_branch: attribute.graph(branch('Abs')) }
  draft.add({ op: 'If', name: 'choice', inputs: ['c'], outputs: ['z'], attributes })
  draft.add({ op: 'Exp', inputs: ['z'], outputs: ['y'] })
  draft.outputs.push({ name: 'y', type: f32('N', 4) })
})

const types = (graph: Graph) =>
  [graph.inputs, graph.outputs].map(all => all.map(v => `${v.name} ${formatType(v.type)}`))

describe('extract', () => {
  test('takes the nodes between values, with inferred types', () => {
    const part = extract(model, { inputs: ['r'], outputs: ['y'] })
    expect(types(part)).toEqual([['r float32[N,3]'], ['y float32[N,2]']])
    expect(part.nodes.map(({ op }) => op)).toEqual(['MatMul'])
    expect([...part.initializers.keys()]).toEqual(['v'])
    expect(check(part)).toEqual([])
  })
  test("goes back to the graph's own inputs, or on to its own outputs, where none are named", () => {
    expect(types(extract(model, { outputs: ['r'] }))).toEqual([['x float32[N,4]'], ['r float32[N,3]']])
    expect(types(extract(model, { inputs: ['h'] }))[1]).toEqual(['y float32[N,2]', 's float32[N,3]'])
  })
  test('takes bodies whole, with what they capture', () => {
    const part = extract(branching, { inputs: ['h', 'c'], outputs: ['z'] })
    expect(part.nodes.map(({ op }) => op)).toEqual(['If'])
    expect(check(part)).toEqual([])
  })
  test('says what is wrong with names', () => {
    expect(() => extract(model, { outputs: ['yy'] })).toThrow(/no value 'yy'.*Did you mean 'y'/)
    expect(() => extract(model, { inputs: ['y', 'h'], outputs: ['s'] })).toThrow(/No output depends on the input 'y'/)
    expect(() => extract(branching, { inputs: ['h'], outputs: ['z'] })).toThrow(/also depend on the graph's input 'c'/)
    expect(() => extract(branching, { inputs: ['in_Neg'], outputs: ['y'] })).toThrow(/in a body of If 'choice'/)
    expect(() => extract(model, { inputs: ['y'], outputs: ['y'] })).toThrow(/nothing is between/)
    expect(() => extract(model, { outputs: [] })).toThrow(/at least one output/)
  })
  test('takes the name of a node for the value that it makes', () => {
    const named = edit(emptyGraph('named'), draft => {
      draft.inputs.push({ name: 'x', type: f32(4, 2) })
      draft.initializers.set('k', int64s([1]))
      draft.add({ op: 'Relu', name: 'act', inputs: ['x'], outputs: ['a'] })
      draft.add({ op: 'TopK', name: 'top', inputs: ['a', 'k'], outputs: ['values', 'indices'] })
      draft.add({ op: 'Exp', name: 'last', inputs: ['values'], outputs: ['y'] })
      draft.outputs.push({ name: 'y', type: f32(4, 1) })
    })
    expect(types(extract(named, { outputs: ['act'] }))[1]).toEqual(['a float32[4,2]'])
    expect(types(extract(named, { inputs: ['act'], outputs: ['last'] }))[0]).toEqual(['a float32[4,2]'])
    expect(cut(named, ['act'])).toMatchObject({ at: ['a'], after: { inputs: [{ name: 'a' }] } })
    expect(() => extract(named, { outputs: ['top'] })).toThrow(/'top' is a node that makes 'values' and 'indices'/)
    expect(() => extract(named, { outputs: ['act', 'a'] })).toThrow(/'a' is named twice/)
    // Weights are not what is meant first.
    expect(() => extract(named, { outputs: ['nothing'] })).toThrow(/There are 'x', 'y', 'a', 'values'.*and 1 more/)
  })
})

describe('cut and join', () => {
  test('undo each other', async () => {
    const { before, after } = cut(model, ['h'])
    expect(types(before)).toEqual([['x float32[N,4]'], ['h float32[N,3]']])
    expect(types(after)).toEqual([['h float32[N,3]'], ['y float32[N,2]', 's float32[N,3]']])
    const whole = join(before, after)
    expect(types(whole)).toEqual(types(model))
    await expectSameOutputs(whole, model)
  })
  test('name what else leads across', () => {
    expect(() => cut(model, ['r'])).toThrow(/also reads 'h' \(made by MatMul/)
    const residual = makeGraph({ x: f32('N', 4) }, (op, { x }) => {
      const h = op.Relu([x])
      const t = op.Tanh([h])
      return { h, t, y: op.Add([h, t]) }
    })
    const one = { ...residual, outputs: residual.outputs.slice(2) }
    expect(() => cut(one, ['t'])).toThrow(/also reads 'h' \(made by Relu/)
    expect(cut(one, ['t', 'h']).after.inputs.map(({ name }) => name)).toEqual(['t', 'h'])
    expect(() => cut(one, ['x'])).toThrow(/nothing before it/)
    expect(() => cut(one, ['y'])).toThrow(/nothing after it/)
  })
  test('connect by a map, make equal dimensions one, and keep equal names inside apart', async () => {
    const next = makeGraph({ z: f32('M', 2) }, (op, { z }) => {
      const h = op.Relu([z])
      return { h, out: op.MatMul([h, op.constant(weight(2, 5), 'w')]) }
    })
    const second: Graph = { ...next, outputs: next.outputs.slice(1) }
    const joined = join(model, second, { map: { y: 'z' } })
    expect(check(joined)).toEqual([])
    expect(types(joined)).toEqual([['x float32[N,4]'], ['s float32[N,3]', 'out float32[N,5]']])
    const feeds = randomFeeds(model, 3)
    const { y } = await run(model, feeds)
    const { out } = await run(second, { z: y! })
    expect(Array.from(numbers((await run(joined, feeds)).out!))).toEqual(Array.from(numbers(out!)))
    expect(join(model, second, { map: { y: 'z' }, keepOutputs: true }).outputs).toHaveLength(3)
  })
  test('let a size decide a symbol', () => {
    const fixed = makeGraph({ y: f32(1, 2) }, (op, { y }) => ({ out: op.Relu([y]) }))
    expect(types(join(model, fixed))).toEqual([['x float32[1,4]'], ['s float32[1,3]', 'out float32[1,2]']])
  })
  test('refuse what does not go together', () => {
    const other = makeGraph({ y: f32('N', 3) }, (op, { y }) => ({ out: op.Relu([y]) }))
    expect(() => join(model, other)).toThrow(/'y' of the first model is float32\[N,2\], but the input 'y'/)
    expect(() => join(model, other, { map: { yy: 'y' } })).toThrow(/no output 'yy'.*Did you mean 'y'/)
    expect(() => join(model, other, { map: { y: 'q' } })).toThrow(/no input 'q'/)
    const single = makeGraph({ q: f32('N', 2) }, (op, { q }) => ({ p: op.Relu([q]) }))
    expect(join(extract(model, { outputs: ['y'] }), single).outputs.map(({ name }) => name)).toEqual(['p'])
    const unrelated = makeGraph({ q: f32('N', 2) }, (op, { q }) => ({ s: op.Relu([q]) }))
    expect(() => join(model, unrelated)).toThrow(/has the name of an input/)
    expect(() => join(model, unrelated, { map: { y: 'q' } })).toThrow(/an output 's'; give one of them a prefix/)
    expect(join(model, unrelated, { map: { y: 'q' }, prefixB: 'b/' }).outputs.map(({ name }) => name)).toEqual([
      's',
      'b/s',
    ])
  })
  test('raise the older model to the opset of the newer', () => {
    const old = { ...makeGraph({ y: f32('N', 2) }, (op, { y }) => ({ out: op.Relu([y]) })), opset: { '': 9 } }
    expect(join(model, old).opset).toEqual({ '': 21 })
  })
})

describe('rename', () => {
  test('renames values and nodes everywhere, and exchanges names', async () => {
    const named = rename(branching, { values: { x: 'image', h: 'hidden', y: 'z', z: 'y' }, nodes: { choice: 'pick' } })
    expect(check(named)).toEqual([])
    expect(named.inputs[0]!.name).toBe('image')
    expect(named.outputs[0]!.name).toBe('z')
    expect(named.nodes.map(({ name }) => name)).toContain('pick')
    const feeds = { x: float32s([2, 4], [1, -2, 3, 4, 5, 6, 7, 8]), c: fromNumbers('bool', [], [1]) }
    const before = await run(branching, feeds)
    const after = await run(named, { image: feeds.x, c: feeds.c })
    expect(after.z!.data).toEqual(before.y!.data)
  })
  test('refuses names that are not there or taken', () => {
    expect(() => rename(model, { values: { xx: 'a' } })).toThrow(/no value 'xx'.*Did you mean 'x'/)
    expect(() => rename(model, { values: { x: 'y' } })).toThrow(/'x' cannot become 'y'/)
    expect(() => rename(model, { values: { x: 'a', h: 'a' } })).toThrow(/cannot become 'a'/)
    expect(() => rename(branching, { values: { x: 'in_Neg' } })).toThrow(/there is a value of that name/)
    expect(() => rename(branching, { nodes: { chois: 'a' } })).toThrow(/Did you mean 'choice'/)
  })
})

describe('set-constant', () => {
  test('turns inputs into initializers and decides their symbols', async () => {
    const sum = makeGraph({ a: f32('N', 2), b: f32('N', 2) }, (op, { a, b }) => ({ y: op.Add([a, b]) }))
    const b = float32s([3, 2], [1, 2, 3, 4, 5, 6])
    const set = setConstants(sum, { b })
    expect(check(set)).toEqual([])
    expect(types(set)).toEqual([['a float32[3,2]'], ['y float32[3,2]']])
    const a = float32s([3, 2], [1, 1, 1, 1, 1, 1])
    expect((await run(set, { a })).y!.data).toEqual((await run(sum, { a, b })).y!.data)
  })
  test('refuses other types and shapes', () => {
    expect(() => setConstants(model, { x: int64s([1]) })).toThrow(/is float32\[N,4\]; it cannot be set to int64\[1\]/)
    expect(() => setConstants(model, { z: int64s([1]) })).toThrow(/no input 'z'/)
  })
})

describe('set-dim', () => {
  test('makes a fixed batch symbolic, fitting targets that hold it', async () => {
    const fixed = makeGraph({ x: f32(1, 2, 6) }, (op, { x }) => {
      const merged = op.Reshape([x, op.ints([2, 6])])
      const wide = op.MatMul([merged, op.constant(weight(6, 4))])
      const back = op.Reshape([wide, op.ints([1, 2, 4])])
      return { y: op.Reshape([op.Relu([back]), op.ints([1, -1])]) }
    })
    const { graph, refitted } = setDims(fixed, [{ input: 'x', axis: 0, to: 'N' }])
    expect(check(graph)).toEqual([])
    expect(refitted).toHaveLength(3)
    // The targets that were there are read by nothing now.
    expect(graph.initializers.size + graph.nodes.length).toBe(fixed.initializers.size + fixed.nodes.length)
    expect(types(graph)).toEqual([['x float32[N,2,6]'], ['y float32[N,8]']])
    const feeds = randomFeeds(graph, 1, { N: 3 })
    const { y } = await run(graph, feeds)
    for (const row of [0, 1, 2]) {
      const x = float32s([1, 2, 6], (feeds.x!.data as Float32Array).slice(12 * row, 12 * row + 12))
      const one = await run(fixed, { x })
      expect(Array.from(numbers(one.y!))).toEqual(Array.from(numbers(y!)).slice(8 * row, 8 * row + 8))
    }
  })
  test('sets symbols to sizes or other symbols in every input at once', () => {
    const sum = makeGraph({ a: f32('N', 2), b: f32('N', 2) }, (op, { a, b }) => ({ y: op.Add([a, b]) }))
    expect(types(setDims(sum, [{ input: 'a', axis: 0, to: 8 }]).graph)).toEqual([
      ['a float32[8,2]', 'b float32[8,2]'],
      ['y float32[8,2]'],
    ])
    expect(types(setDims(sum, [{ input: 'a', axis: -2, to: 'batch' }]).graph)[1]).toEqual(['y float32[batch,2]'])
  })
  test('names the nodes that stand in the way', () => {
    const burnt = makeGraph({ x: f32(1, 2, 6) }, (op, { x }) => {
      const turned = op.Transpose([x], { perm: [1, 0, 2] })
      return { y: op.MatMul([op.Reshape([turned, op.ints([2, 6])]), op.constant(weight(6, 4))]) }
    })
    expect(() => setDims(burnt, [{ input: 'x', axis: 0, to: 'N' }])).toThrow(/Nodes stand in the way.*(Reshape|MatMul)/)
    const state = makeGraph({ x: f32(1, 2), h: f32(1, 3) }, (op, { x, h }) => ({ y: op.Concat([x, h], { axis: 1 }) }))
    expect(() => setDims(state, [{ input: 'x', axis: 0, to: 'N' }])).toThrow(
      /Concat.*when N is 7, say\. Where other inputs have that size too, set it in all of them/,
    )
    const both = ['x', 'h'].map(input => ({ input, axis: 0, to: 'N' }))
    expect(types(setDims(state, both).graph)[1]).toEqual(['y float32[N,5]'])
    expect(() => setDims(burnt, [{ input: 'z', axis: 0, to: 'N' }])).toThrow(/no input 'z'/)
    expect(() => setDims(burnt, [{ input: 'x', axis: 5, to: 'N' }])).toThrow(/has 3 dimensions; there is no axis 5/)
  })
})

const shared = '../shared/models'
describe.skipIf(!existsSync(shared))('on real models', () => {
  test('a fixed batch becomes symbolic', async () => {
    for (const name of ['mobilenet_v2_fp32', 'ultraface_rfb320_raw', 'mnist-8']) {
      const graph = await load(`${shared}/${name}.onnx`)
      const [input] = graph.inputs.filter(({ name }) => !graph.initializers.has(name))
      const { graph: open } = setDims(graph, [{ input: input!.name, axis: 0, to: 'N' }])
      expect(check(open)).toEqual([])
      const feeds = randomFeeds(open, 1, { N: 2 })
      for (const [output, value] of Object.entries(await run(open, feeds)))
        expect([output, value.shape[0]]).toEqual([output, 2])
    }
  })
  test('cut in two and joined again they compute the same', async () => {
    const graph = await load(`${shared}/ultraface_rfb320_simplified.onnx`)
    const relu = graph.nodes.filter(({ op }) => op === 'Relu')[7]!
    const { before, after } = cut(graph, [relu.outputs[0]!])
    await expectSameOutputs(join(before, after), graph)
  })
})
