import { expect, test } from 'vitest'
import { float32s, full, numbers, scalar } from '../base/tensor.ts'
import { emptyGraph } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { dropout } from './dropout.ts'
import { isNo } from './operator.ts'
import { conform } from './testing/conform.ts'

const x = { shape: [2, 3] }

conform(
  dropout,
  [
    { inputs: [x] },
    { name: 'with a ratio', inputs: [x, scalar('float32', 0.3)], outputs: 2 },
    { name: 'switched off', inputs: [x, null, scalar('bool', 0)] },
    { opset: 7, inputs: [x] },
    { opset: 7, inputs: [x], outputs: 2 },
    { opset: 10, attributes: { ratio: 0.3 }, inputs: [x] },
    { opset: 11, name: 'with its mask', inputs: [x], outputs: 2 },
  ],
  { backend: onnxruntimeNode, eachPair },
)

test('in training it drops the stated share, scales the rest up, and passes gradients on to what it kept', async () => {
  const size = 10_000
  const data = { name: 'x', type: { dtype: 'float32', shape: [size] } } as const
  const [ratio, kept] = [0.3, 1 / 0.7]
  const initializers = new Map([['ratio', scalar('float32', ratio)]])
  const graph = extend({ ...emptyGraph('dropout'), inputs: [data], initializers }, (op, draft) => {
    const { training, gradient } = dropout
    if (training === 'same' || isNo(gradient)) throw new Error('dropout trains otherwise, and has a gradient')
    const node = { op: 'Dropout', domain: '', name: '', inputs: ['x', 'ratio'], outputs: ['y'], attributes: {} }
    const { outputs } = training({ node, attributes: {}, op, x: node.inputs, seed: 5, constant: () => undefined })
    const [made] = draft.nodes()
    const constant = (input: number) => draft.initializers.get(made!.inputs[input]!)
    const call = { node: made!, attributes: {}, op, x: made!.inputs, y: made!.outputs, needs: [true], constant }
    const [dx] = gradient({ ...call, dy: ['x'], choose: (_, forms) => Object.values(forms)[0]!() })
    draft.outputs.push({ name: outputs[0]!, type: undefined }, { name: dx!, type: undefined })
  })
  const [y, dx] = graph.outputs.map(({ name }) => name) as [string, string]
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  const feeds = { x: full('float32', [size], 1) }
  const [first, second] = [await session.run(feeds), await session.run(feeds)]
  const values = Array.from(numbers(first[y]!))
  expect(new Set(values)).toEqual(new Set([0, Math.fround(kept)]))
  expect(values.filter(v => v === 0).length / size).toBeCloseTo(ratio, 1)
  expect(Array.from(numbers(first[dx]!))).toEqual(values)
  expect(Array.from(numbers(second[y]!))).not.toEqual(values)

  await using other = await onnxruntimeNode.open(graph, { threads: 1 })
  expect((await other.run(feeds))[y]).toEqual(float32s([size], values))
})
