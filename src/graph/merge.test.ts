import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import type { TensorType } from '../base/shape.ts'
import { float32s } from '../base/tensor.ts'
import { attribute } from './attributes.ts'
import { check } from './check.ts'
import { edit, node } from './edit.ts'
import { type Body, bodiesOf, type Graph } from './graph.ts'
import { merge, prefix } from './merge.ts'

/** y = x + w, of any type of x. */
const adder = (type: TensorType) =>
  makeGraph({ x: type }, (op, { x }) => ({ y: op.Add([x, op.constant(float32s([1], [2]), 'w')]) }))

const merged = (...types: TensorType[]) => merge(types.map((type, i) => prefix(adder(type), `m${i}/`)))

describe('prefix', () => {
  test('renames values, weights and nodes, but not what a caller feeds', () => {
    const graph = prefix(adder(f32('N', 4)), 'm0/')
    expect(graph.inputs.map(v => v.name)).toEqual(['x'])
    expect(graph.outputs.map(v => v.name)).toEqual(['m0/y'])
    expect(graph.nodes).toMatchObject([{ name: 'm0/add', inputs: ['x', 'm0/w'], outputs: ['m0/y'] }])
    expect([...graph.initializers.keys()]).toEqual(['m0/w'])
  })

  test('renames an input that has a default, which belongs to the graph', () => {
    const graph = adder(f32('N', 4))
    const inputs = [...graph.inputs, { name: 'w', type: f32(1) }]
    expect(prefix({ ...graph, inputs }, 'm0/').inputs.map(v => v.name)).toEqual(['x', 'm0/w'])
  })

  test('renames inside of bodies, captured names and omitted inputs included', () => {
    const body: Body = {
      name: 'then',
      inputs: [],
      outputs: [{ name: 'inner', type: undefined }],
      nodes: [node({ op: 'Clip', name: 'clip', inputs: ['y', '', 'most'], outputs: ['inner'] })],
      initializers: new Map([['most', float32s([], [1])]]),
      types: new Map(),
    }
    const graph = edit(adder(f32('N', 4)), draft => {
      draft.inputs.push({ name: 'c', type: { dtype: 'bool', shape: [] } })
      draft.outputs.push({ name: 'z', type: undefined })
      const branches = { then_branch: attribute.graph(body), else_branch: attribute.graph(body) }
      draft.add({ op: 'If', inputs: ['c'], outputs: ['z'], attributes: branches })
    })
    const after = prefix(graph, 'p/')
    const [then] = after.nodes.flatMap(bodiesOf)
    expect(then!.nodes).toMatchObject([{ name: 'p/clip', inputs: ['p/y', '', 'p/most'], outputs: ['p/inner'] }])
    expect([...then!.initializers.keys()]).toEqual(['p/most'])
    expect(check(after)).toEqual([])
  })
})

describe('merge', () => {
  test('shares inputs by name and sets outputs side by side', () => {
    const graph = merged(f32('N', 4), f32('N', 4))
    expect(check(graph)).toEqual([])
    expect(graph.inputs).toEqual([{ name: 'x', type: f32('N', 4) }])
    expect(graph.outputs.map(v => v.name)).toEqual(['m0/y', 'm1/y'])
    expect(graph.initializers.size).toBe(2)
  })

  test('makes dimensions agree: a size wins over a symbol, the first symbol over a later one', () => {
    const sized = merged(f32('N', 4), f32(8, 4))
    expect(sized.inputs[0]!.type).toEqual(f32(8, 4))
    expect(sized.outputs.map(v => v.type)).toEqual([f32(8, 4), f32(8, 4)])
    const named = merged(f32('N', 4), f32('batch', 'C'), f32('', 4))
    expect(named.inputs[0]!.type).toEqual(f32('N', 4))
    expect(named.outputs[1]!.type).toEqual(f32('N', 4))
    expect(merged({ dtype: 'float32', shape: undefined }, f32('N', 4)).inputs[0]!.type).toEqual(f32('N', 4))
  })

  test('keeps symbols apart that only have the same name', () => {
    const a = makeGraph({ x: f32('N') }, (op, { x }) => ({ y: op.Relu([x]) }))
    const b = makeGraph({ z: f32('N') }, (op, { z }) => ({ y: op.Relu([z]) }))
    const graph = merge([prefix(a, 'a/'), prefix(b, 'b/')])
    expect(graph.inputs.map(v => v.type)).toEqual([f32('N'), f32('N_1')])
    expect(graph.outputs.map(v => v.type)).toEqual([f32('N'), f32('N_1')])
  })

  test('carries an equality from one graph to the next', () => {
    const a = makeGraph({ x: f32('A'), y: f32('B') }, (op, { x, y }) => ({ o: op.Concat([x, y], { axis: 0 }) }))
    const b = makeGraph({ x: f32('N'), y: f32('N') }, (op, { x, y }) => ({ o: op.Add([x, y]) }))
    const graph = merge([prefix(a, 'a/'), prefix(b, 'b/')])
    expect(graph.inputs.map(v => v.type)).toEqual([f32('A'), f32('A')])
    // A + B is an expression: what becomes of it is left to inference.
    expect(graph.outputs.map(v => v.type)).toEqual([f32(''), f32('A')])
  })

  test('refuses inputs that do not go together, and says where', () => {
    const both = (a: TensorType, b: TensorType) => () =>
      merge([prefix(adder(a), 'a/'), prefix(adder(b), 'b/')], ['cat.onnx', 'dog.onnx'])
    expect(both(f32('N', 4), f32('N', 5))).toThrow(/'x' is float32\[N,4\] in cat.onnx but float32\[N,5\] in dog.onnx/)
    expect(both(f32('N', 4), f32('N'))).toThrow(/'x' is/)
    const integers = makeGraph({ x: { dtype: 'int64', shape: ['N', 4] } }, (op, { x }) => ({ y: op.Neg([x]) }))
    expect(() => merge([prefix(adder(f32('N', 4)), 'a/'), prefix(integers, 'b/')])).toThrow(/int64/)
  })

  test('refuses names that would collide', () => {
    const one = adder(f32('N', 4))
    expect(() => merge([one, one])).toThrow(/stands in graph 0 and in graph 1; give each graph a prefix/)
    const x = makeGraph({ z: f32('N') }, (op, { z }) => ({ x: op.Relu([z]) }))
    expect(() => merge([one, x])).toThrow(/'x' stands in/)
    expect(() => merge([])).toThrow(/no graph/)
  })

  test('takes the newest version of an operator set where newer ones only add, and refuses others', () => {
    const at = (start: string, opset: Graph['opset']): Graph => ({ ...prefix(adder(f32('N')), start), opset })
    expect(merge([at('a/', { '': 21 }), at('b/', { '': 23, 'ai.onnx.ml': 5 })]).opset).toEqual({
      '': 23,
      'ai.onnx.ml': 5,
    })
    expect(() => merge([at('a/', { '': 21 }), at('b/', { '': 9 })])).toThrow(/graph 0 uses version 21 of ai.onnx/)
  })
})
