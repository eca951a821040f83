import { existsSync, readdirSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { emptyGraph } from '../graph/graph.ts'
import { writeModel } from '../onnx/files.ts'
import { type Blobs, makeBlobs } from './testing/blobs.ts'
import { sinter } from './testing/run.ts'

let blobs: Blobs
beforeAll(async () => {
  blobs = await makeBlobs()
})
afterAll(() => blobs.remove())

describe('sinter inspect', () => {
  test('gives all that it finds as JSON', async () => {
    const file = blobs.at('ready.onnx')
    const found = (await sinter('inspect', file, '--json')).json()
    const parameters = 2 * 8 + 8 + 8 * 3 + 3
    expect(found).toMatchObject({
      file,
      parameters,
      macs: 2 * 8 + 8 * 3,
      bytes: (await stat(file)).size,
      nodes: found.layers.length,
      opset: { '': 21 },
      inputs: [{ name: 'point', type: 'float32[N,2]', dtype: 'float32', shape: ['N', 2] }],
      outputs: [
        { name: 'probabilities', type: 'float32[N,3]' },
        { name: 'label', type: 'int64[N]' },
      ],
      operators: { Gemm: 2, Relu: 1, Softmax: 1, ArgMax: 1 },
      problems: [],
      notUpgraded: [],
    })
    expect(found.layers[0]).toMatchObject({ operator: 'Gemm', shape: ['N', 8], parameters: 24, macs: 16 })
    expect(found.refusals).toContainEqual({
      operator: 'ArgMax',
      nodes: 1,
      column: 'gradient',
      why: expect.any(String),
    })
  })

  test('counts for the sizes that it is given', async () => {
    const { macs } = (await sinter('inspect', blobs.at('net.onnx'), '--bind', 'N=10', '--json')).json()
    expect(macs).toBe(10 * 40)
    expect((await sinter('inspect', blobs.at('net.onnx'), '--bind', 'N=10')).out).toContain('for N=10')
  })

  test('shows it within 80 columns, layers too', async () => {
    const { out, code } = await sinter('inspect', blobs.at('ready.onnx'), '--layers')
    expect(code).toBe(0)
    expect(Math.max(...out.split('\n').map(line => line.length))).toBeLessThanOrEqual(80 + blobs.folder.length)
    expect(out).toMatch(/parameters +51\n/)
    expect(out).toMatch(/Cannot be trained through:\n {2}ArgMax: /)
  })

  test('leaves nodes that only hold constants out of the lines for layers, and counts them', async () => {
    const graph = edit(
      makeGraph({ x: f32('N', 1) }, (op, { x }) => ({ y: op.Relu([x]) })),
      draft => {
        const value = attribute.tensor(float32s([1], Float32Array.of(1)))
        for (const name of ['one', 'two'])
          draft.add({ op: 'Constant', inputs: [], outputs: [name], attributes: { value } })
        draft.add({ op: 'Add', inputs: ['one', 'two'], outputs: ['sum'] })
        draft.outputs.push({ name: 'sum', type: f32(1) })
      },
    )
    await writeModel(blobs.at('constants.onnx'), graph)
    const { out } = await sinter('inspect', blobs.at('constants.onnx'), '--layers', '--no-simplify')
    expect(out).toMatch(/\nlayer .*\n.* Relu .*\n.* Add .*\nand 2 Constant nodes\n/)
    expect((await sinter('inspect', blobs.at('constants.onnx'), '--json')).json().layers).toHaveLength(4)
  })

  test('says where the bytes are, and what moves', async () => {
    const found = (await sinter('inspect', blobs.at('net.onnx'), '--json')).json()
    expect(found.storage).toMatchObject({
      bytes: 4 * 51,
      dtypes: [{ dtype: 'float32', tensors: 4, bytes: 204 }],
      tensors: [{ shape: [3, 8], bytes: 96, layer: 'linear2/gemm' }, {}, {}, {}],
    })
    expect(found.layers[0]).toMatchObject({ storedBytes: 96, bytesRead: 8 + 96, bytesWritten: 32 })
    expect(found).toMatchObject({ parameterBytes: 204, bytesWritten: 32 + 32 + 12, peakActivationBytes: 64 })
  })

  test('says what would simplify, and leaves it out if told so', async () => {
    const twice = makeGraph({ x: f32('N', 2) }, (op, { x }) => ({ y: op.Relu([op.Identity([op.Identity([x])])]) }))
    await writeModel(blobs.at('twice.onnx'), twice)
    const found = (await sinter('inspect', blobs.at('twice.onnx'), '--json')).json()
    expect(found.simplified).toMatchObject({ nodes: { before: 3, after: 1 }, steps: expect.any(Array) })
    expect((await sinter('inspect', blobs.at('twice.onnx'))).out).toContain('sinter simplify: 3 -> 1 nodes')
    const without = (await sinter('inspect', blobs.at('twice.onnx'), '--no-simplify', '--json')).json()
    expect(without).toMatchObject({ simplified: null, notSimplified: 'it was not asked for' })
  })

  test('measures where the time goes, by layer', async () => {
    const timed = await sinter(
      'inspect',
      blobs.at('ready.onnx'),
      '--latency',
      '--runs',
      '5',
      '--threads',
      '1',
      '--json',
    )
    const { latency } = timed.json()
    expect(latency).toMatchObject({ unit: 'ms', runs: 5, threads: 1, feeds: { point: [1, 2] } })
    const layers: readonly { name: string; fused: readonly string[] }[] = latency.layers
    expect(layers.flatMap(({ name, fused }) => [name, ...fused])).toEqual(
      expect.arrayContaining(['head/argmax', '/relu']),
    )
    const fed = await sinter(
      'inspect',
      blobs.at('net.onnx'),
      '--latency',
      '--runs',
      '2',
      '--feeds',
      blobs.at('test.npz'),
    )
    expect(fed.out).toContain('A run takes ')
    expect(fed.out).toMatch(/linear1\/gemm +\S*Gemm/)
  })

  test('counts for a size that fits where 1 is too small, and says so', async () => {
    const image = makeGraph({ x: f32('', 1, '', 4) }, (op, { x }) => ({
      y: op.Conv([x, op.constant(float32s([2, 1, 3, 3], new Float32Array(18)))]),
    }))
    await writeModel(blobs.at('image.onnx'), image)
    const { out } = await sinter('inspect', blobs.at('image.onnx'))
    expect(out).toMatch(/MACs +72 for x:0=1, x:2=4\n/)
    expect(out).toMatch(/1 is too small for x:2: these are for 4; give real\s+ones with --bind x:2=\.\.\./)
    const { macs, ...found } = (await sinter('inspect', blobs.at('image.onnx'), '--json')).json()
    expect(macs).toBe(2 * 2 * 18)
    expect(found).toMatchObject({
      uncounted: 0,
      sizes: { 'x:0': 1, 'x:2': 4 },
      fitted: ['x:2'],
      fittingSize: 4,
      open: [],
    })
    const bound = (await sinter('inspect', blobs.at('image.onnx'), '--bind', 'x:2=5', '--json')).json()
    expect(bound).toMatchObject({ macs: 3 * 2 * 18, fitted: [], fittingSize: null })
    expect((await sinter('inspect', blobs.at('image.onnx'), '--bind', 'x:3=5')).code).toBe(1)
  })

  test('prints the graph as text', async () => {
    const { out } = await sinter('inspect', blobs.at('net.onnx'), '--graph')
    expect(out).toContain('input point: float32[N,2]')
    expect(out).toContain('= Relu(')
  })

  test('lists what is wrong with a broken graph instead of refusing it', async () => {
    const broken = {
      ...emptyGraph('broken'),
      outputs: [{ name: 'y', type: undefined }],
      nodes: [node({ op: 'Relu', inputs: ['nothing'], outputs: ['y'] })],
    }
    await writeModel(blobs.at('broken.onnx'), broken)
    const { code, json } = await sinter('inspect', blobs.at('broken.onnx'), '--json')
    expect(code).toBe(0)
    expect(json()).toMatchObject({ nodes: 1, macs: null, problems: [{ code: 'missing-value' }] })
    const text = await sinter('inspect', blobs.at('broken.onnx'))
    expect(text.out).toContain('Problem (missing-value)')
  })

  test('prints nothing that a terminal would obey', async () => {
    const bytes = await readFile(blobs.at('net.onnx'), 'latin1')
    await writeFile(blobs.at('odd.onnx'), bytes.replaceAll('logits', '\x1b[31m\n'), 'latin1')
    const { out } = await sinter('inspect', blobs.at('odd.onnx'), '--layers')
    expect(out).not.toContain('\x1b')
  })
})

const models = '../shared/models'
describe.skipIf(!existsSync(models))('sinter inspect on real models', () => {
  const files = existsSync(models) ? readdirSync(models).filter(file => file.endsWith('.onnx')) : []
  test.each(files)('%s fits 80 columns', async file => {
    const { out, code } = await sinter('inspect', `${models}/${file}`, '--layers')
    expect(code).toBe(0)
    expect(out.split('\n').filter(line => line.length > 80)).toEqual([])
  })
  test('the bodies of an If count, once sizes are known', async () => {
    const found = (await sinter('inspect', `${models}/silero_vad_v6.onnx`, '--bind', 'input:1=512', '--json')).json()
    // STFT (258 x 256 x 3), four convolutions, an LSTM of 128 and a convolution of 1 channel.
    const macs = 258 * 256 * 3 + 129 * 128 * 9 + 128 * 64 * 3 * 2 + 64 * 64 * 3 + 64 * 128 * 3 + 4 * 128 * 256 + 128
    expect(found).toMatchObject({ macs, uncounted: 0, unsized: 0 })
  })
})
