import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { float32s, fromNumbers, numbers } from '../base/tensor.ts'
import { type Dataset, tensorDataset } from '../data/dataset.ts'
import { crossEntropy, meanSquaredError } from '../gradient/losses.ts'
import { adamW, sgd } from '../gradient/optimizers.ts'
import { withTensors } from '../gradient/train-step.ts'
import type { Graph } from '../graph/graph.ts'
import { define, f32, i64 } from '../nn/define.ts'
import type { Backend } from '../runtime/backend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { constant, cosine } from './schedule.ts'
import { type TrainOptions, type TrainProgress, train, type Validation } from './train.ts'

const rows = 75

/** Two moons' simple cousin: the class is whether x lies inside of a circle. */
function circle(seed: number): Dataset {
  const stream = random(seed)
  const x = Float32Array.from({ length: 2 * rows }, () => 2 * stream.uniform() - 1)
  const label = Array.from({ length: rows }, (_, i) => (x[2 * i]! ** 2 + x[2 * i + 1]! ** 2 < 0.5 ? 1 : 0))
  return tensorDataset({ x: float32s([rows, 2], x), label: fromNumbers('int64', [rows], label) })
}

const data = circle(1)
const net = (seed = 1): Graph =>
  define(
    { x: f32(['N', 2]) },
    ({ x }, nn) => ({ logits: nn.sequential(nn.linear(16), nn.norm(), nn.tanh, nn.linear(2))(x) }),
    { seed },
  )

const options: TrainOptions = {
  loss: crossEntropy(),
  optimizer: adamW({ rate: 0.05, weightDecay: 0 }),
  schedule: cosine({ warmup: 0.1 }),
  batch: 16,
  epochs: 4,
  seed: 7,
  backend: onnxruntimeNode,
  threads: 1,
  layout: 'portable',
}

/** Scores that were written down before, one an epoch. */
function scripted(scores: readonly number[], direction: Validation['direction'] = 'maximize'): Validation {
  let next = 0
  return { monitor: 'score', direction, score: async () => ({ score: scores[next++]! }) }
}

const weightsOf = (graph: Graph) => [...graph.initializers].map(([name, { data: values }]) => [name, values] as const)

