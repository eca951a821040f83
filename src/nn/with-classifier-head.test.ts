import { describe, expect, test } from 'vitest'
import { float32s, int64s } from '../base/tensor.ts'
import { check } from '../graph/check.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { define, f32, i64 } from './define.ts'
import { withClassifierHead } from './with-classifier-head.ts'

const plain = define({ x: f32(['N', 3]) }, ({ x }, nn) => ({ logits: nn.op.Identity([x]) }), { seed: 1 })

describe('withClassifierHead', () => {
  test('gives probabilities and the most probable class, the first of several', async () => {
    const graph = withClassifierHead(plain)
    expect(check(graph)).toEqual([])
    expect(graph.outputs).toEqual([
      { name: 'probabilities', type: f32(['N', 3]) },
      { name: 'label', type: i64(['N']) },
    ])
    await using session = await onnxruntimeNode.open(graph)
    const { probabilities, label } = await session.run({ x: float32s([2, 3], [0, Math.log(2), 0, 5, 1, 5]) })
    ;[0.25, 0.5, 0.25].forEach((expected, i) => {
      expect(probabilities!.data[i]).toBeCloseTo(expected, 6)
    })
    expect(label).toEqual(int64s([1, 0]))
  })

  test('keeps the other outputs, and takes the logits named', () => {
    const two = define({ x: f32(['N', 3]) }, ({ x }, nn) => ({ a: nn.relu(x), b: nn.tanh(x) }), { seed: 1 })
    expect(withClassifierHead(two, { logits: 'b' }).outputs.map(({ name }) => name)).toEqual([
      'a',
      'probabilities',
      'label',
    ])
    expect(() => withClassifierHead(two)).toThrow(expect.objectContaining({ code: 'not-supported' }))
    expect(() => withClassifierHead(two, { logits: 'c' })).toThrow(expect.objectContaining({ code: 'not-found' }))
  })

  test('refuses a graph that has one of the names', () => {
    const taken = define({ label: f32(['N', 3]) }, ({ label }, nn) => ({ y: nn.relu(label) }), { seed: 1 })
    expect(() => withClassifierHead(taken)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })
})
