import { describe, expect, test } from 'vitest'
import { float32s, type Tensor } from '../base/tensor.ts'
import { check } from '../graph/check.ts'
import type { Graph } from '../graph/graph.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { define, f32, i64 } from './define.ts'
import { withNormalization } from './with-normalization.ts'

/** Passes its input on, but reads it twice. */
const sum = define({ image: f32(['N', 2, 1, 1]) }, ({ image }, nn) => ({ y: nn.add(image, image) }), { seed: 1 })

async function run(graph: Graph, image: Tensor): Promise<number[]> {
  await using session = await onnxruntimeNode.open(graph)
  return [...((await session.run({ image })).y!.data as Float32Array)]
}

const refused = (graph: Graph, options: Parameters<typeof withNormalization>[1]) =>
  expect(() => withNormalization(graph, options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))

describe('withNormalization', () => {
  const pixels = float32s([1, 2, 1, 1], [0, 255])

  test('takes bytes to 0..1 under the same input name', async () => {
    const graph = withNormalization(sum)
    expect(check(graph)).toEqual([])
    expect(graph.inputs).toEqual(sum.inputs)
    expect(await run(graph, pixels)).toEqual([0, 2])
  })

  test('by a mean and a deviation for all, or for each channel', async () => {
    expect(await run(withNormalization(sum, { mean: 0.5, std: 0.25 }), pixels)).toEqual([-4, 4])
    const graph = withNormalization(sum, { scale: 1, mean: [10, 55], std: [5, 100] })
    expect(await run(graph, pixels)).toEqual([-4, 4])
  })

  test('refuses numbers that do not fit', () => {
    refused(sum, { mean: [1, 2, 3] })
    refused(sum, { mean: [1, 2, 3], std: [1, 2] })
    refused(sum, { std: 0 })
    refused(sum, { input: 'y' })
    const indices = define({ x: i64(['N']) }, ({ x }, nn) => ({ y: nn.embedding(3, 2)(x) }), { seed: 1 })
    refused(indices, {})
  })
})
