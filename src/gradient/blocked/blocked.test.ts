import { describe, expect, test } from 'vitest'
import { random } from '../../base/random.ts'
import { elementCount } from '../../base/shape.ts'
import { fromNumbers } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import { define, f32 } from '../../nn/define.ts'
import { constant } from '../../nn/initializers.ts'
import type { Layer, Layers } from '../../nn/layers.ts'
import { keyOf } from '../../ops/spec.ts'
import { blockSize } from '../../runtime/block-size.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import { crossEntropy } from '../losses.ts'
import { sgd } from '../optimizers.ts'
import { relativeDifference, runSteps } from '../testing/run-steps.ts'
import { type Layout, trainStep } from '../train-step.ts'

const block = (await blockSize(onnxruntimeNode)) as 8 | 16 | undefined
const why = block ? '' : ' (skipped: the kernels of this CPU have no blocks)'
const classes = 3

interface Net {
  readonly shape: readonly [channels: number, height: number, width: number]
  readonly batch?: number
  build(nn: Layers): Layer
}

/** A convolution without padding unless told, with all channels in whole blocks. */
const many = 32
const same = (nn: Layers, channels: number, kernel = 3, options = {}) =>
  nn.conv(channels, kernel, { padding: (kernel - 1) / 2, ...options })
const headed = (nn: Layers, ...layers: readonly Layer[]) =>
  nn.sequential(...layers, nn.tanh, nn.globalPool, nn.linear(classes))

const nets: Readonly<Record<string, Net>> = {
  'a residual network': {
    shape: [1, 8, 8],
    build(nn) {
      const normed = (channels: number, kernel: number, stride: number) =>
        nn.sequential(same(nn, channels, kernel, { stride, bias: false }), nn.norm())
      const branch = nn.sequential(normed(many, 3, 2), nn.tanh, normed(many, 3, 1))
      return headed(nn, normed(16, 3, 1), nn.tanh, nn.residual(branch, normed(many, 1, 2)))
    },
  },
  'biases and pools': {
    shape: [3, 8, 8],
    build: nn => headed(nn, same(nn, 16), nn.maxPool(2), nn.tanh, same(nn, many, 5), nn.maxPool(2)),
  },
  'convolutions without padding, 1x1 and large': {
    shape: [1, 9, 9],
    build: nn =>
      headed(
        nn,
        nn.conv(16, 3, { padding: 0 }),
        nn.tanh,
        nn.conv(many, 1),
        nn.tanh,
        nn.conv(16, [5, 3], { padding: 0 }),
      ),
  },
  'channels that fill no whole block': {
    shape: [16, 6, 6],
    build: nn => headed(nn, same(nn, 28), nn.norm(), nn.sigmoid, same(nn, 26), nn.norm()),
  },
  'functions that have no value at zero, on channels that fill no whole block': {
    shape: [16, 6, 6],
    build: nn =>
      headed(nn, same(nn, 28, 3, { bias: constant(9) }), x => nn.op.Sqrt([nn.op.Reciprocal([x])]), same(nn, 26)),
  },
  'sizes that a stride does not divide': {
    shape: [16, 7, 9],
    build: nn => headed(nn, same(nn, 16, 3, { stride: 2 }), nn.tanh, nn.conv(16, 3, { stride: 2, padding: 0 })),
  },
  'a stride of three and dilation': {
    shape: [16, 12, 12],
    build: nn => headed(nn, same(nn, 16, 3, { stride: 3 }), nn.tanh, nn.conv(16, 3, { dilation: 2, padding: 2 })),
  },
  'operators that have no blocked form in between': {
    shape: [16, 6, 6],
    build: nn => headed(nn, same(nn, 16), nn.prelu(), nn.maxPool(3, { stride: 1, padding: 1 }), nn.tanh, same(nn, 16)),
  },
  'a batch that fills no whole block': { shape: [1, 6, 6], batch: 20, build: nn => headed(nn, same(nn, 16)) },
  'a batch smaller than a block': {
    shape: [2, 6, 6],
    batch: 4,
    build: nn => headed(nn, same(nn, 16), nn.tanh, same(nn, 16)),
  },
}

const optimizer = sgd({ rate: 0.1, momentum: 0.9, weightDecay: 1e-3 })

function graphOf({ shape, build }: Net): Graph {
  return define({ image: f32(['N', ...shape]) }, ({ image }, nn) => ({ logits: build(nn)(image) }), { seed: 1 })
}

function stepOf(net: Net, layout: Layout) {
  return trainStep(graphOf(net), { loss: crossEntropy(), optimizer, batch: net.batch ?? 32, layout })
}

