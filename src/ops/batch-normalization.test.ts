import { expect, test } from 'vitest'
import { float32s, full, numbers, type Tensor } from '../base/tensor.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { batchNormalization } from './batch-normalization.ts'
import { conform } from './testing/conform.ts'
import type { Sample } from './testing/sample.ts'

const bench = { backend: onnxruntimeNode, eachPair }
const vector = { shape: [3] }
const inputs = (shape: readonly number[]): Sample['inputs'] => [
  { shape },
  vector,
  vector,
  vector,
  { shape: [3], low: 0.5 },
]
const shapes = [
  [4, 3],
  [2, 3, 4],
  [2, 3, 2, 3],
  [1, 3, 2, 2, 2],
]
/** In training the running statistics are not read: constants, that no gradient is asked of. */
function ofTheBatch(shape: readonly number[]): Sample {
  const own = { shape: [shape[1]!] }
  const running = full('float32', own.shape, 1)
  return {
    name: `of the batch, [${shape}]`,
    attributes: { training_mode: 1, momentum: 0, epsilon: 0.01 },
    inputs: [{ shape }, own, own, running, running],
    outputs: 3,
  }
}

conform(
  batchNormalization,
  [
    ...shapes.map(shape => ({ name: `[${shape}]`, attributes: { epsilon: 0.01 }, inputs: inputs(shape) })),
    ...[...shapes, [1, 1, 20, 20]].map(ofTheBatch),
    ...[7, 9, 13].map(opset => ({ opset, inputs: inputs([2, 3, 4]) })),
  ],
  bench,
)

const [images, channels, positions] = [4, 2, 5] as const
const vectors = ['scale', 'shift', 'mean', 'variance'] as const

/** Two layers in a row in their training form, the outputs being the result and the four new statistics. */
function twoLayersInTraining(): Graph {
  const data = { name: 'x', type: { dtype: 'float32', shape: [images, channels, positions] } } as const
  const own = (layer: number) => vectors.map(name => `${name}${layer}`)
  const parameters = [1, 2].flatMap(own).map(name => ({ name, type: { dtype: 'float32', shape: [channels] } }) as const)
  return extend({ ...emptyGraph('layers'), inputs: [data, ...parameters] }, (op, draft) => {
    let x = 'x'
    for (const layer of [1, 2]) {
      const form = batchNormalization.training
      if (form === 'same') throw new Error('batch normalization trains as it infers')
      const node = {
        op: 'BatchNormalization',
        domain: '',
        name: '',
        inputs: [x, ...own(layer)],
        outputs: ['y'],
        attributes: {},
      }
      const attributes = { epsilon: 1e-5, momentum: 0.9, training_mode: 0 }
      const { outputs, updates = [] } = form({
        node,
        attributes,
        op,
        x: node.inputs,
        seed: 1,
        constant: () => undefined,
      })
      x = outputs[0]!
      for (const { value } of updates) draft.outputs.push({ name: value, type: undefined })
    }
    draft.outputs.unshift({ name: x, type: undefined })
  })
}

test('training moves the statistics by the momentum, the variance unbiased, and leaves what it is fed alone', async () => {
  const values = Array.from({ length: images * channels * positions }, (_, i) => Math.sin(i * 1.7) * 2 + (i % 3))
  const of = (...own: number[]) => float32s([channels], own)
  const feeds: Record<string, Tensor> = {
    x: float32s([images, channels, positions], values),
    ...{ scale1: of(1, 2), shift1: of(0.5, -1), mean1: of(0.1, 0.2), variance1: of(1.1, 0.9) },
    ...{ scale2: of(2, 0.5), shift2: of(3, 4), mean2: of(-5, 6), variance2: of(7, 8) },
  }
  const before = structuredClone(feeds)
  const graph = twoLayersInTraining()
  for (const graphOptimization of ['disabled', 'all'] as const) {
    await using session = await onnxruntimeNode.open(graph, { graphOptimization, threads: 1 })
    // A second run shows whether the first one wrote into the engine's or the caller's memory.
    for (let run = 0; run < 2; run++) {
      const results = await session.run(feeds)
      const found = graph.outputs.map(({ name }) => Array.from(numbers(results[name]!)))
      const first = expected(values, [1, 2], [0.5, -1], [0.1, 0.2], [1.1, 0.9])
      const second = expected(first.y, [2, 0.5], [3, 4], [-5, 6], [7, 8])
      const wanted = [second.y, first.mean, first.variance, second.mean, second.variance]
      wanted.forEach((list, i) => {
        list.forEach((value, k) => {
          expect(found[i]![k]).toBeCloseTo(value, 4)
        })
      })
      expect(feeds).toEqual(before)
    }
  }
})

/** Batch normalization and its statistics' next values, after PyTorch's documentation. */
function expected(x: readonly number[], scale: number[], shift: number[], mean: number[], variance: number[]) {
  const channelOf = (i: number) => Math.floor(i / positions) % channels
  const count = x.length / channels
  const own = scale.map((_, c) => x.filter((_, i) => channelOf(i) === c))
  const means = own.map(list => list.reduce((sum, v) => sum + v, 0) / count)
  const squares = own.map((list, c) => list.reduce((sum, v) => sum + (v - means[c]!) ** 2, 0))
  const y = x.map((v, i) => {
    const c = channelOf(i)
    return ((v - means[c]!) / Math.sqrt(squares[c]! / count + 1e-5)) * scale[c]! + shift[c]!
  })
  return {
    y,
    mean: mean.map((old, c) => 0.9 * old + 0.1 * means[c]!),
    variance: variance.map((old, c) => 0.9 * old + (0.1 * squares[c]!) / (count - 1)),
  }
}
