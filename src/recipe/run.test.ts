import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { readIdxDataset } from '../data/node-files.ts'
import { readRunRecord } from '../report/run-file.ts'
import type { RunRecord } from '../report/run-record.ts'
import type { RunEvent } from './context.ts'
import { parseRecipe, type RecipeInput } from './recipe.ts'
import { run } from './run.ts'

const size = 8
let folder: string

/** Images of three classes (a bar on the left, in the middle, on top) in noise, as IDX files. */
async function writeImages(name: string, count: number): Promise<void> {
  const stream = random(5).fork(name)
  const pixels = new Uint8Array(count * size * size)
  const labels = new Uint8Array(count)
  for (let row = 0; row < count; row++) {
    const label = row % 3
    labels[row] = label
    for (let i = 0; i < size * size; i++) {
      const [y, x] = [Math.floor(i / size), i % size]
      const bar = [x < 3, x > 2 && x < 6, y < 3][label]
      pixels[row * size * size + i] = stream.uniform() * 200 + (bar ? 55 : 0)
    }
  }
  const header = (magic: number, ...sizes: number[]) => {
    const bytes = new DataView(new ArrayBuffer(4 + 4 * sizes.length))
    bytes.setUint32(0, magic)
    sizes.forEach((value, i) => {
      bytes.setUint32(4 + 4 * i, value)
    })
    return new Uint8Array(bytes.buffer)
  }
  await writeFile(join(folder, `${name}-images`), Buffer.concat([header(0x803, count, size, size), pixels]))
  await writeFile(join(folder, `${name}-labels`), Buffer.concat([header(0x801, count), labels]))
}

const training = (epochs: number) =>
  ({ epochs, batch: 16, optimizer: { type: 'adamW', rate: 0.01 }, schedule: { type: 'cosine' } }) as const

const input: RecipeInput = {
  name: 'bars',
  seed: 3,
  data: {
    source: {
      format: 'idx',
      train: { images: 'train-images', labels: 'train-labels' },
      test: { images: 'test-images', labels: 'test-labels' },
    },
    classes: ['left', 'middle', 'top'],
    validation: 60,
    normalize: { scale: 1 / 255, mean: [0.5], std: [0.25] },
  },
  members: [
    { name: 'perceptron', architecture: { type: 'mlp', hidden: [16] }, training: training(2) },
    {
      name: 'residual',
      architecture: { type: 'resnet-cifar', depth: 8, width: 0.5, activation: 'leakyRelu' },
      training: training(2),
      swapActivation: { to: 'relu', training: training(1) },
    },
    { name: 'convolutional', architecture: { type: 'simple-net' }, training: { ...training(2), shift: 1 } },
  ],
  compact: {
    steps: [
      { type: 'fold-batch-norm' },
      { type: 'swap-activation' },
      { type: 'prune', keep: 0.5, training: training(1) },
      { type: 'drop-blocks', training: training(1) },
    ],
  },
  quick: { train: 90, validation: 30, test: 30 },
}

