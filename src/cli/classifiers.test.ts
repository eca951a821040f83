import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isTensorType } from '../base/shape.ts'
import { tensor } from '../base/tensor.ts'
import { writeNpz } from '../data/testing/write-npz.ts'
import { attribute } from '../graph/attributes.ts'
import { node } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'
import { define, f32 } from '../nn/define.ts'
import { load, save } from '../read/model-file.ts'
import { type Blobs, makeBlobs, network, points } from './testing/blobs.ts'
import { sinter } from './testing/run.ts'

let blobs: Blobs
let at: Blobs['at']

beforeAll(async () => {
  blobs = await makeBlobs()
  at = blobs.at
  for (const [from, to] of [
    ['net.onnx', 'a.onnx'],
    ['ready.onnx', 'b.onnx'],
  ] as const) {
    const trained = await sinter(
      ...['train', at(from), '--data', at('train.npz'), '--validation', at('test.npz'), '-o', at(to)],
      ...['--epochs', '8', '--batch', '16', '--rate', '0.02', '--threads', '1', '--json'],
    )
    expect(trained.code).toBe(0)
    expect(trained.json().after.accuracy).toBeGreaterThan(0.9)
  }
})
afterAll(() => blobs.remove())

describe('sinter train', () => {
  const options = ['--epochs', '3', '--batch', '16', '--threads', '1', '--seed', '5', '--json']

  test('trains logits, tells of each epoch on standard error and of all in its document', async () => {
    const { code, err, json } = await sinter(
      ...['train', at('net.onnx'), '--data', at('train.npz'), '-o', at('t.onnx'), ...options],
    )
    expect(code).toBe(0)
    expect(err).toContain('epoch 3/3')
    const document = json()
    expect(document).toMatchObject({ rows: 240, logits: 'logits', epochs: 3, before: null, after: null })
    expect(document.history).toHaveLength(3)
    expect(document.history[2].loss).toBeLessThan(document.history[0].loss)
  })

  test('trains a file with a classifier head on the logits in front of it, and keeps all but the weights', async () => {
    const [before, after] = [await load(at('ready.onnx')), await load(at('b.onnx'))]
    expect(after.nodes).toEqual(before.nodes)
    expect(after.outputs).toEqual(before.outputs)
    expect(after.metadata).toEqual(before.metadata)
    const changed = [...after.initializers].filter(
      ([name, { data }]) => data[0] !== before.initializers.get(name)!.data[0],
    )
    expect(changed.length).toBeGreaterThan(0)
  })

  test('gives equal weights for equal seeds on one thread, also when it goes on from a checkpoint', async () => {
    const run = async (out: string, ...more: string[]) => {
      const args = ['train', at('net.onnx'), '--data', at('train.npz'), '-o', at(out), ...options, ...more]
      expect((await sinter(...args)).code).toBe(0)
      return readFile(at(out))
    }
    const once = await run('once.onnx')
    expect(await run('again.onnx')).toEqual(once)
    const kept = ['--checkpoint', at('kept.checkpoint')]
    expect(await run('kept.onnx', ...kept)).toEqual(once)
    expect(await run('kept.onnx', ...kept)).toEqual(once)
    const other = await sinter(
      ...['train', at('net.onnx'), '--data', at('test.npz'), '-o', at('kept.onnx'), ...options, ...kept],
    )
    expect(other.json().error.code).toBe('invalid-data')
  })

  test('refuses labels that the model has no class for, and a batch larger than the data', async () => {
    const { point } = points('odd', 30)
    await writeNpz(at('odd.npz'), { point, label: tensor('int64', [30], new BigInt64Array(30).fill(3n)) })
    const train = (...more: string[]) => sinter('train', at('net.onnx'), '-o', at('x.onnx'), '--json', ...more)
    expect((await train('--data', at('odd.npz'))).json().error.message).toContain('label 3')
    expect((await train('--data', at('train.npz'), '--batch', '500')).json().error.message).toContain('240 rows')
  })
})

