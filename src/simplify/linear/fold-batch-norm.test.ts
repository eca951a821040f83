import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import { random } from '../../base/random.ts'
import { float32s, fromNumbers, isLazy, lazyTensor, numbers, type Tensor } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import { recorder } from '../../rewrite/trace.ts'
import { foldBatchNorm } from './fold-batch-norm.ts'

const fold = rewrite('fold', [foldBatchNorm])
const draw = random(3)
const normal = (...shape: number[]) =>
  float32s(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.normal()),
  )
const ones = (size: number) => float32s([size], new Float32Array(size).fill(1))
const positive = (size: number) =>
  float32s(
    [size],
    Array.from({ length: size }, () => 0.5 + draw.uniform()),
  )

function batchNorm(op: Ops, x: Ref, channels: number, attributes: { epsilon?: number } = {}): Ref {
  const statistics = [positive(channels), normal(channels), normal(channels), positive(channels)]
  return op.BatchNormalization([x, ...statistics.map(one => op.constant(one, 'norm'))], attributes)
}

const operators = (graph: Graph) => graph.nodes.map(node => node.op)

function reasons(graph: Graph): string[] {
  const { trace, statistics } = recorder()
  expect(fold(graph, trace)).toBe(graph)
  return statistics().rules.flatMap(({ declines }) => Object.keys(declines))
}

const image = f32('N', 4, 6, 5)
const rows = f32(2, 4)

describe('folds the normalization into', () => {
  const cases: Record<string, Graph> = {
    'a convolution': makeGraph({ x: image }, (op, { x }) => ({
      y: op.Relu([batchNorm(op, op.Conv([x, op.constant(normal(6, 4, 3, 3), 'w')], { pads: [1, 1, 1, 1] }), 6)]),
    })),
    'a convolution with bias that makes the output of the graph': makeGraph({ x: image }, (op, { x }) => ({
      y: batchNorm(op, op.Conv([x, op.constant(normal(6, 4, 3, 3), 'w'), op.constant(normal(6), 'b')]), 6),
    })),
    'a grouped convolution': makeGraph({ x: image }, (op, { x }) => ({
      y: batchNorm(op, op.Conv([x, op.constant(normal(6, 2, 3, 3), 'w')], { group: 2, strides: [2, 1] }), 6),
    })),
    'a depthwise convolution': makeGraph({ x: image }, (op, { x }) => ({
      y: batchNorm(op, op.Conv([x, op.constant(normal(4, 1, 3, 3), 'w')], { group: 4 }), 4, { epsilon: 0.1 }),
    })),
    'a transposed convolution': makeGraph({ x: image }, (op, { x }) => ({
      y: batchNorm(op, op.ConvTranspose([x, op.constant(normal(4, 3, 2, 3), 'w')], { strides: [2, 2] }), 3),
    })),
    'a grouped transposed convolution with bias': makeGraph({ x: image }, (op, { x }) => ({
      y: batchNorm(
        op,
        op.ConvTranspose([x, op.constant(normal(4, 3, 2, 2), 'w'), op.constant(normal(6), 'b')], { group: 2 }),
        6,
      ),
    })),
    'a matrix product': makeGraph({ x: rows }, (op, { x }) => ({
      y: batchNorm(op, op.Gemm([x, op.constant(normal(4, 3), 'w')]), 3),
    })),
    'a scaled matrix product of transposed weights': makeGraph({ x: rows }, (op, { x }) => ({
      y: batchNorm(
        op,
        op.Gemm([x, op.constant(normal(3, 4), 'w'), op.constant(normal(1, 3), 'c')], {
          transB: 1,
          alpha: 0.5,
          beta: 2,
        }),
        3,
      ),
    })),
    'a matrix product with one number added': makeGraph({ x: rows }, (op, { x }) => ({
      y: batchNorm(op, op.Gemm([x, op.constant(normal(4, 3), 'w'), op.constant(normal(), 'c')]), 3),
    })),
  }
  test.each(Object.entries(cases))('%s', async (_, graph) => {
    const after = fold(graph)
    expect(operators(after)).toEqual(operators(graph).filter(op => op !== 'BatchNormalization'))
    expect(after.outputs).toEqual(graph.outputs)
    expect(after.initializers.size).toBe(2)
    await expectSameOutputs(after, graph)
  })
})

