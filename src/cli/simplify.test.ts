import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, int64s } from '../base/tensor.ts'
import { readModel, writeModel } from '../onnx/files.ts'
import { sinter, sinterUntil } from './testing/run.ts'

let folder: string
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-simplify-'))
  const graph = makeGraph({ x: f32('N', 3, 'H', 'W') }, (op, { x }) => {
    const height = op.Gather([op.Shape([x]), op.constant(int64s([2]), 'i')])
    const added = op.Add([op.Identity([x]), op.Cast([height], { to: 1 })])
    return { y: op.Conv([added, op.constant(float32s([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), 'weight')]) }
  })
  await writeModel(at('model.onnx'), graph)
  const large = makeGraph({ x: f32('N', 64) }, (op, { x }) => ({
    y: op.MatMul([op.Identity([x]), op.constant(float32s([64, 32], new Float32Array(2048).fill(0.5)), 'w')]),
  }))
  await writeModel(at('external.onnx'), large, { external: 'always' })
})
afterAll(() => rm(folder, { recursive: true }))

describe('sinter simplify', () => {
  test('writes the result and tells in JSON what was done and checked', async () => {
    const ran = await sinter('simplify', at('model.onnx'), '-o', at('slim.onnx'), '--json')
    expect(ran.code).toBe(0)
    const told = ran.json()
    expect(told).toMatchObject({
      nodes: { before: 6 },
      bytes: { before: expect.any(Number), after: expect.any(Number) },
      seconds: expect.any(Number),
      check: { ok: true, maxAbsDifference: expect.any(Number), feeds: 2 },
      skipped: [],
    })
    expect(told.nodes.after).toBeLessThan(6)
    expect(told.passes[0]).toEqual({
      name: expect.any(String),
      changes: expect.any(Number),
      seconds: expect.any(Number),
    })
    expect((await readModel(at('slim.onnx'))).nodes.length).toBe(told.nodes.after)
  })

  test('writes nothing without -o, and says so', async () => {
    const before = await readdir(folder)
    const ran = await sinter('simplify', at('model.onnx'))
    expect(ran.out).toMatch(/Outputs equal on 2 runs/)
    expect(ran.out).toMatch(/Nothing is written/)
    expect(await readdir(folder)).toEqual(before)
  })

  test('pins inputs in the model, and tests with shapes that it leaves out of it', async () => {
    await sinter('simplify', at('model.onnx'), '-o', at('pinned.onnx'), '--pin', 'x=1,3,?,8')
    expect((await readModel(at('pinned.onnx'))).inputs[0]!.type).toEqual(f32(1, 3, 'H', 8))
    await sinter('simplify', at('model.onnx'), '-o', at('tested.onnx'), '--test-with', 'x=2,3,5,7')
    expect((await readModel(at('tested.onnx'))).inputs[0]!.type).toEqual(f32('N', 3, 'H', 'W'))
  })

  test('takes an axis of an input as well as its shape', async () => {
    await sinter('simplify', at('model.onnx'), '-o', at('axis.onnx'), '--pin', 'x:0=1', '--pin', 'x:-1=8')
    expect((await readModel(at('axis.onnx'))).inputs[0]!.type).toEqual(f32(1, 3, 'H', 8))
    const pinned = ['--pin', 'x=1,3,?,8']
    const tested = await sinter('simplify', at('model.onnx'), ...pinned, '--test-with', 'x:2=5', '--json')
    expect(tested.json().check).toMatchObject({ ok: true })
    const refused = await sinter('simplify', at('model.onnx'), '--test-with', 'x:2=5', '--json')
    expect(refused.json().error.message).toMatch(/axis 0 is/)
  })

  test('explains what rules left alone, within 80 columns', async () => {
    const { out } = await sinter('simplify', at('model.onnx'), '--explain')
    expect(out).toMatch(/drop-identity +1/)
    expect(out).toMatch(/\d+ other steps found nothing\./)
    expect(out).not.toMatch(/^\S+ +0 .*\n(?! {4}left)/m)
    expect(
      Math.max(
        ...out
          .split('\n')
          .filter(line => !line.includes(folder))
          .map(line => line.length),
      ),
    ).toBeLessThanOrEqual(80)
  })

  test('skips steps, takes some alone, and lists them', async () => {
    const skipped = await sinter(
      'simplify',
      at('model.onnx'),
      '--skip',
      'drop-identity',
      '--skip',
      'fold-constants',
      '--json',
    )
    expect(skipped.json().passes.map(({ name }: { name: string }) => name)).not.toContain('drop-identity')
    const only = await sinter('simplify', at('model.onnx'), '--only', 'drop-identity', '--json')
    expect(only.json().nodes).toEqual({ before: 6, after: 5 })
    expect((await sinter('simplify', '--list')).out).toMatch(/drop-identity/)
  })

  test('compares on feeds from a file', async () => {
    await writeFile(at('feeds.json'), JSON.stringify({ x: [[[[1, 2]], [[3, 4]], [[5, 6]]]] }))
    const ran = await sinter('simplify', at('model.onnx'), '--feeds', at('feeds.json'), '--json')
    expect(ran.json().check).toMatchObject({ ok: true, feeds: 1 })
    await writeFile(at('row.json'), JSON.stringify({ x: { shape: [1, 3, 1, 2], data: [1, 2, 3, 4, 5, 6] } }))
    expect((await sinter('simplify', at('model.onnx'), '--feeds', at('row.json'), '--json')).json().check.ok).toBe(true)
  })

  test('keeps weights in a file of their own', async () => {
    const ran = await sinter('simplify', at('external.onnx'), '-o', at('small.onnx'), '--json')
    expect(ran.json().check.ok).toBe(true)
    expect((await readdir(folder)).some(name => /^small\.onnx\..*\.data$/.test(name))).toBe(true)
    expect(ran.json().bytes.after).toBeGreaterThan(8192)
    expect(ran.json().files.map((path: string) => basename(path))).toEqual([
      'small.onnx',
      expect.stringMatching(/^small\.onnx\..*\.data$/),
    ])
    const { out } = await sinter('simplify', at('external.onnx'), '-o', at('small.onnx'))
    expect(out.replaceAll('\n', ' ')).toMatch(/small\.onnx and \S*small\.onnx\.\w+\.data: they belong together/)
  })

  test('does not compare where it is told not to', async () => {
    const ran = await sinter('simplify', at('model.onnx'), '--no-check')
    expect(ran.out).toMatch(/Outputs not checked: it was not asked for/)
  })

  test('writes nothing where the original does not run on the shapes or inputs given', async () => {
    const picky = makeGraph({ x: f32('N', 'M') }, (op, { x }) => ({
      y: op.MatMul([op.Identity([x]), op.constant(float32s([4, 1], [1, 2, 3, 4]), 'w')]),
    }))
    await writeModel(at('picky.onnx'), picky)
    const ran = await sinter('simplify', at('picky.onnx'), '-o', at('never.onnx'), '--test-with', 'x=2,3')
    expect(ran.code).toBe(1)
    expect(ran.err.replaceAll('\n', ' ')).toMatch(/The original does not run on the shapes/)
    expect(ran.err).not.toMatch(/\.\)?\./)
    expect(ran.err.split('\n').filter(line => line.length > 80)).toEqual([])
    const older = await sinter('simplify', at('model.onnx'), '-o', at('never.onnx'), '--opset', '2')
    expect(older.code).toBe(1)
    expect(older.err.replaceAll('\n', ' ')).toMatch(/cannot be written in opset 2/)
    expect(await readdir(folder)).not.toContain('never.onnx')
  })

  test('refuses what cannot be', async () => {
    const refusal = async (...args: string[]) => (await sinter('simplify', ...args, '--json')).json().error
    expect(await refusal(at('model.onnx'), '-o', at('model.onnx'))).toMatchObject({ code: 'invalid-argument' })
    expect(await refusal(at('missing.onnx'))).toMatchObject({ code: 'not-found' })
    expect(await refusal(at('model.onnx'), '--skip', 'fold-constant')).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/Did you mean 'fold-constants'/),
    })
    const { err } = await sinter('simplify', 'm.onnx', '--skip', 'fold-constant')
    expect(err.split('\n').filter(line => line.length > 80)).toEqual([])
    expect(err.match(/Did you mean/g)).toHaveLength(1)
    const both = ['--only', 'drop-identity', '--skip', 'drop-identity']
    expect((await sinter('simplify', at('model.onnx'), ...both)).code).toBe(2)
    expect((await sinter('simplify', at('model.onnx'), '--pin', 'x=1,3,4,4', '--pin', 'x=1,3,8,8')).code).toBe(2)
    expect(await refusal(at('model.onnx'), '--pin', 'z=1,3')).toMatchObject({ code: 'not-found' })
    expect(await refusal(at('model.onnx'), '--opset', '900')).toMatchObject({ code: 'invalid-argument' })
    expect((await sinter('simplify')).code).toBe(2)
    expect((await sinter('simplify', at('model.onnx'), '--pin', 'x')).code).toBe(2)
    expect((await sinter('simplify', at('model.onnx'), '--max-growth', 'much')).code).toBe(2)
  })

  test('stops when told to, with nothing written', async () => {
    const ran = await sinterUntil(AbortSignal.abort(), 'simplify', at('model.onnx'), '-o', at('stopped.onnx'))
    expect(ran.code).toBe(130)
    expect(await readdir(folder)).not.toContain('stopped.onnx')
  })
})