describe('sinter evaluate', () => {
  test('gives the same numbers for logits and for probabilities, from an .npz and from a table', async () => {
    const document = async (...args: string[]) => (await sinter('evaluate', ...args, '--json')).json()
    const npz = await document(at('b.onnx'), '--data', at('test.npz'))
    expect(npz).toMatchObject({ rows: 90, scores: 'probabilities', output: 'probabilities', latency: null })
    expect(npz.accuracy).toBeGreaterThan(0.9)
    expect(npz.interval.low).toBeLessThan(npz.accuracy)
    expect(npz.classes.map(({ name }: { name: string }) => name)).toEqual(['east', 'north', 'south'])
    const csv = await document(at('b.onnx'), '--data', at('test.csv'), '--target', 'where', '--latency')
    expect(csv).toMatchObject({ accuracy: npz.accuracy, logLoss: npz.logLoss, latency: { unit: 'ms' } })
  })

  test('tells logits by their values, and takes the name of the output that has them', async () => {
    const renamed = renameValues(await load(at('a.onnx')), name => (name === 'logits' ? 'scores' : name))
    await save(at('renamed.onnx'), renamed)
    const [plain, other] = [
      (await sinter('evaluate', at('a.onnx'), '--data', at('test.npz'), '--json')).json(),
      (await sinter('evaluate', at('renamed.onnx'), '--data', at('test.npz'), '--json')).json(),
    ]
    expect(other).toMatchObject({ output: 'scores', scores: 'logits', logLoss: plain.logLoss })
    const none = await sinter('evaluate', at('a.onnx'), '--data', at('test.npz'), '--output', 'other', '--json')
    expect(none.json().error.code).toBe('not-found')
  })

  test('shows it as text, class by class', async () => {
    const { out } = await sinter('evaluate', at('b.onnx'), '--data', at('test.npz'), '--classes')
    expect(out).toMatch(/accuracy +\d+\.\d\d %/)
    expect(out).toMatch(/\neast +\d/)
  })

  test('refuses rows of another shape, and labels that are no whole numbers', async () => {
    const evaluate = async (file: string) =>
      (await sinter('evaluate', at('a.onnx'), '--data', at(file), '--json')).json().error
    const { point, label } = points('odd', 6)
    await writeNpz(at('wide.npz'), { point: tensor('float32', [6, 3], new Float32Array(18)), label })
    expect((await evaluate('wide.npz')).message).toContain('[3] in the data, but [2] in the model')
    await writeNpz(at('halves.npz'), { point, label: tensor('float32', [6], new Float32Array(6).fill(0.5)) })
    expect((await evaluate('halves.npz')).message).toContain('0.5')
    await writeNpz(at('fewer.npz'), { point, label: tensor('int64', [5], new BigInt64Array(5)) })
    expect((await evaluate('fewer.npz')).code).toBe('invalid-data')
  })
})

describe('sinter fuse', () => {
  test('chooses by cross-validation, and says what it is worth', async () => {
    await save(at('c.onnx'), network(9))
    const fused = await sinter(
      ...[
        'fuse',
        at('a.onnx'),
        at('b.onnx'),
        at('c.onnx'),
        '-o',
        at('chosen.onnx'),
        '--data',
        at('test.npz'),
        '--json',
      ],
    )
    expect(fused.code).toBe(0)
    const document = fused.json()
    expect(document.choice).toMatchObject({ by: 'accuracy', folds: 5, reason: expect.any(String) })
    expect(document.members.map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'c'])
    expect(document.mcnemar.p).toBeGreaterThan(0)
    const again = await sinter('evaluate', at('chosen.onnx'), '--data', at('test.npz'), '--json')
    expect(again.json().accuracy).toBe(document.ensemble.accuracy)
  })

  test('takes a method and weights', async () => {
    const fused = await sinter(
      ...['fuse', at('a.onnx'), at('b.onnx'), '-o', at('weighted.onnx')],
      ...['--method', 'weighted-average', '--weights', '1,3', '--json'],
    )
    expect(fused.json()).toMatchObject({
      method: 'weighted-average',
      members: [{ weight: 0.25 }, { weight: 0.75 }],
      choice: null,
      mcnemar: null,
    })
  })

  test('makes weights of accuracies on the data', async () => {
    const { out } = await sinter(
      ...['fuse', at('a.onnx'), at('b.onnx'), '-o', at('measured.onnx')],
      ...['--method', 'weighted-average', '--data', at('test.npz')],
    )
    expect(out).toMatch(/\+ a +0\.\d{3} +\d/)
    expect(out).toContain('McNemar')
  })

  test('takes the members’ one input to be the same, whatever they call it', async () => {
    const renamed = renameValues(await load(at('a.onnx')), name => (name === 'point' ? 'x' : name))
    await save(at('x.onnx'), renamed)
    expect((await sinter('fuse', at('b.onnx'), at('x.onnx'), '-o', at('bx.onnx'))).code).toBe(0)
    expect((await load(at('bx.onnx'))).inputs.map(({ name }) => name)).toEqual(['point'])
  })

  test('refuses what does not go together', async () => {
    const fuse = async (...args: string[]) => (await sinter('fuse', ...args, '-o', at('y.onnx'), '--json')).json().error
    expect((await fuse(at('a.onnx'))).code).toBe('usage')
    expect((await fuse(at('a.onnx'), at('b.onnx'), '--weights', '1,2,3', '--method', 'average')).code).toBe('usage')
    expect((await fuse(at('a.onnx'), at('b.onnx'), '--method', 'weighted-average')).code).toBe('usage')
  })
})

