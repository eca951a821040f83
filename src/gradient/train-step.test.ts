import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { elementCount, isFixed, isTensorType, type Shape } from '../base/shape.ts'
import { float32s, fromNumbers, scalar, type Tensor } from '../base/tensor.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { resnetCifar } from '../nn/architectures/resnet-cifar.ts'
import { define, f32 } from '../nn/define.ts'
import { extend } from '../read/extend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { crossEntropy, meanSquaredError } from './losses.ts'
import { adamW, type Optimizer, sgd } from './optimizers.ts'
import { relativeDifference, runSteps } from './testing/run-steps.ts'
import { fixBatch, trainStep, withTensors } from './train-step.ts'

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

/** One step's new tensors for a graph with an input `x`, on random data. */
async function stepOnce(graph: Graph, change: Partial<Parameters<typeof trainStep>[1]> = {}, seed = 1) {
  const optimizer = change.optimizer ?? sgd({ rate: 1, momentum: 0 })
  const step = trainStep(graph, { loss: meanSquaredError(), optimizer, batch: 4, ...change })
  const stream = random(seed)
  const drawn = (type: Graph['inputs'][number]['type']) => {
    if (!isTensorType(type) || !isFixed(type.shape)) throw new Error('a shape is not fixed')
    const values = Array.from({ length: elementCount(type.shape) }, () => stream.normal())
    return fromNumbers(type.dtype, type.shape, values)
  }
  const data = step.graph.inputs.filter(({ name }) => step.data.includes(name))
  const batch = Object.fromEntries([...data, step.target].map(({ name, type }) => [name, drawn(type)]))
  const { tensors, losses } = await runSteps(step, optimizer, [batch])
  return { step, loss: losses[0]!, tensors: tensors[0]!, batch }
}

describe('a training step of a model with several outputs', () => {
  const graph = define(
    { x: f32(['N', 3]) },
    ({ x }, nn) => {
      const trunk = nn.tanh(nn.linear(4, { name: 'trunk' })(x))
      return { first: nn.linear(2, { name: 'a' })(trunk), second: nn.linear(2, { name: 'b' })(trunk) }
    },
    { seed: 1 },
  )

  test('trains towards the one that is named, and leaves the other as it was, weight decay included', async () => {
    const { tensors } = await stepOnce(graph, {
      prediction: 'second',
      optimizer: sgd({ rate: 0.1, weightDecay: 0.5 }),
      decays: () => true,
    })
    expect([...tensors.keys()].sort()).toEqual(['b.bias', 'b.weight', 'trunk.bias', 'trunk.weight'])
  })

  test('asks which one where none is named', () => {
    expect(() => trainStep(graph, { loss: meanSquaredError(), optimizer: sgd(), batch: 2 })).toThrow(/first, second/)
  })
})

describe('a training step trains', () => {
  test('a bias of one element', async () => {
    const graph = define({ x: f32(['N', 3]) }, ({ x }, nn) => ({ y: nn.linear(1, { name: 'l' })(x) }), { seed: 1 })
    const { tensors } = await stepOnce(graph)
    expect(tensors.get('l.bias')!.data).not.toEqual(graph.initializers.get('l.bias')!.data)
  })

  test('what a layer with dropped values learns, and drops different ones each time', async () => {
    const graph = define(
      { x: f32(['N', 8]) },
      ({ x }, nn) => ({ y: nn.linear(2, { name: 'l' })(nn.dropout(0.5)(nn.norm({ name: 'n' })(x))) }),
      { seed: 1 },
    )
    const optimizer = sgd({ rate: 1e-30, momentum: 0 })
    const step = trainStep(graph, { loss: meanSquaredError(), optimizer, batch: 4 })
    const batch = {
      x: float32s(
        [4, 8],
        new Array(32).fill(0).map((_, i) => Math.sin(i)),
      ),
      target: float32s([4, 2], new Float32Array(8)),
    }
    const { losses, tensors } = await runSteps(step, optimizer, [batch, batch, batch])
    expect(new Set(losses).size).toBe(3)
    expect(tensors[0]!.get('n.running_mean')!.data).not.toEqual(graph.initializers.get('n.running_mean')!.data)
  })

  test('around a Resize, whose scales stay constants', async () => {
    const graph = define(
      { x: f32(['N', 1, 4, 4]) },
      ({ x }, { op, conv }) => {
        const scales = op.constant(float32s([4], [1, 1, 2, 2]), 'scales')
        return {
          y: conv(1, 3, { name: 'c2' })(op.Resize([conv(2, 3, { name: 'c1' })(x), null, scales], { mode: 'nearest' })),
        }
      },
      { seed: 1 },
    )
    const { tensors } = await stepOnce(graph, { decays: () => true })
    expect([...tensors.keys()].sort()).toEqual(['c1.bias', 'c1.weight', 'c2.bias', 'c2.weight'])
  })

  test('a model that lists its initializers as inputs, as old files do', async () => {
    const plain = models.Mlp()
    const listed = [...plain.initializers].map(([name, { dtype, shape }]) => ({ name, type: { dtype, shape } }))
    const old = { ...plain, inputs: [...plain.inputs, ...listed] }
    const [a, b] = [await stepOnce(plain), await stepOnce(old)]
    expect(b.step.data).toEqual(['x'])
    expect(b.tensors).toEqual(a.tensors)
  })

  test('a model that uses the names of the step', async () => {
    const graph = define({ target: f32(['N', 3]) }, ({ target }, nn) => ({ y: nn.linear(2)(target) }), { seed: 1 })
    const { step, tensors } = await stepOnce(graph)
    expect(step.target.name).not.toBe('target')
    expect(tensors.size).toBe(2)
  })

  test('nothing of a frozen normalisation, which then runs as it infers', async () => {
    const graph = define(
      { x: f32(['N', 2, 4, 4]) },
      ({ x }, nn) => ({ y: nn.sequential(nn.norm({ name: 'bn' }), nn.conv(1, 3, { name: 'c' }))(x) }),
      { seed: 1 },
    )
    const { step, tensors, loss, batch } = await stepOnce(graph, { trainable: name => name.startsWith('c') })
    expect([...tensors.keys()].sort()).toEqual(['c.bias', 'c.weight'])
    expect(step.graph.nodes.some(({ op, attributes }) => op === 'BatchNormalization' && attributes.training_mode)).toBe(
      false,
    )
    await using session = await onnxruntimeNode.open(graph)
    const y = (await session.run({ x: batch.x! })).y!.data as Float32Array
    const wanted = batch.target!.data as Float32Array
    expect(y.reduce((sum, value, i) => sum + (value - wanted[i]!) ** 2, 0) / y.length).toBeCloseTo(loss, 5)
  })
})

