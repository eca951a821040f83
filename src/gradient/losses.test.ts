import { describe, expect, test } from 'vitest'
import { float32s, fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { crossEntropy, type Loss, meanSquaredError } from './losses.ts'

async function lossOf(loss: Loss, prediction: Tensor, target: Tensor): Promise<number> {
  const { dtype, shape } = prediction
  const start: Graph = {
    ...emptyGraph('loss'),
    inputs: [
      { name: 'prediction', type: { dtype, shape } },
      { name: 'target', type: loss.target({ dtype, shape }) },
    ],
  }
  const graph = extend(start, (op, draft) => {
    const name = loss.build(op, 'prediction', 'target')
    expect(op.shape(name)).toEqual([])
    draft.outputs.push({ name, type: op.type(name) })
  })
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  const results = await session.run({ prediction, target })
  return numbers(results[graph.outputs[0]!.name]!)[0]!
}

describe('cross entropy', () => {
  const logits = [
    [1, 2, 3],
    [1000, 0, -1000],
  ]
  const labels = [0, 2]
  const tensors = [float32s([2, 3], logits.flat()), fromNumbers('int64', [2], labels)] as const

  const logProbabilities = logits.map(row => {
    const most = Math.max(...row)
    const sum = row.reduce((total, x) => total + Math.exp(x - most), 0)
    return row.map(x => x - most - Math.log(sum))
  })

  test('is the mean of -log p of the class, large logits included', async () => {
    const expected = -(logProbabilities[0]![0]! + logProbabilities[1]![2]!) / 2
    expect((await lossOf(crossEntropy(), ...tensors)) / expected).toBeCloseTo(1, 6)
  })

  test('with label smoothing expects a part of every class', async () => {
    const s = 0.3
    const expected =
      -logProbabilities.reduce((sum, row, n) => {
        return sum + row.reduce((own, p, c) => own + p * ((c === labels[n] ? 1 - s : 0) + s / 3), 0)
      }, 0) / 2
    expect((await lossOf(crossEntropy({ labelSmoothing: s }), ...tensors)) / expected).toBeCloseTo(1, 6)
  })

  test('refuses labels that are no class, which would pick another one or none', () => {
    const { check } = crossEntropy()
    const type = { dtype: 'float32', shape: [2, 3] } as const
    check!(tensors[1], type)
    for (const label of [-1, 3])
      expect(() => check!(fromNumbers('int64', [2], [0, label]), type)).toThrow(
        expect.objectContaining({ code: 'invalid-data', message: expect.stringContaining(`label ${label}`) }),
      )
  })

  test('refuses predictions that are no logits, and smoothing that leaves nothing', () => {
    const { target } = crossEntropy()
    for (const shape of [[2, 3, 4], [2], undefined])
      expect(() => target({ dtype: 'float32', shape })).toThrow(/judges logits of shape \[N, C\]/)
    expect(() => target({ dtype: 'int64', shape: [2, 3] })).toThrow(/not int64/)
    for (const labelSmoothing of [-0.1, 1, Number.NaN])
      expect(() => crossEntropy({ labelSmoothing })).toThrow(/labelSmoothing/)
  })
})

test('mean squared error is the mean over all elements', async () => {
  const loss = meanSquaredError()
  expect(await lossOf(loss, float32s([2, 2], [1, 2, 3, 4]), float32s([2, 2], [1, 0, 3, 0]))).toBe(5)
  expect(() => loss.target({ dtype: 'int64', shape: [2] })).toThrow(/not int64/)
})