test('computes in float64 and rounds once', () => {
  const w = float32s([1, 1, 1, 1], [1 / 3])
  const graph = makeGraph({ x: f32('N', 1, 2, 2) }, (op, { x }) => {
    const [scale, shift, mean, variance] = [0.7, 0.1, 0.3, 1e-3].map(v => op.constant(float32s([1], [v])))
    return { y: op.BatchNormalization([op.Conv([x, op.constant(w, 'w')]), scale, shift, mean, variance]) }
  })
  const after = fold(graph)
  const [s, t, m, v] = [0.7, 0.1, 0.3, 1e-3].map(Math.fround) as [number, number, number, number]
  const factor = s / Math.sqrt(v + 1e-5)
  const [weights, bias] = [...after.initializers.values()].map(one => numbers(one)[0])
  expect(weights).toBe(Math.fround(w.data[0]! * factor))
  expect(bias).toBe(Math.fround(-m * factor + t))
})

test('keeps the type of the weights', () => {
  const half = (...shape: number[]) => fromNumbers('float16', shape, normal(...shape).data)
  const graph = makeGraph({ x: { dtype: 'float16', shape: ['N', 4, 6, 5] } }, (op, { x }) => {
    const statistics = [half(2), half(2), half(2), fromNumbers('float16', [2], [1, 2])].map(one => op.constant(one))
    return { y: op.BatchNormalization([op.Conv([x, op.constant(half(2, 4, 3, 3), 'w')]), ...statistics]) }
  })
  expect([...fold(graph).initializers.values()].map(one => one.dtype)).toEqual(['float16', 'float16'])
})

describe('leaves alone', () => {
  const w = normal(6, 4, 3, 3)

  test('a normalization by the statistics of the batch', () => {
    const graph = makeGraph({ x: image }, (op, { x }) => {
      const ones = Array.from({ length: 4 }, () => op.constant(positive(6)))
      const conv = op.Conv([x, op.constant(w, 'w')])
      return { y: op.many('BatchNormalization', 3, [conv, ...ones], { training_mode: 1 })[0]! }
    })
    expect(reasons(graph)).toEqual(['it normalizes by the statistics of the batch'])
  })

  test('weights that serve two nodes', () => {
    const graph = makeGraph({ x: image }, (op, { x }) => {
      const weights = op.constant(w, 'w')
      return { y: batchNorm(op, op.Conv([x, weights]), 6), z: op.Conv([x, weights], { strides: [2, 2] }) }
    })
    expect(reasons(graph)).toEqual(["the weights 'w' serve another node too and would be stored twice"])
  })

  test('a result that would not be finite', () => {
    const graph = makeGraph({ x: image }, (op, { x }) => {
      const [ones, zeros] = [op.constant(positive(6)), op.constant(float32s([6], Array(6).fill(0)))]
      const conv = op.Conv([x, op.constant(w, 'w')])
      return { y: op.BatchNormalization([conv, ones, ones, ones, zeros], { epsilon: 0 }) }
    })
    expect(reasons(graph)).toEqual(['the folded weights are not finite in float32'])
  })

  test('an addend that differs from row to row', () => {
    const graph = makeGraph({ x: rows }, (op, { x }) => ({
      y: batchNorm(op, op.Gemm([x, op.constant(normal(4, 3), 'w'), op.constant(normal(2, 1), 'c')]), 3),
    }))
    expect(reasons(graph)).toEqual(["the addend 'c' is not one number for each channel"])
  })

  test('a convolution that something else reads, or that the graph puts out', () => {
    for (const also of [(op: Ops, conv: Ref) => op.Relu([conv]), (_: Ops, conv: Ref) => conv]) {
      const graph = makeGraph({ x: image }, (op, { x }) => {
        const conv = op.Conv([x, op.constant(w, 'w')])
        return { y: batchNorm(op, conv, 6), z: also(op, conv) }
      })
      expect(fold(graph)).toBe(graph)
    }
  })

  test('weights that are no constants', () => {
    const graph = makeGraph({ x: image, w: f32(6, 4, 3, 3) }, (op, { x, w }) => ({
      y: batchNorm(op, op.Conv([x, w]), 6),
    }))
    expect(fold(graph)).toBe(graph)
  })
})

test('weights that are read from a file only when asked for are not kept in memory when they are folded', () => {
  const w = normal(6, 4, 3, 3)
  let reads = 0
  const lazy = lazyTensor('float32', w.shape, () => {
    reads++
    return w.data.slice()
  })
  const graphWith = (value: Tensor) =>
    makeGraph({ x: image }, (op, { x }) => {
      const statistics = Array.from({ length: 4 }, () => op.constant(ones(6)))
      return { y: op.BatchNormalization([op.Conv([x, op.constant(value, 'w')]), ...statistics]) }
    })
  const [folded, expected] = [lazy, w].map(value => {
    const { initializers } = fold(graphWith(value))
    return [...initializers.values()].find(({ shape }) => shape.length === 4)!
  })
  expect(reads).toBeGreaterThan(0)
  expect(isLazy(folded!)).toBe(true)
  expect(isLazy(expected!)).toBe(false)
  expect(folded!.data).toEqual(expected!.data)
})
