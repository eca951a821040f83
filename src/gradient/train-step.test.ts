import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { float32s, fromNumbers, scalar, type Tensor } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { resnetCifar } from '../nn/architectures/resnet-cifar.ts'
import { define, f32 } from '../nn/define.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { crossEntropy } from './losses.ts'
import { adamW, type Optimizer, sgd } from './optimizers.ts'
import { fixBatch, type TrainStep, trainedTensors, trainStep, withTensors } from './train-step.ts'

interface Golden {
  readonly name: string
  readonly model: 'Mlp' | 'Residual'
  readonly optimizer: string
  readonly labelSmoothing: number
  readonly shape: readonly number[]
  readonly start: Readonly<Record<string, readonly number[]>>
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly losses: readonly number[]
  readonly after: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
}

const { cases } = JSON.parse(readFileSync(new URL('goldens/training.json', import.meta.url), 'utf8')) as {
  cases: Golden[]
}

const models: Readonly<Record<Golden['model'], () => Graph>> = {
  Mlp: () =>
    define(
      { x: f32(['N', 6]) },
      ({ x }, nn) => ({
        logits: nn.sequential(nn.linear(8, { name: 'linear1' }), nn.tanh, nn.linear(4, { name: 'linear2' }))(x),
      }),
      { seed: 0 },
    ),
  Residual: () =>
    define(
      { x: f32(['N', 1, 8, 8]) },
      ({ x }, nn) => {
        const softplus = (value: string) => nn.op.Softplus([value])
        const conv = (name: string, channels: number, kernel: number, options = {}) =>
          nn.conv(channels, kernel, { bias: false, name, ...options })
        const stem = softplus(nn.norm({ name: 'bn1' })(conv('conv1', 4, 3)(x)))
        const branch = nn.norm({ name: 'bn2' })(conv('conv2', 8, 3, { stride: 2, padding: 1 })(stem))
        const sum = softplus(nn.add(branch, conv('shortcut', 8, 1, { stride: 2, padding: 0 })(stem)))
        const last = softplus(conv('conv3', 8, 3, { groups: 2, bias: true })(sum))
        return { logits: nn.linear(3, { name: 'fc' })(nn.globalPool(nn.maxPool(2)(last))) }
      },
      { seed: 0 },
    ),
}

const optimizers: Readonly<Record<string, Optimizer>> = {
  'plain sgd': sgd({ rate: 0.1, momentum: 0 }),
  sgd: sgd({ rate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-2 }),
  adamW: adamW({ rate: 1e-2, weightDecay: 1e-2 }),
}

/** Runs steps at the optimizer's full rate; gives the losses and the model's tensors after each. */
async function runSteps(step: TrainStep, optimizer: Optimizer, batches: readonly Readonly<Record<string, Tensor>>[]) {
  await using session = await onnxruntimeNode.open(step.graph, { threads: 1 })
  let state = new Map(step.state.map(({ input, initial }) => [input, initial]))
  const losses: number[] = []
  const tensors: ReadonlyMap<string, Tensor>[] = []
  for (const [i, batch] of batches.entries()) {
    const scalars: Readonly<Record<string, number>> = { rate: optimizer.rate, ...optimizer.scalars(i + 1) }
    const feeds: Record<string, Tensor> = { ...Object.fromEntries(state), ...batch }
    for (const { name, input } of step.scalars) feeds[input] = scalar('float32', scalars[name]!)
    const results = await session.run(feeds)
    state = new Map(step.state.map(({ input, output }) => [input, results[output]!]))
    losses.push(Number(results[step.loss]!.data[0]))
    tensors.push(trainedTensors(step, state))
  }
  return { losses, tensors }
}

/** Euclidean distance over Euclidean length. */
function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [distance, length] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    distance += (actual[i]! - expected[i]!) ** 2
    length += expected[i]! ** 2
  }
  return Math.sqrt(distance / length)
}

