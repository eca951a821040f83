import { describe, expect, test } from 'vitest'
import { float32s } from '../base/tensor.ts'
import { onnxruntimeNode } from './onnxruntime-node.ts'
import { parseProfile } from './profile.ts'
import { profileGraph } from './profile-graph.ts'
import { f32, graphOf } from './testing/graphs.ts'

const graph = graphOf({
  inputs: { x: f32('N', 4) },
  outputs: { y: f32('N', 2) },
  nodes: [
    { op: 'Gemm', name: 'fc', inputs: ['x', 'w'], outputs: ['t'] },
    { op: 'Relu', name: 'relu', inputs: ['t'], outputs: ['u'] },
    { op: 'Sqrt', name: 'root', inputs: ['u'], outputs: ['y'] },
  ],
  initializers: { w: float32s([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]) },
})

const node = (name: string, op: string, ts: number, dur: number, index = '0') => ({
  cat: 'Node',
  name: `${name}_kernel_time`,
  ts,
  dur,
  args: { op_name: op, node_index: index },
})
const run = (ts: number, dur: number) => ({ cat: 'Session', name: 'model_run', ts, dur })

describe('a profile', () => {
  test('has the times of every node over the runs, slowest first', () => {
    const events = [run(0, 100), node('fc', 'Gemm', 1, 50), node('root', 'Sqrt', 60, 30), run(200, 60)]
    const text = JSON.stringify([...events, node('fc', 'Gemm', 201, 10), node('root', 'Sqrt', 230, 40)])
    const profile = parseProfile(text, graph)
    expect(profile).toMatchObject({ runs: 2, run: 80 })
    expect(profile.nodes).toEqual([
      { name: 'root', op: 'Sqrt', node: graph.nodes[2], calls: 2, total: 70, mean: 35 },
      { name: 'fc', op: 'Gemm', node: graph.nodes[0], calls: 2, total: 60, mean: 30 },
    ])
  })

  test('leaves out the runs that warm up', () => {
    const events = [node('fc', 'Gemm', 1, 90), node('fc', 'Gemm', 201, 10), run(200, 20), run(0, 100)]
    const { runs, nodes } = parseProfile(JSON.stringify(events), graph, 1)
    expect(runs).toBe(1)
    expect(nodes).toMatchObject([{ name: 'fc', calls: 1, total: 10 }])
  })

  test('finds our node behind the name of what the engine made of it', () => {
    const events = [
      run(0, 9),
      node('fused fc', 'FusedGemm', 1, 1),
      node('root_nchwc', 'Sqrt', 2, 1),
      node('?', 'X', 3, 1),
    ]
    const { nodes } = parseProfile(JSON.stringify(events), graph)
    expect(nodes.map(time => time.node?.name)).toEqual(['fc', 'root', undefined])
  })

  test('keeps nodes of one name apart', () => {
    const events = [run(0, 9), node('', 'Add', 1, 1, '4'), node('', 'Add', 2, 1, '5')]
    expect(parseProfile(JSON.stringify(events), graph).nodes).toHaveLength(2)
  })

  test('that is none is refused', () => {
    const refused = expect.objectContaining({ code: 'invalid-data' })
    expect(() => parseProfile('{', graph)).toThrow(refused)
    expect(() => parseProfile('{}', graph)).toThrow(refused)
    expect(() => parseProfile('[]', graph)).toThrow(refused)
    expect(() => parseProfile(JSON.stringify([run(0, 1)]), graph, 1)).toThrow(refused)
  })

  test('of a graph whose inputs state no rank is one of the runs', async () => {
    const unranked = graphOf({
      inputs: { x: { dtype: 'float32', shape: undefined } },
      outputs: { y: undefined },
      nodes: [{ op: 'Exp', name: 'exp', inputs: ['x'], outputs: ['y'] }],
    })
    const feeds = { x: float32s([1], [1]) }
    const { nodes } = await profileGraph(onnxruntimeNode, unranked, feeds, { runs: 2, warmup: 0 })
    expect(nodes).toMatchObject([{ node: unranked.nodes[0], calls: 2 }])
  })

  test('of a real run names the nodes that ran', async () => {
    const feeds = { x: float32s([1, 4], [1, 2, 3, 4]) }
    const plain = await profileGraph(onnxruntimeNode, graph, feeds, {
      runs: 3,
      warmup: 2,
      graphOptimization: 'disabled',
    })
    expect(plain.runs).toBe(3)
    expect(plain.nodes.map(time => time.node?.name).sort()).toEqual(['fc', 'relu', 'root'])
    expect(plain.nodes.every(time => time.calls === 3)).toBe(true)
    const fused = await profileGraph(onnxruntimeNode, graph, feeds, { runs: 3, warmup: 0 })
    expect(fused.nodes.map(time => [time.op, time.node?.name]).sort()).toEqual([
      ['FusedGemm', 'fc'],
      ['Sqrt', 'root'],
    ])
  })
})
