import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'
import { save } from '../read/model-file.ts'
import { type Blobs, makeBlobs } from './testing/blobs.ts'
import { sinter } from './testing/run.ts'

let folder: string
const at = (file: string) => join(folder, file)

const weight = float32s([3, 2], [1, 2, 3, 4, 5, 6])

/** x [N, 3] -> y = x*W + bias, z = Relu(y). */
function net(bias: number): Graph {
  return makeGraph({ x: f32('N', 3) }, (op, { x }) => {
    const y = op.Add([op.MatMul([x, op.constant(weight, 'w')]), op.constant(float32s([2], [bias, bias]), 'b')])
    return { y, z: op.Relu([y]) }
  })
}

const outputs = (graph: Graph, ...names: readonly string[]): Graph => ({
  ...graph,
  outputs: graph.outputs.filter(({ name }) => names.includes(name)),
})

/** Names that mean something else in the other model. */
const others: Readonly<Record<string, string>> = { x: 'image', y: 'x', z: 'out' }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-compare-'))
  await save(at('a.onnx'), net(0))
  await save(at('near.onnx'), net(0.5))
  await save(at('one.onnx'), outputs(net(0), 'z'))
  await save(
    at('named.onnx'),
    renameValues(net(0), name => others[name] ?? `${name}2`),
  )
  const more = makeGraph({ x: f32('N', 3), scale: f32() }, (op, { x, scale }) => ({
    z: op.Mul([op.Relu([op.MatMul([x, op.constant(weight, 'w')])]), op.Sub([scale, scale])]),
  }))
  await save(at('more.onnx'), more)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const compared = async (...args: readonly string[]) =>
  (await sinter('compare', ...args, '--no-latency', '--json')).json()