const recipe = parseRecipe(input)
const path = () => join(folder, 'recipe.ts')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-run-'))
  await writeImages('train', 300)
  await writeImages('test', 90)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a run', () => {
  let record: RunRecord
  let out: string
  const events: RunEvent[] = []

  beforeAll(async () => {
    out = join(folder, 'whole')
    record = await run(recipe, { path: path(), out, threads: 1, onEvent: event => events.push(event) })
  })

  test('writes the record, the report and every model that the record names', async () => {
    expect(await readRunRecord(out)).toEqual(record)
    expect(record.status).toBe('complete')
    expect((await readdir(out)).sort()).toEqual([
      'compact.onnx',
      'ensemble.onnx',
      'ensembles',
      'members',
      'report.html',
      'run.json',
    ])
    for (const { file, bytes } of record.models) expect((await readFile(join(out, file!))).length).toBe(bytes)
  })

  test('measures every model', () => {
    expect(record.models.map(({ kind }) => kind).sort()).toEqual([
      'compact',
      'ensemble',
      'ensemble',
      'ensemble',
      'member',
      'member',
      'member',
    ])
    for (const { test: quality, latency, throughput, trainSeconds } of record.models) {
      expect(quality!.accuracy).toBeGreaterThan(1 / 3)
      expect(latency!.p95).toBeGreaterThanOrEqual(latency!.p50)
      expect(throughput).toBeGreaterThan(0)
      expect(trainSeconds).toBeGreaterThan(0)
    }
  })

  test('reports what a bare onnxruntime finds with the shipped files', async () => {
    const images = { images: join(folder, 'test-images'), labels: join(folder, 'test-labels') }
    const data = await readIdxDataset(images)
    const { image, label } = await data.read(Array.from({ length: data.size }, (_, i) => i))
    for (const { file, test: quality, name } of record.models) {
      const session = await InferenceSession.create(join(out, file!))
      const results = await session.run({ image: new Tensor('float32', image!.data as Float32Array, image!.shape) })
      await session.release()
      const labels = results.label!.data as BigInt64Array
      const right = labels.filter((found, i) => found === (label!.data as BigInt64Array)[i]).length
      expect(right / data.size, name).toBeCloseTo(quality!.accuracy, 12)
      expect(results.probabilities!.dims).toEqual([data.size, 3])
    }
  })

  test('tells of its progress', () => {
    expect(events.filter(({ type }) => type === 'stage').length).toBeGreaterThan(5)
    const trained = events.flatMap(event => (event.type === 'trained' ? [event.name] : []))
    expect(trained).toEqual(expect.arrayContaining(['perceptron', 'residual', 'residual-tuned', 'convolutional']))
  })

  test('makes compact models smaller, step by step', () => {
    const { steps } = record.compact!
    expect(steps.map(({ name }) => name)).toEqual(['fold-batch-norm', 'swap-activation', 'prune', 'drop-blocks'])
    expect(steps.at(-1)!.after.macs).toBeLessThan(steps[0]!.before.macs!)
  })

  test('that is stopped goes on where it was, to the same weights', async () => {
    const stopped = join(folder, 'stopped')
    const stop = new AbortController()
    const onEvent = (event: RunEvent) => {
      if (event.type === 'train' && event.name === 'residual' && event.progress.record?.epoch === 1) stop.abort()
    }
    const options = { path: path(), out: stopped, threads: 2 }
    await expect(run(recipe, { ...options, signal: stop.signal, onEvent })).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect((await readRunRecord(stopped)).status).toBe('interrupted')

    const resumed = await run(recipe, { ...options, resume: true })

    expect(resumed.status).toBe('complete')
    for (const { file } of record.models.filter(({ kind }) => kind === 'member')) {
      expect(await readFile(join(stopped, file!))).toEqual(await readFile(join(out, file!)))
    }
  })

  test('refuses a folder that holds one already, and to resume what it is not', async () => {
    await expect(run(recipe, { path: path(), out })).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(run(recipe, { path: path(), out, resume: true })).rejects.toMatchObject({
      message: expect.stringMatching(/complete/),
    })
    await expect(run({ ...recipe, seed: 4 }, { path: path(), out, resume: true })).rejects.toMatchObject({
      message: expect.stringMatching(/another recipe/),
    })
    await expect(run(recipe, { path: path(), out, resume: true, quick: true })).rejects.toMatchObject({
      message: expect.stringMatching(/begun without --quick/),
    })
    await expect(run(recipe, { path: path(), out: join(folder, 'nowhere'), resume: true })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe('a table', () => {
  /** Points on a line: their class, one of three, is told by where they are. */
  const table = (classes: readonly string[], rows: number) =>
    `x,y,class\n${Array.from({ length: rows }, (_, i) => {
      const c = i % classes.length
      return `${c + (i % 7) / 10},${-c},${classes[c]}\n`
    }).join('')}`
  const member = { name: 'one', architecture: { type: 'mlp', hidden: [4] }, training: training(1) } as const
  const tabular = (train: string, test: string, change: Partial<RecipeInput> = {}) =>
    parseRecipe({
      name: 'table',
      data: { source: { format: 'csv', train, test, target: 'class' }, input: 'features', validation: 30 },
      members: [member, { ...member, name: 'two' }],
      ...change,
    })
  const refusal = (of: ReturnType<typeof tabular>, out = 'refused') =>
    run(of, { path: path(), out: join(folder, out), threads: 1 }).then(
      () => undefined,
      (error: unknown) => error,
    )

  beforeAll(async () => {
    await writeFile(join(folder, 'three.csv'), table(['east', 'north', 'west'], 120))
    await writeFile(join(folder, 'two.csv'), table(['east', 'west'], 40))
    await writeFile(join(folder, 'one.csv'), table(['east'], 120))
    await writeFile(join(folder, 'wide.csv'), table(['east', 'north', 'west'], 30).replaceAll(',', ',0,'))
  })

  test('whose test part lacks a class is evaluated all the same', async () => {
    const out = join(folder, 'lacking')
    const { evaluation, models } = await run(tabular('three.csv', 'two.csv'), { path: path(), out, threads: 1 })
    expect(evaluation[0]!.roc.map(({ auc, points }) => [auc === null, points.length > 0])).toEqual([
      [false, true],
      [true, false],
      [false, true],
    ])
    expect(models[0]!.test!.rocAuc).toBeNull()
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('north')
  })

  test('that cannot be carried through is refused before anything is trained or written', async () => {
    const few = tabular('three.csv', 'two.csv', { choose: { folds: 11 } })
    expect(await refusal(few)).toMatchObject({
      code: 'invalid-data',
      message: expect.stringMatching(/10 rows of class 'east'.*11 folds/),
    })
    const unranked = tabular('two.csv', 'two.csv', { choose: { by: 'rocAuc' } })
    const named = { ...unranked, data: { ...unranked.data, classes: ['east', 'west', 'south'] } }
    expect(await refusal(named)).toMatchObject({ message: expect.stringMatching(/no row of class 'south'/) })
    expect(await refusal(tabular('one.csv', 'one.csv'))).toMatchObject({
      message: expect.stringMatching(/is of class 'east'/),
    })
    const wide = tabular('three.csv', 'wide.csv')
    expect(await refusal(wide)).toMatchObject({
      code: 'invalid-data',
      message: expect.stringMatching(/\[2\] in the train part/),
    })
    expect(await readdir(folder)).not.toContain('refused')
    expect(await refusal(few, 'two.csv')).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/is a file/),
    })
  })
})

describe('a recipe', () => {
  test('is refused with every problem and its place', () => {
    const wrong = { ...input, members: [{ ...input.members[0]!, training: { epochs: 0 } }], colour: 'red' }
    expect(() => parseRecipe(wrong, 'here.ts')).toThrow(/here\.ts.*\n.*members\.0\.training\.epochs.*\n.*colour/s)
  })

  test('refuses two members of one name', () => {
    expect(() => parseRecipe({ ...input, members: [input.members[0]!, input.members[0]!] })).toThrow(/two members/)
  })

  test('asks for more data than there is: refused before anything is trained', async () => {
    const greedy = parseRecipe({ ...input, data: { ...input.data, validation: 5000 } })
    await expect(run(greedy, { path: path(), out: join(folder, 'greedy') })).rejects.toMatchObject({
      code: 'invalid-data',
    })
  })
})