function batchesOf({ shape, batch = 32 }: Net, count: number) {
  const stream = random(7)
  return Array.from({ length: count }, () => ({
    image: fromNumbers(
      'float32',
      [batch, ...shape],
      Array.from({ length: batch * elementCount(shape) }, () => stream.normal()),
    ),
    target: fromNumbers(
      'int64',
      [batch],
      Array.from({ length: batch }, () => stream.integer(classes)),
    ),
  }))
}

describe.skipIf(!block)(`a blocked step${why}`, () => {
  const layout = { block: block! }

  test.each(Object.entries(nets))('trains as a portable one does: %s', async (_, net) => {
    const batches = batchesOf(net, 5)
    const expected = await runSteps(stepOf(net, 'portable'), optimizer, batches)
    const actual = await runSteps(stepOf(net, layout), optimizer, batches)
    expect(relativeDifference(actual.losses, expected.losses)).toBeLessThan(1e-5)
    for (const after of [1, 5]) {
      const tensors = actual.tensors[after - 1]!
      for (const [name, { shape, data }] of expected.tensors[after - 1]!) {
        expect(tensors.get(name)!.shape).toEqual(shape)
        const difference = relativeDifference(tensors.get(name)!.data as Float32Array, data as Float32Array)
        expect(difference, `${name} after ${after}`).toBeLessThan(1e-4)
      }
    }
  })

  test('normalizes what is far from zero, once the running mean is near it', async () => {
    const norm = (nn: Layers) => nn.sequential(nn.conv(16, 1, { bias: false }), nn.norm())
    const net: Net = { shape: [16, 4, 4], build: nn => headed(nn, norm(nn)) }
    const far = batchesOf(net, 80).map(({ image, target }) => ({
      image: { ...image, data: Float32Array.from(image.data as Float32Array, value => value + 300) },
      target,
    }))
    const variances = async (layout: Layout) => {
      const { tensors } = await runSteps(stepOf(net, layout), sgd({ rate: 1e-30 }), far)
      return [...tensors.at(-1)!].flatMap(([name, { data }]) => (name.endsWith('var') ? [data as Float32Array] : []))
    }
    const [expected, actual] = [await variances('portable'), await variances(layout)]
    expected.forEach((values, i) => {
      expect(relativeDifference(actual[i]!, values)).toBeLessThan(1e-4)
    })
  })

  test('rectifies, adds and normalizes in one go', async () => {
    const net: Net = {
      shape: [1, 8, 8],
      build(nn) {
        const normed = (channels: number, stride: number) =>
          nn.sequential(same(nn, channels, 3, { stride, bias: false }), nn.norm())
        const block = nn.sequential(nn.residual(nn.sequential(normed(16, 1), nn.relu, normed(16, 1))), nn.relu)
        return nn.sequential(normed(16, 1), nn.relu, block, nn.globalPool, nn.linear(classes))
      },
    }
    const step = stepOf(net, layout)
    expect(step.graph.nodes.filter(({ op }) => op === 'Relu')).toEqual([])
    const [batch] = batchesOf(net, 1)
    const [expected, actual] = [
      await runSteps(stepOf(net, 'portable'), optimizer, [batch!]),
      await runSteps(step, optimizer, [batch!]),
    ]
    for (const [name, { data }] of expected.tensors[0]!) {
      const difference = relativeDifference(actual.tensors[0]!.get(name)!.data as Float32Array, data as Float32Array)
      // Where a rectifier's input is all but zero, rounding decides.
      expect(difference, name).toBeLessThan(1e-3)
    }
  })

  test('stays in blocks from the first convolution to the pool', () => {
    const { graph } = stepOf(nets['a residual network']!, layout)
    const reorders = graph.nodes.filter(({ op }) => op.startsWith('Reorder'))
    expect(reorders.map(keyOf)).toEqual([])
    expect(graph.nodes.filter(node => keyOf(node) === 'Conv')).toEqual([])
  })

  test('gives equal weights on one thread, bit by bit', async () => {
    const net = nets['a residual network']!
    const [first, second] = [
      await runSteps(stepOf(net, layout), optimizer, batchesOf(net, 3)),
      await runSteps(stepOf(net, layout), optimizer, batchesOf(net, 3)),
    ]
    expect(second.tensors.at(-1)).toEqual(first.tensors.at(-1))
  })

  test('of a network without convolutions is the portable one', () => {
    const net: Net = { shape: [1, 2, 2], build: nn => nn.sequential(nn.flatten, nn.linear(classes)) }
    expect(stepOf(net, layout).graph).toEqual(stepOf(net, 'portable').graph)
  })
})