describe('a model of images of any size, its weights in Constant nodes', () => {
  const outputsOf = ({ outputs }: Graph) => outputs.map(({ name, type }) => [name, isTensorType(type) && type.shape])

  beforeAll(async () => {
    const build = define(
      { image: f32(['N', 1, 'height', 'width']) },
      ({ image }, nn) => ({ logits: nn.sequential(nn.conv(4, 3), nn.relu, nn.globalPool, nn.linear(3))(image) }),
      { seed: 1, name: 'any-size' },
    )
    const held = [...build.initializers].map(([name, value]) =>
      node({ op: 'Constant', inputs: [], outputs: [name], attributes: { value: attribute.tensor(value) } }),
    )
    await save(at('any.onnx'), { ...build, nodes: [...held, ...build.nodes], initializers: new Map() })
    const bright = Float32Array.from({ length: 24 * 30 }, (_, i) => (Math.floor(i / 30) % 3) + (i % 7) / 10)
    await writeNpz(at('images.npz'), {
      image: tensor('float32', [24, 1, 5, 6], bright),
      label: tensor(
        'int64',
        [24],
        BigInt64Array.from({ length: 24 }, (_, i) => BigInt(i % 3)),
      ),
    })
  })

  test('is trained at the size of the data, and takes any afterwards', async () => {
    const args = ['train', at('any.onnx'), '--data', at('images.npz'), '-o', at('any-tuned.onnx')]
    const { code, json } = await sinter(...args, '--batch', '8', '--rate', '0.05', '--threads', '1', '--json')
    expect(code).toBe(0)
    const { history } = json()
    expect(history.at(-1).loss).toBeLessThan(history[0].loss)
    const [before, after] = [await load(at('any.onnx')), await load(at('any-tuned.onnx'))]
    expect(after.inputs).toEqual(before.inputs)
    expect(outputsOf(after)).toEqual(outputsOf(before))
  })

  test('costs what it costs at the size of the data', async () => {
    // 5 * 6 places, 4 channels, 9 taps; and the head.
    const macs = 5 * 6 * 4 * 9 + 4 * 3
    const evaluated = await sinter('evaluate', at('any.onnx'), '--data', at('images.npz'), '--json')
    expect(evaluated.json()).toMatchObject({ macs })
    const files = [at('any.onnx'), at('any.onnx'), '-o', at('any-two.onnx'), '--data', at('images.npz')]
    const fused = await sinter('fuse', ...files, '--method', 'average', '--json')
    expect(fused.json().members).toMatchObject([{ macs }, { macs }])
    expect(fused.json().ensemble).toMatchObject({ macs }) // equal members are computed once
  })
})

describe('sinter compare', () => {
  test('finds no difference between a model and itself', async () => {
    const compared = (await sinter('compare', at('a.onnx'), at('a.onnx'), '--json')).json()
    expect(compared).toMatchObject({
      operators: {},
      feeds: { kind: 'random', count: 3, seed: 0 },
      difference: { absolute: 0, outputs: { logits: { absolute: 0, relative: 0 } } },
      notCompared: null,
    })
    expect(compared.latency.ratio).toBeGreaterThan(0)
  })

  test('measures the difference on data, without timing if told so', async () => {
    const compared = await sinter(
      ...['compare', at('net.onnx'), at('a.onnx'), '--data', at('test.npz'), '--no-latency', '--json'],
    )
    expect(compared.json()).toMatchObject({ feeds: { kind: 'data', seed: null }, latency: null })
    expect(compared.json().difference.absolute).toBeGreaterThan(0.1)
  })

  test('says what differs where outputs cannot be compared', async () => {
    const { code, out } = await sinter('compare', at('a.onnx'), at('b.onnx'))
    expect(code).toBe(0)
    expect(out).toMatch(/Softmax +0 +1/)
    expect(out).toContain('outputs of b: probabilities float32[N,3] and label int64[N]')
    expect(out).toContain('Outputs not compared: ')
  })

  test('refuses random values and data at once', async () => {
    const both = await sinter('compare', at('a.onnx'), at('b.onnx'), '--random', '--data', at('test.npz'))
    expect(both.code).toBe(2)
    expect(both.err).toContain('--random or --data')
  })
})