/** Counts sessions that are open. */
function counting(): Backend & { open: Backend['open']; readonly alive: () => number } {
  let alive = 0
  return {
    name: 'counting',
    alive: () => alive,
    async open(model, how) {
      const session = await onnxruntimeNode.open(model, how)
      alive++
      return {
        inputs: session.inputs,
        outputs: session.outputs,
        run: (feeds, fetch) => session.run(feeds, fetch),
        async [Symbol.asyncDispose]() {
          alive--
          await session[Symbol.asyncDispose]()
        },
      }
    },
  }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-train-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('train', () => {
  test('learns a task, and tells what each epoch did', async () => {
    const { graph, history, epoch, seconds, stoppedEarly } = await train(net(), data, { ...options, epochs: 60 })
    expect(history.map(record => record.epoch)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss / 2)
    expect(history.at(-1)!.rate).toBeLessThan(history[9]!.rate)
    for (const record of history) {
      expect(record.seconds).toBeGreaterThan(0)
      // Four full batches; the eleven rows that are left over wait for another order.
      expect(record.throughput * record.seconds).toBeCloseTo(64, 6)
    }
    expect([epoch, stoppedEarly]).toEqual([60, false])
    expect(seconds).toBeCloseTo(
      history.reduce((sum, record) => sum + record.seconds, 0),
      6,
    )
    await using session = await onnxruntimeNode.open(graph)
    const test = await circle(2).read(Array.from({ length: rows }, (_, i) => i))
    const logits = numbers((await session.run({ x: test.x! })).logits!)
    const right = Array.from(numbers(test.label!)).filter((y, i) => (logits[2 * i + 1]! > logits[2 * i]! ? 1 : 0) === y)
    expect(right.length / rows).toBeGreaterThan(0.85)
  })

  test('gives the same weights for the same seed, and others for another', async () => {
    const [first, second, other] = [
      await train(net(), data, options),
      await train(net(), data, options),
      await train(net(), data, { ...options, seed: 8 }),
    ]
    expect(weightsOf(second.graph)).toEqual(weightsOf(first.graph))
    expect(weightsOf(other.graph)).not.toEqual(weightsOf(first.graph))
  })

  test('leaves the graph that it was given as it was, and trains statistics too', async () => {
    const graph = net()
    const before = structuredClone(weightsOf(graph))
    const { graph: trained } = await train(graph, data, { ...options, epochs: 1 })
    expect(weightsOf(graph)).toEqual(before)
    const changed = weightsOf(trained).filter(([name, values], i) => {
      expect(name).toBe(before[i]![0])
      return JSON.stringify(values) !== JSON.stringify(before[i]![1])
    })
    expect(changed).toHaveLength(before.length)
  })

  test('changes batches by the transform, each row in its own way', async () => {
    const seen: number[] = []
    await train(net(), data, {
      ...options,
      epochs: 1,
      transform: (batch, randomOf) => {
        seen.push(randomOf(0).uniform(), randomOf(1).uniform())
        return { ...batch, x: fromNumbers('float32', batch.x!.shape, new Float32Array(32)) }
      },
    })
    expect(new Set(seen).size).toBe(8)
  })

  test('tells progress within epochs and at their ends', async () => {
    const told: TrainProgress[] = []
    await train(net(), data, { ...options, onProgress: progress => told.push(progress) })
    const ends = told.filter(({ record }) => record)
    expect(ends.map(({ epoch, epochs, step, steps }) => [epoch, epochs, step, steps])).toEqual(
      [1, 2, 3, 4].map(epoch => [epoch, 4, 4, 4]),
    )
    expect(ends.at(-1)!.remainingSeconds).toBe(0)
    expect(ends[0]!.remainingSeconds).toBeGreaterThan(0)
  })

  test('trains on whole numbers as inputs, towards another field, with another loss', async () => {
    const graph = define({ id: i64(['N']) }, ({ id }, nn) => ({ y: nn.embedding(5, 1)(id) }), { seed: 3 })
    const ids = Array.from({ length: 50 }, (_, i) => i % 5)
    const values = tensorDataset({
      id: fromNumbers('int64', [50], ids),
      wanted: float32s(
        [50, 1],
        ids.map(id => id ** 2),
      ),
    })
    const { graph: trained } = await train(graph, values, {
      ...options,
      loss: meanSquaredError(),
      optimizer: sgd({ rate: 0.5, momentum: 0 }),
      schedule: constant(),
      target: 'wanted',
      epochs: 40,
      batch: 10,
    })
    const [table] = [...trained.initializers.values()]
    Array.from(numbers(table!)).forEach((value, id) => {
      expect(value).toBeCloseTo(id ** 2, 2)
    })
  })
})

describe('with a validation', () => {
  test('the best epoch is given back, of equals the first', async () => {
    const kept: (readonly [string, unknown])[][] = []
    const validation = scripted([0.1, 0.9, 0.5, 0.9])
    const noting = {
      ...validation,
      score: (graph: Graph) => {
        kept.push(weightsOf(graph))
        return validation.score(graph)
      },
    }
    const { graph, epoch, history } = await train(net(), data, { ...options, validation: noting })
    expect(epoch).toBe(2)
    expect(history.map(record => record.validation.score)).toEqual([0.1, 0.9, 0.5, 0.9])
    expect(weightsOf(graph)).toEqual(kept[1])
    const last = await train(net(), data, {
      ...options,
      validation: scripted([0.1, 0.9, 0.5, 0.9]),
      restoreBest: false,
    })
    expect(last.epoch).toBe(4)
    expect(weightsOf(last.graph)).toEqual(kept[3])
  })

  test('training stops when patience ends', async () => {
    const validation = scripted([3, 2, 5, 4, 1], 'minimize')
    const { history, epoch, stoppedEarly } = await train(net(), data, {
      ...options,
      epochs: 5,
      validation,
      patience: 2,
    })
    expect([history.length, epoch, stoppedEarly]).toEqual([4, 2, true])
  })

  test('a score that is no number is never the best', async () => {
    const nan = Number.NaN
    const { epoch } = await train(net(), data, { ...options, validation: scripted([nan, 0.2, nan, 0.1]) })
    expect(epoch).toBe(2)
  })

  test('a score that is not given is refused rather than never improved on', async () => {
    const validation: Validation = { monitor: 'f1', direction: 'maximize', score: async () => ({ accuracy: 1 }) }
    await expect(train(net(), data, { ...options, validation })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/'f1'.*accuracy/),
    })
  })
})