describe('a training step agrees with PyTorch in float64', () => {
  test.each(cases)('$name', async golden => {
    const untrained = models[golden.model]()
    const start = new Map(
      [...untrained.initializers].flatMap(([name, { shape }]) => {
        const values = golden.start[name]
        return values ? [[name, fromNumbers('float32', shape, values)] as const] : []
      }),
    )
    expect([...start.keys()].sort()).toEqual(Object.keys(golden.start).sort())
    const graph = withTensors(untrained, start)
    const optimizer = optimizers[golden.optimizer]!
    const [batch] = golden.shape
    const loss = crossEntropy({ labelSmoothing: golden.labelSmoothing })
    const step = trainStep(graph, { loss, optimizer, batch: batch!, decays: () => true })
    const size = golden.x.length / golden.losses.length
    const batches = golden.losses.map((_, i) => ({
      x: float32s(golden.shape, golden.x.slice(i * size, (i + 1) * size)),
      target: fromNumbers('int64', [batch!], golden.y.slice(i * batch!, (i + 1) * batch!)),
    }))

    const { losses, tensors } = await runSteps(step, optimizer, batches)

    expect(relativeDifference(losses, golden.losses)).toBeLessThan(1e-5)
    for (const [after, expected] of Object.entries(golden.after)) {
      const trained = tensors[Number(after) - 1]!
      for (const [name, values] of Object.entries(expected)) {
        const { data } = trained.get(name)!
        expect(relativeDifference(data as Float32Array, values), `${name} after ${after}`).toBeLessThan(1e-4)
      }
    }
  })
})

describe('running statistics', () => {
  const graph = resnetCifar({ depth: 8, channels: 1, size: 12, width: 0.25, seed: 1 })
  const options = { loss: crossEntropy(), optimizer: sgd({ rate: 1e-30 }), batch: 8 }
  const image = float32s(
    [8, 1, 12, 12],
    Float32Array.from({ length: 8 * 144 }, (_, i) => Math.sin(i * 1.7)),
  )
  const feeds = { image, target: fromNumbers('int64', [8], [0, 1, 2, 3, 4, 5, 6, 7]) }

  test('are not among what the optimizer updates', () => {
    const { state } = trainStep(graph, options)
    const held = (role: string) =>
      state.filter(entry => entry.role === role).flatMap(({ holds }) => holds.map(({ name }) => name))
    expect(held('parameter').filter(name => name.includes('running'))).toEqual([])
    expect(held('statistic')).toHaveLength(18)
    expect(held('statistic').every(name => name.includes('running'))).toBe(true)
  })

  test('come to be those of the data, so that inference sees what training saw', async () => {
    const step = trainStep(graph, options)
    const { tensors } = await runSteps(step, options.optimizer, new Array(150).fill(feeds))
    await using inference = await onnxruntimeNode.open(withTensors(graph, tensors.at(-1)!))
    await using training = await onnxruntimeNode.open(step.graph)
    const state = Object.fromEntries(step.state.map(({ input, initial }) => [input, initial]))
    const scalars = Object.fromEntries(step.scalars.map(({ input }) => [input, scalar('float32', 0)]))
    const seen = await training.run({ ...state, ...scalars, ...feeds }, [step.prediction])
    const inferred = await inference.run({ image })
    // The running variance is unbiased, the batch's is not: at 8 x 144 values that is a difference of a thousandth.
    const difference = relativeDifference(
      inferred.logits!.data as Float32Array,
      seen[step.prediction]!.data as Float32Array,
    )
    expect(difference).toBeLessThan(0.05)
  })
})

describe('a training step refuses', () => {
  const net = models.Mlp()

  test('a batch size that is no whole number', () => {
    expect(() => fixBatch(net, 1.5)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  test('an output that is not there', () => {
    const options = { loss: crossEntropy(), optimizer: sgd(), batch: 2, prediction: 'scores' }
    expect(() => trainStep(net, options)).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining('logits') }),
    )
  })

  test('to train when everything is frozen', () => {
    const options = { loss: crossEntropy(), optimizer: sgd(), batch: 2, trainable: () => false }
    expect(() => trainStep(net, options)).toThrow(expect.objectContaining({ code: 'not-supported' }))
  })

  test('tensors of another graph', () => {
    expect(() => withTensors(net, new Map([['elsewhere', scalar('float32', 1)]]))).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    )
  })
})
