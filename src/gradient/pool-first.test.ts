import { expect, test } from 'vitest'
import { float32s } from '../base/tensor.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { extend } from '../read/extend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { poolFirst } from './pool-first.ts'

const shape = [1, 2, 4, 4]
const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 0, 0] }

function graphOf(build: (op: Ops) => readonly Ref[]): Graph {
  const inputs = [{ name: 'x', type: { dtype: 'float32', shape } }] as const
  return extend({ ...emptyGraph('pools'), inputs }, (op, draft) => {
    for (const name of build(op)) draft.outputs.push({ name, type: undefined })
  })
}

const order = (graph: Graph) => graph.nodes.map(({ op }) => op)

test.each(['Relu', 'LeakyRelu', 'Elu', 'Sigmoid', 'Tanh', 'Softplus'] as const)(
  'a pool comes before %s and gives the same',
  async type => {
    const before = graphOf(op => [op.MaxPool([op[type](['x'])], window)])
    const after = poolFirst(before)
    expect(order(after)).toEqual(['MaxPool', type])
    const x = float32s(
      shape,
      Array.from({ length: 32 }, (_, i) => 3 * Math.sin(2.3 * i)),
    )
    const [expected, actual] = await Promise.all(
      [before, after].map(async graph => {
        await using session = await onnxruntimeNode.open(graph, { threads: 1 })
        return (await session.run({ x }))[graph.outputs[0]!.name]!.data
      }),
    )
    expect(actual).toEqual(expected)
  },
)

test('a pool stays behind an activation that others read, that falls, or whose maxima are to be found', () => {
  const read = graphOf(op => {
    const y = op.Relu(['x'])
    return [op.MaxPool([y], window), y]
  })
  const falling = graphOf(op => [op.MaxPool([op.LeakyRelu(['x'], { alpha: -1 })], window)])
  const found = graphOf(op => op.many('MaxPool', 2, [op.Relu(['x'])], window))
  for (const graph of [read, falling, found]) expect(poolFirst(graph)).toBe(graph)
})
