import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { randomFeeds } from '../../test/support/same-outputs.ts'
import { float32s } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { emptyGraph } from '../graph/graph.ts'
import { layerTimes } from './layer-times.ts'
import { onnxruntimeNode } from './onnxruntime-node.ts'

const options = { threads: 1, runs: 3, warmup: 1 }

describe('the times of layers', () => {
  test('are those of what the engine ran, with the nodes that it fused', async () => {
    const net = makeGraph({ x: f32(1, 8, 6, 6) }, (op, { x }) => {
      const w = op.constant(float32s([8, 8, 3, 3], new Float32Array(576).fill(0.1)))
      const conv = op.Conv([x, w], { pads: [1, 1, 1, 1] })
      return { y: op.Sigmoid([op.GlobalAveragePool([op.Relu([conv])])]) }
    })
    // Without names of their own, too.
    const unnamed = { ...net, nodes: net.nodes.map(one => ({ ...one, name: '' })) }
    for (const graph of [net, unnamed]) {
      const times = await layerTimes(onnxruntimeNode, graph, randomFeeds(graph, 1), options)
      const covered = times.layers.flatMap(({ node: one, fused }) => [one, ...fused])
      expect(covered.every(one => graph.nodes.includes(one))).toBe(true)
      expect(new Set(covered.map(({ op }) => op))).toEqual(new Set(['Conv', 'Relu', 'GlobalAveragePool', 'Sigmoid']))
      const conv = times.layers.find(({ node: one }) => one.op === 'Conv')!
      expect(conv.fused.map(({ op }) => op)).toEqual(['Relu'])
      expect(times.runs).toBe(3)
      const all = [...times.layers, ...times.unmapped].reduce((sum, { time }) => sum + time, 0)
      expect(all + times.between).toBeCloseTo(Math.max(times.run, all), 6)
    }
  })

  test('hold what bodies took in the node around them', async () => {
    const branch = (op: string) => ({
      ...emptyGraph('branch'),
      nodes: [node({ op, name: `in_${op}`, inputs: ['x'], outputs: [`by_${op}`] })],
      outputs: [{ name: `by_${op}`, type: f32(4) }],
    })
    const choice = edit(emptyGraph('choice'), draft => {
      draft.inputs.push({ name: 'x', type: f32(4) }, { name: 'c', type: { dtype: 'bool', shape: [] } })
      const attributes = { then_branch: attribute.graph(branch('Exp')), else_branch: attribute.graph(branch('Abs')) }
      draft.add({ op: 'If', name: 'choice', inputs: ['c'], outputs: ['y'], attributes })
      draft.outputs.push({ name: 'y', type: f32(4) })
    })
    const feeds = { x: float32s([4], [1, 2, 3, 4]), c: { dtype: 'bool', shape: [], data: Uint8Array.of(1) } as const }
    const { layers, unmapped } = await layerTimes(onnxruntimeNode, choice, feeds, options)
    expect(layers.map(one => one.node.name)).toEqual(['choice'])
    expect(unmapped).toEqual([])
  })
})
