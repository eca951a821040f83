import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../test/support/same-outputs.ts'
import { float32s, int64s, scalar } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { inOldestOpset, inOpset } from './in-opset.ts'

/** An older graph that gives what the newer one does, in the engine too. */
async function older(graph: Graph, opset: number): Promise<Graph> {
  const made = inOpset(graph, opset)
  expect(made.opset['']).toBe(opset)
  await expectSameOutputs(made, graph)
  return made
}

describe('an older opset', () => {
  test('has axes, sizes and bounds as attributes again', async () => {
    const graph = makeGraph({ x: f32(2, 1, 6) }, (op, { x }) => {
      const squeezed = op.Squeeze([x, op.constant(int64s([1]), 'axes')])
      const [a, b] = op.many('Split', 2, [squeezed, op.constant(int64s([2, 4]), 'sizes')], { axis: 1 })
      const clipped = op.Clip([
        a!,
        op.constant(scalar('float32', -1), 'least'),
        op.constant(scalar('float32', 1), 'most'),
      ])
      return {
        y: op.ReduceSum([clipped, op.constant(int64s([0]), 'over')]),
        z: op.ReduceMax([b!, op.constant(int64s([0]), 'along')]),
      }
    })
    const made = await older(graph, 10)
    expect(made.nodes.map(({ op, inputs }) => [op, inputs.length])).toEqual([
      ['Squeeze', 1],
      ['Split', 1],
      ['Clip', 1],
      ['ReduceSum', 1],
      ['ReduceMax', 1],
    ])
    expect(made.initializers.size).toBe(0) // what has become an attribute is no constant any more
  })

  test('leaves out attributes that it does not know where they say nothing', async () => {
    const graph = makeGraph({ x: f32(2, 6) }, (op, { x }) => ({
      y: op.Reshape([x, op.constant(int64s([3, 4]), 'shape')], { allowzero: 1 }),
      z: op.ReduceMean([x, op.constant(int64s([1]), 'axes')], { noop_with_empty_axes: 1 }),
    }))
    const made = await older(graph, 13)
    expect(made.nodes.map(({ attributes }) => Object.keys(attributes))).toEqual([[], ['axes']])
  })

  test('cannot say what it has no operator or form for, and names the nodes', () => {
    const gelu = makeGraph({ x: f32(2) }, (op, { x }) => ({ y: op.Gelu([x]) }))
    expect(() => inOpset(gelu, 17)).toThrow(/Gelu .*since opset 20/)
    const computed = makeGraph({ x: f32('N', 1), axes: { dtype: 'int64', shape: [1] } }, (op, { x, axes }) => ({
      y: op.Unsqueeze([x, axes]),
    }))
    expect(() => inOpset(computed, 11)).toThrow(/its form in opset 11 is another/)
    const twice = makeGraph({ x: f32(2) }, (op, { x }) => ({ y: op.Gelu([op.Gelu([op.Gelu([op.Gelu([x])])])]) }))
    expect(() => inOpset(twice, 17)).toThrow(/and 1 more: ONNX has it since opset 20. Ask/)
    expect(() => inOpset(gelu, 900)).toThrow(/not one of 1 to/)
  })

  test('is the standard: what onnxruntime alone knows from before is no form of an operator', () => {
    const normal = makeGraph({ x: f32(2, 4) }, (op, { x }) => ({
      y: op.LayerNormalization([x, op.constant(float32s([4], [1, 2, 3, 4]), 'scale')]),
    }))
    expect(() => inOpset(normal, 13)).toThrow(/LayerNormalization .*since opset 17/)
    expect(inOldestOpset(normal, 11).opset['']).toBe(17)
  })
})