describe('sinter compare', () => {
  test('finds a model of other names the same, outputs and all', async () => {
    const found = await compared(at('a.onnx'), at('named.onnx'))
    expect(found.diff).toMatchObject({
      nodes: { changed: [], removed: [], added: [] },
      inputs: { renamed: [{ a: 'x', b: 'image' }] },
      outputs: {
        renamed: [
          { a: 'y', b: 'x' },
          { a: 'z', b: 'out' },
        ],
      },
    })
    expect(found.difference).toMatchObject({ same: true, absolute: 0, outputs: { y: { same: true } } })
    expect(found.ratios).toMatchObject({ nodes: 1, parameters: 1, macs: 1, peakActivationBytes: 1 })
  })

  test('gives the difference of each output, and where it comes from', async () => {
    const found = await compared(at('a.onnx'), at('near.onnx'))
    expect(found.difference).toMatchObject({ same: false, outputs: { y: { same: false, absolute: 0.5 } } })
    expect(found.diff.nodes.changed).toMatchObject([{ operator: 'Add', changes: ['input 1 has other values'] }])
    expect(found.diff.tensors.changed).toMatchObject([{ a: 'b', b: 'b', maxAbsDifference: 0.5 }])
    const { out } = await sinter('compare', at('a.onnx'), at('near.onnx'))
    expect(out).toMatch(/b has other values, by up to 5\.00e-1/)
    expect(out).toMatch(/\ny +5\.00e-1 .* different/)
    expect(out.split('\n').filter(line => line.length > 80 + folder.length)).toEqual([])
  })

  test('compares the outputs that both have, and feeds each the inputs that it has', async () => {
    const fewer = await compared(at('a.onnx'), at('one.onnx'))
    expect(fewer.diff.outputs).toEqual({ renamed: [], removed: ['y'], added: [] })
    expect(Object.keys(fewer.difference.outputs)).toEqual(['z'])
    const more = await compared(at('one.onnx'), at('more.onnx'))
    expect(more.diff.inputs).toEqual({ renamed: [], removed: [], added: ['scale'] })
    expect(more).toMatchObject({ notCompared: null, difference: { same: false } })
  })

  test('takes sizes from the model that has them, whatever the other calls them', async () => {
    const image = (name: string, ...shape: readonly (number | string)[]) =>
      makeGraph({ [name]: { dtype: 'float32', shape } }, (op, values) => ({
        y: op.Conv([values[name]!, op.constant(float32s([1, 3, 3, 3], new Float32Array(27).fill(0.1)))]),
      }))
    await save(at('open.onnx'), image('x', 'N', 3, '', 'W'))
    await save(at('pinned.onnx'), image('image', 1, 3, 8, 6))
    for (const files of [
      [at('open.onnx'), at('pinned.onnx')],
      [at('pinned.onnx'), at('open.onnx')],
    ]) {
      const found = await compared(...files)
      expect(found).toMatchObject({ notCompared: null, difference: { same: true }, ratios: { macs: 1 } })
      expect(found.a.macs).toBe(6 * 4 * 27)
    }
    // Where both are open, what fits one is what the other is counted for.
    await save(at('larger.onnx'), image('x', 'batch', 3, 'H', 'V'))
    const both = await compared(at('open.onnx'), at('larger.onnx'), '--bind', 'x:3=6')
    expect(both.a.sizes).toEqual({ N: 1, 'x:2': 4, W: 6 })
    expect(both.b.sizes).toEqual({ batch: 1, H: 4, V: 6 })
    expect((await sinter('compare', at('open.onnx'), at('open.onnx'), '--no-latency')).out).toContain(
      'Costs are for N=1, x:2=4 and W=4;',
    )
  })

  test('says first whether outputs are the same, and exits with 1 where they are not, if asked to', async () => {
    const run = (b: string, ...options: readonly string[]) =>
      sinter('compare', at('a.onnx'), at(b), '--no-latency', ...options)
    const { out } = await run('near.onnx')
    expect(out.indexOf('Outputs differ: y and z.')).toBeGreaterThan(0)
    expect(out.indexOf('Outputs differ')).toBeLessThan(out.indexOf('parameters'))
    expect((await run('named.onnx')).out).toContain('Outputs are the same.')
    const codes = ['named.onnx', 'near.onnx', 'one.onnx'].map(async b => [
      b,
      (await run(b)).code,
      (await run(b, '--fail-on-difference')).code,
    ])
    // Outputs that one of them lacks were not compared.
    expect(await Promise.all(codes)).toEqual([
      ['named.onnx', 0, 0],
      ['near.onnx', 0, 1],
      ['one.onnx', 0, 1],
    ])
    const refused = await run('near.onnx', '--fail-on-difference', '--json')
    expect([refused.code, refused.json().difference.same, refused.err]).toEqual([1, false, ''])
  })

  test('runs on inputs from a file, or on as many random ones as are asked for', async () => {
    await writeFile(at('feeds.json'), JSON.stringify([{ x: [[1, 0, 0]] }, { x: [[0, 1, 0]] }]))
    const fed = await compared(at('a.onnx'), at('near.onnx'), '--feeds', at('feeds.json'))
    expect(fed).toMatchObject({ feeds: { kind: 'file', count: 2, seed: null }, difference: { absolute: 0.5 } })
    expect((await compared(at('a.onnx'), at('near.onnx'), '--feeds', '1', '--seed', '4')).feeds).toEqual({
      kind: 'random',
      count: 1,
      seed: 4,
    })
    expect((await sinter('compare', at('a.onnx'), at('near.onnx'), '--feeds', 'x.csv')).code).toBe(2)
  })

  test('measures time by turns where runs are quick, and where it is asked for', async () => {
    for (const options of [[], ['--latency']]) {
      const found = (
        await sinter('compare', at('a.onnx'), at('near.onnx'), ...options, '--threads', '1', '--json')
      ).json()
      expect(found.latency.ratio).toBeGreaterThan(0)
    }
  })
})

describe('sinter compare on labelled data', () => {
  let blobs: Blobs
  beforeAll(async () => {
    blobs = await makeBlobs()
  })
  afterAll(() => blobs.remove())

  test('compares the answers of classifiers', async () => {
    const files = [blobs.at('net.onnx'), blobs.at('ready.onnx')]
    const found = await compared(...files, '--data', blobs.at('test.npz'))
    const { accuracy, agreement, rows, mcnemar } = found.classifiers
    expect(rows).toBe(90)
    expect(agreement).toBeLessThan(1)
    expect(accuracy.a - accuracy.b).toBeCloseTo((mcnemar.onlyFirst - mcnemar.onlySecond) / 90, 10)
    expect((await sinter('compare', ...files, '--data', blobs.at('test.npz'))).out).toContain('McNemar')
  })
})

const models = '../shared/models'
describe.skipIf(!existsSync(models))('sinter compare on real models', () => {
  test('sees that a simplified model computes the same with fewer nodes', async () => {
    const found = await compared(`${models}/gtcrn_raw.onnx`, `${models}/gtcrn_simplified.onnx`)
    expect(found.difference).toMatchObject({ same: true, absolute: 0 })
    expect(found.ratios.macs).toBe(1)
    expect(found.diff.nodes.removed.length).toBeGreaterThan(500)
  })
})
