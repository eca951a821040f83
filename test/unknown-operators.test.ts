import { expect, test } from 'vitest'
import { int64s, scalar, type Tensor } from '../src/base/tensor.ts'
import { node } from '../src/graph/edit.ts'
import { emptyGraph, type Graph, type Node } from '../src/graph/graph.ts'
import { decode } from '../src/onnx/decode.ts'
import { encode } from '../src/onnx/encode.ts'
import { check } from '../src/read/check.ts'
import { cost } from '../src/read/cost.ts'
import { couple } from '../src/read/coupling.ts'
import { evaluate } from '../src/read/evaluate.ts'
import { infer } from '../src/read/infer.ts'
import { summarize } from '../src/read/summary.ts'
import { upgrade } from '../src/read/upgrade.ts'
import { simplify } from '../src/simplify/index.ts'

/** An operator of a domain that nobody but its writer knows, with attributes of every kind that could be touched. */
const magic: Node = node({
  op: 'Magic',
  domain: 'com.example.lab',
  name: 'magic',
  inputs: ['features', '', 'zero', 'nowhere'],
  outputs: ['charm', '', 'spell'],
  attributes: {
    force: { type: 'float', value: 0.25 },
    runes: { type: 'strings', value: ['a', 'b'] },
    steps: { type: 'ints', value: [3, 1, 2] },
  },
})

/** A graph of an old opset with it in the middle: Dropout, Squeeze and Clip all have other forms by now. */
const graph: Graph = {
  ...emptyGraph('lab'),
  opset: { '': 9, 'com.example.lab': 7 },
  inputs: [{ name: 'x', type: { dtype: 'float32', shape: ['N', 4, 1] } }],
  outputs: [
    { name: 'y', type: { dtype: 'float32', shape: ['N', 4] } },
    { name: 'spell', type: undefined },
    { name: 'flat', type: undefined },
  ],
  initializers: new Map<string, Tensor>([
    ['w', { dtype: 'float32', shape: [4, 4], data: new Float32Array(16).fill(0.5) }],
    ['zero', scalar('float32', 0)],
    ['nowhere', int64s([1, 2])],
    ['one', scalar('float32', 1)],
  ]),
  nodes: [
    node({ op: 'Squeeze', inputs: ['x'], outputs: ['rows'], attributes: { axes: { type: 'ints', value: [2] } } }),
    node({ op: 'Dropout', inputs: ['rows'], outputs: ['kept'] }),
    node({ op: 'MatMul', inputs: ['kept', 'w'], outputs: ['features'] }),
    magic,
    // What comes out of it is read by operators that are known, and by itself.
    node({ op: 'Mul', inputs: ['charm', 'one'], outputs: ['same'] }),
    node({ op: 'Clip', inputs: ['same'], outputs: ['bound'], attributes: { min: { type: 'float', value: 0 } } }),
    node({ op: 'Add', inputs: ['bound', 'features'], outputs: ['y'] }),
    node({ op: 'Relu', inputs: ['features'], outputs: ['positive'] }),
    node({ op: 'Flatten', inputs: ['positive'], outputs: ['flat'] }),
  ],
}

const magicOf = ({ nodes }: Graph) => nodes.find(({ op }) => op === 'Magic')!

test('nothing is wrong with it, and what is wrong beside it is still found', () => {
  expect(check(graph)).toEqual([])
  const wrong = graph.nodes.map(one => (one.op === 'Relu' ? { ...one, attributes: magic.attributes } : one))
  expect(check({ ...graph, nodes: wrong }).map(({ code }) => code)).toContain('wrong-attribute')
})

test('what it gives is of no known type, and types go on beside it', () => {
  const types = infer(graph)
  expect(types.get('charm')).toBeUndefined()
  expect(types.get('features')).toEqual({ dtype: 'float32', shape: ['N', 4] })
  expect(types.get('flat')).toEqual({ dtype: 'float32', shape: ['N', 4] })
  // What the file states holds where nothing follows.
  expect(types.get('y')).toEqual({ dtype: 'float32', shape: ['N', 4] })
})

test('its cost is not known, that of the others is', () => {
  const { macs, uncounted } = cost(graph, { bind: { N: 3 } })
  expect(macs).toBe(3 * 4 * 4)
  expect(uncounted.map(({ op }) => op)).toEqual(['Magic'])
  expect(summarize(graph).operators.get('com.example.lab.Magic')).toBe(1)
})

test('constants fold beside it, and channels that reach it stay', () => {
  expect(evaluate(graph).has('charm')).toBe(false)
  const { groups, pinned } = couple(graph)
  expect(groups.filter(({ axes }) => axes.some(({ value, axis }) => value === 'w' && axis === 1))).toEqual([])
  expect(pinned.find(({ value, axis }) => value === 'w' && axis === 1)!.pinned).toBe(4)
})

test('the graph around it is upgraded, and it stays as it is', () => {
  const { graph: newer, refused } = upgrade(graph)
  expect(refused).toEqual([])
  expect(newer.opset).toEqual({ '': 21, 'com.example.lab': 7 })
  expect(magicOf(newer)).toBe(magic)
  expect(check(newer)).toEqual([])
})

test('the graph around it is simplified, and it stays as it is', () => {
  const { graph: newer } = upgrade(graph)
  const simple = simplify()(newer)
  expect(magicOf(simple)).toEqual(magic)
  expect(simple.nodes.map(({ op }) => op)).not.toContain('Dropout')
  expect(simple.outputs.map(({ name }) => name)).toEqual(['y', 'spell', 'flat'])
  expect(check(simple)).toEqual([])
})

test('it is written and read as it was', () => {
  const again = decode(encode(graph))
  expect(magicOf(again)).toEqual(magic)
  expect(again.opset).toEqual(graph.opset)
  expect(decode(encode(upgrade(graph).graph)).opset['com.example.lab']).toBe(7)
})
