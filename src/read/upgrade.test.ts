import { describe, expect, test } from 'vitest'
import { float32s, scalar } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { type NewNode, node } from '../graph/edit.ts'
import { type Body, emptyGraph, type Graph } from '../graph/graph.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { check } from './check.ts'
import { inDialect } from './in-dialect.ts'
import { upgrade } from './upgrade.ts'

function graph(opset: number, nodes: readonly NewNode[], more: Partial<Graph> = {}): Graph {
  return {
    ...emptyGraph('test'),
    opset: { '': opset },
    inputs: [{ name: 'x', type: { dtype: 'float32', shape: [2, 3] } }],
    nodes: nodes.map(node),
    outputs: [{ name: 'y', type: undefined }],
    ...more,
  }
}

const sum: NewNode = {
  op: 'ReduceSum',
  name: 'sum',
  inputs: ['x'],
  outputs: ['y'],
  attributes: { axes: attribute.ints([1]) },
}
const x = { x: float32s([2, 3], [1, 2, 3, 4, 5, 6]) }

async function run(one: Graph) {
  await using session = await onnxruntimeNode.open(one, { threads: 1 })
  return session.run(x)
}

describe('upgrading', () => {
  test('gives nodes their newer form, under the names that they had', () => {
    const { graph: newer, refused } = upgrade(graph(11, [sum]))
    expect(refused).toEqual([])
    expect(newer.opset['']).toBe(21)
    expect(newer.nodes).toMatchObject([
      { op: 'ReduceSum', name: 'sum', outputs: ['y'], attributes: { keepdims: { value: 1 } } },
    ])
    expect(newer.nodes[0]!.attributes).not.toHaveProperty('axes')
    expect(check(newer)).toEqual([])
  })
  test('takes as many steps as it needs', async () => {
    // Opset 7: Split gets its sizes as an input in 13 and its number of parts in 18.
    const parts: NewNode = { op: 'Split', inputs: ['x'], outputs: ['y', 'z'], attributes: { axis: attribute.int(0) } }
    const old = graph(7, [parts])
    const { graph: newer } = upgrade(old)
    expect(newer.nodes[0]!.attributes).toMatchObject({ num_outputs: { value: 2 } })
    expect(await run(newer)).toEqual(await run(old))
  })
  test('changes nothing in a graph of the dialect or of a newer opset', () => {
    for (const opset of [21, 25]) {
      const one = graph(opset, [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }])
      expect(upgrade(one).graph).toBe(one)
    }
  })
  test('keeps nodes whose form is the same, and values that nothing reads', () => {
    const old = graph(13, [
      { op: 'Relu', inputs: ['x'], outputs: ['y'] },
      { op: 'Exp', inputs: ['x'], outputs: ['unread'] },
    ])
    expect(upgrade(old).graph.nodes).toEqual(old.nodes)
  })
  test('reaches into bodies', async () => {
    const branch = (op: string): Body => ({
      ...emptyGraph('branch'),
      nodes: [node({ op, inputs: ['x'], outputs: ['inner'], attributes: { axes: attribute.ints([1]) } })],
      outputs: [{ name: 'inner', type: undefined }],
    })
    const attributes = {
      then_branch: attribute.graph(branch('ReduceSum')),
      else_branch: attribute.graph(branch('ReduceMax')),
    }
    const old = graph(11, [{ op: 'If', inputs: ['c'], outputs: ['y'], attributes }], {
      initializers: new Map([['c', scalar('bool', 1)]]),
    })
    const { graph: newer, refused } = upgrade(old)
    expect(refused).toEqual([])
    expect(check(newer)).toEqual([])
    expect(await run(newer)).toEqual(await run(old))
  })
  test('leaves the whole graph as it is where a node refuses, and says why', () => {
    const old = graph(9, [
      sum,
      { op: 'Relu', name: 'odd', inputs: ['x'], outputs: ['z'], attributes: { own: attribute.int(1) } },
    ])
    const { graph: same, refused } = upgrade(old)
    expect(same).toBe(old)
    expect(refused).toEqual([{ node: "Relu 'odd'", why: expect.stringContaining("'own'") }])
  })
  test('places the second input as opset 6 did on request', async () => {
    const add: NewNode = {
      op: 'Add',
      inputs: ['x', 'b'],
      outputs: ['y'],
      attributes: { broadcast: attribute.int(1), axis: attribute.int(0) },
    }
    const { graph: newer } = upgrade(graph(6, [add], { initializers: new Map([['b', float32s([2], [10, 20])]]) }))
    expect((await run(newer)).y).toEqual(float32s([2, 3], [11, 12, 13, 24, 25, 26]))
  })
})

describe('the dialect', () => {
  test('is where newer graphs come down to, if they use nothing newer', async () => {
    const newer = graph(25, [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }])
    const { graph: one, refused } = inDialect(newer)
    expect(refused).toEqual([])
    expect(one.opset).toEqual({ '': 21 })
    expect(await run(one)).toEqual(await run(newer))
  })
  test('leaves what has no form in it as it is, and says why', () => {
    const newer = graph(24, [{ op: 'Swish', inputs: ['x'], outputs: ['y'] }])
    const { graph: one, refused } = inDialect(newer)
    expect(one).toBe(newer)
    expect(refused).toMatchObject([{ node: expect.stringContaining('Swish'), why: expect.stringContaining('24') }])
  })
})