describe('stopped', () => {
  test('and gone on with, training ends with the same weights as never stopped', async () => {
    const path = join(folder, 'deep', 'checkpoint.safetensors')
    const scores = [0.5, Number.POSITIVE_INFINITY, 0.4, 0.3]
    const whole = await train(net(), data, { ...options, validation: scripted(scores) })

    const backend = counting()
    const stop = new AbortController()
    const stopped = train(net(), data, {
      ...options,
      backend,
      checkpoint: { path, fingerprint: 'a' },
      validation: scripted(scores),
      signal: stop.signal,
      onProgress: ({ record }) => record?.epoch === 2 && stop.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ name: 'SinterError', code: 'interrupted' })
    expect(backend.alive()).toBe(0)

    const resumed = await train(net(), data, {
      ...options,
      checkpoint: { path, fingerprint: 'a' },
      validation: scripted(scores.slice(2)),
    })
    expect(weightsOf(resumed.graph)).toEqual(weightsOf(whole.graph))
    expect(resumed.history.map(({ epoch, loss, rate, validation }) => ({ epoch, loss, rate, validation }))).toEqual(
      whole.history.map(({ epoch, loss, rate, validation }) => ({ epoch, loss, rate, validation })),
    )
    expect(resumed.epoch).toBe(2)

    const done = await train(net(), data, {
      ...options,
      checkpoint: { path, fingerprint: 'a' },
      validation: scripted([]),
    })
    expect(weightsOf(done.graph)).toEqual(weightsOf(whole.graph))
  })

  test('before it began, nothing runs', async () => {
    const backend = counting()
    await expect(train(net(), data, { ...options, backend, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect(backend.alive()).toBe(0)
  })
})

describe('a checkpoint is refused', () => {
  const checkpoint = () => ({ path: join(folder, 'refused.safetensors'), fingerprint: 'a' })
  const again = (change: Partial<TrainOptions> = {}, graph = net()) =>
    train(graph, data, { ...options, epochs: 1, checkpoint: checkpoint(), ...change })

  test('of another training', async () => {
    await again()
    await expect(again({ checkpoint: { ...checkpoint(), fingerprint: 'b' } })).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringMatching(/another model, data or options. Delete it/),
    })
  })

  test('of another model or optimizer under the same name, before it does harm', async () => {
    const wider = define({ x: f32(['N', 2]) }, ({ x }, nn) => ({ logits: nn.linear(2)(x) }), { seed: 1 })
    await expect(again({}, wider)).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringMatching(/does not fit/),
    })
    await expect(again({ optimizer: sgd() })).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringMatching(/momentum/),
    })
  })

  test('cut short, or something else', async () => {
    const { path } = checkpoint()
    const { length } = await readFile(path)
    await truncate(path, length - 5)
    await expect(again()).rejects.toMatchObject({ code: 'invalid-data', message: expect.stringContaining(path) })
    await writeFile(path, 'hello, I am a text')
    await expect(again()).rejects.toMatchObject({ code: 'invalid-data' })
  })
})

describe('train refuses', () => {
  const refused = (change: Partial<TrainOptions>, code: string, message: RegExp, from: Dataset = data) =>
    expect(train(net(), from, { ...options, ...change })).rejects.toMatchObject({
      name: 'SinterError',
      code,
      message: expect.stringMatching(message),
    })

  test('numbers of epochs, patience and rows that make no sense', async () => {
    for (const epochs of [0, 1.5, Number.NaN]) await refused({ epochs }, 'invalid-argument', /epochs/)
    for (const patience of [0, Number.NaN]) await refused({ patience }, 'invalid-argument', /patience/)
    for (const batch of [0, 2.5]) await refused({ batch }, 'invalid-argument', /batch size/)
    for (const clipNorm of [0, -1, Number.NaN]) await refused({ clipNorm }, 'invalid-argument', /clipNorm/)
    await refused({ batch: rows + 1 }, 'invalid-data', /75 rows, fewer than one batch of 76/)
  })

  test('data without a field, or with one of another type or shape, before anything runs', async () => {
    const { x, label } = await data.read(Array.from({ length: rows }, (_, i) => i))
    const from = (fields: Parameters<typeof tensorDataset>[0]) => tensorDataset(fields)
    await refused({}, 'invalid-data', /no field 'label'; it has x/, from({ x: x! }))
    await refused({ target: 'y' }, 'invalid-data', /no field 'y'/)
    const floats = fromNumbers('float32', [rows], numbers(label!))
    await refused(
      {},
      'invalid-data',
      /'label' has rows of float32\[\], but the expected.*int64\[\]/,
      from({ x: x!, label: floats }),
    )
    const wide = fromNumbers('float32', [rows, 1, 2], numbers(x!))
    await refused({}, 'invalid-data', /'x' has rows of float32\[1,2\].*float32\[2\]/, from({ x: wide, label: label! }))
  })

  test('labels that are no class', async () => {
    const { x } = await data.read(Array.from({ length: rows }, (_, i) => i))
    const label = fromNumbers('int64', [rows], new Array(rows).fill(-1))
    await refused({}, 'invalid-data', /label -1, but the model knows 2 classes/, tensorDataset({ x: x!, label }))
  })

  test('data that is no number, and says so rather than blame the learning rate', async () => {
    const { label } = await data.read(Uint32Array.from({ length: data.size }, (_, i) => i))
    const x = float32s([data.size, 2], new Array(2 * data.size).fill(Number.NaN))
    await refused({}, 'invalid-data', /'x' holds NaN in the batch of step 1/, tensorDataset({ x, label: label! }))
  })

  test('to go on once the loss or the weights are no longer finite', async () => {
    const backend = counting()
    await refused(
      { optimizer: sgd({ rate: 1e30, momentum: 0 }), schedule: constant(), backend },
      'diverged',
      /lower the learning rate/,
    )
    expect(backend.alive()).toBe(0)
    const graph = net()
    const first = [...graph.initializers.keys()][0]!
    const value = graph.initializers.get(first)!
    const broken = withTensors(
      graph,
      new Map([[first, fromNumbers('float32', value.shape, new Array(32).fill(Number.NaN))]]),
    )
    await expect(train(broken, data, options)).rejects.toMatchObject({ code: 'diverged' })
  })
})