test('clipping scales the whole gradient down to the norm, and leaves smaller ones alone', async () => {
  const graph = models.Mlp()
  const change = (tensors: ReadonlyMap<string, Tensor>) =>
    [...tensors].flatMap(([name, { data }]) =>
      Array.from(data as Float32Array, (value, i) => value - (graph.initializers.get(name)!.data as Float32Array)[i]!),
    )
  const norm = (values: readonly number[]) => Math.hypot(...values)
  const plain = change((await stepOnce(graph)).tensors)
  const clipped = change((await stepOnce(graph, { clipNorm: norm(plain) / 4 })).tensors)
  expect(norm(clipped) / norm(plain)).toBeCloseTo(0.25, 4)
  expect(
    relativeDifference(
      clipped.map(value => 4 * value),
      plain,
    ),
  ).toBeLessThan(1e-4)
  const loose = change((await stepOnce(graph, { clipNorm: norm(plain) * 4 })).tensors)
  expect(loose).toEqual(plain)
})

describe('fixBatch', () => {
  const shaped = (...shapes: readonly Shape[]): Graph => ({
    ...emptyGraph('g'),
    inputs: shapes.map((shape, i) => ({ name: `x${i}`, type: { dtype: 'float32', shape } })),
    outputs: [{ name: 'y', type: { dtype: 'float32', shape: ['N', 'L'] } }],
  })
  const shapesOf = ({ inputs }: Graph) => inputs.map(({ type }) => isTensorType(type) && type.shape)

  test('sets the first dimension of every input, and its symbol wherever it stands', () => {
    const fixed = fixBatch(shaped(['N', 'L', 'N'], ['M', 3]), 4)
    expect(shapesOf(fixed)).toEqual([
      [4, 'L', 4],
      [4, 3],
    ])
    expect(fixed.outputs[0]!.type).toEqual({ dtype: 'float32', shape: [4, 'L'] })
  })

  test('leaves other dimensions alone of which as little is known', () => {
    expect(shapesOf(fixBatch(shaped(['', 3, '', '']), 4))).toEqual([[4, 3, '', '']])
  })

  test('gives inputs of another size the batch, and refuses those that have no first dimension', () => {
    for (const size of [1, 3, 4]) expect(shapesOf(fixBatch(shaped([size, 2]), 4))).toEqual([[4, 2]])
    expect(() => fixBatch(shaped([]), 4)).toThrow(/'x0' has no first dimension.*float32\[\]/)
  })

  test('refuses a model that holds on to the size that it was written for', () => {
    const holding = (target: readonly number[]) =>
      extend(shaped([1, 2, 3]), (op, draft) => {
        const flat = op.MatMul([
          op.Reshape(['x0', op.ints(target)]),
          op.constant(float32s([6, 1], new Float32Array(6))),
        ])
        draft.outputs[0] = { name: flat, type: op.type(flat) }
      })
    const options = { loss: meanSquaredError(), optimizer: sgd(), batch: 4 }
    expect(() => trainStep(holding([1, 6]), options)).toThrow(/written for batches of 1 and does not fit 4/)
    expect(trainStep(holding([-1, 6]), options).batch).toBe(4)
    const swapped = extend(shaped([1, 3]), (op, draft) => {
      const y = op.Transpose([op.Mul(['x0', op.constant(float32s([3], [1, 2, 3]))])], { perm: [1, 0] })
      draft.outputs[0] = { name: y, type: op.type(y) }
    })
    expect(() => trainStep(swapped, options)).toThrow(/shape \[3,4\] for a batch of 4/)
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
