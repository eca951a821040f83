import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../test/support/same-outputs.ts'
import { float32s } from '../base/tensor.ts'
import { writeModel } from '../onnx/files.ts'
import { load } from '../read/model-file.ts'
import { sinter } from './testing/run.ts'

let folder: string
const at = (file: string) => join(folder, file)
const weight = (rows: number, columns: number) =>
  float32s(
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, i) => Math.cos(i)),
  )

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-edits-'))
  const net = makeGraph({ 'a=b': f32(1, 4), scale: { dtype: 'float32', shape: [] } }, (op, values) => {
    const hidden = op.Mul([op.MatMul([values['a=b'], op.constant(weight(4, 600), 'w')]), values.scale])
    return { hidden, y: op.Reshape([op.Relu([hidden]), op.ints([1, 2, 300])]) }
  })
  // Its tensors lie in a file beside it.
  await writeModel(at('net.onnx'), { ...net, outputs: net.outputs.slice(1) }, { external: 'always' })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const refused = async (...args: readonly string[]) => (await sinter(...args, '--json')).json().error

describe('the verbs that edit models', () => {
  test('cut a model with external data in two, and join it again', async () => {
    const cut = await sinter('cut', at('net.onnx'), '--at', 'hidden', '-o', at('one.onnx'), at('two.onnx'), '--json')
    expect(cut.json()).toMatchObject({
      before: {
        out: at('one.onnx'),
        files: [at('one.onnx'), expect.stringMatching(/one\.onnx\.\w+\.data$/)],
        nodes: 2,
        inputs: [{ name: 'a=b' }, { name: 'scale' }],
        outputs: [{ name: 'hidden', type: 'float32[1,600]' }],
      },
      after: { nodes: 2, inputs: [{ name: 'hidden', type: 'float32[1,600]' }], outputs: [{ name: 'y' }] },
    })
    const joined = await sinter('join', at('one.onnx'), at('two.onnx'), '-o', at('whole.onnx'), '--json')
    expect(joined.json()).toMatchObject({ out: at('whole.onnx'), nodes: 4, opset: { '': 21 } })
    await expectSameOutputs(await load(at('whole.onnx')), await load(at('net.onnx')))
  })

  test('extract a part, and say which names there are', async () => {
    const { out, code } = await sinter('extract', at('net.onnx'), '--outputs', 'hidden', '-o', at('part.onnx'))
    expect(code).toBe(0)
    expect(out).toMatch(/output +hidden +float32\[1,600\]/)
    expect(await refused('extract', at('net.onnx'), '--outputs', 'hiden', '-o', at('x.onnx'))).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining("Did you mean 'hidden'?"),
    })
    expect(existsSync(at('x.onnx'))).toBe(false)
  })

  test('extract and cut at names of nodes, as sinter inspect shows them', async () => {
    const layers = (await sinter('inspect', at('net.onnx'), '--json')).json().layers
    const layer = layers.find(({ operator }: { operator: string }) => operator === 'Relu').name
    const part = await sinter('extract', at('net.onnx'), '--outputs', layer, '-o', at('part.onnx'), '--json')
    expect(part.json()).toMatchObject({ nodes: 3, outputs: [{ type: 'float32[1,600]' }] })
    const parts = ['-o', at('p.onnx'), at('q.onnx')]
    const cut = (await sinter('cut', at('net.onnx'), '--at', layer, ...parts, '--json')).json()
    expect(cut.at).toEqual(cut.before.outputs.map(({ name }: { name: string }) => name))
  })

  test('rename, also what has = in its name', async () => {
    const named = await sinter('rename', at('net.onnx'), '--map', 'a=b=x', '--map', 'y=z', '-o', at('n.onnx'), '--json')
    expect(named.json()).toMatchObject({
      inputs: [{ name: 'x' }, { name: 'scale' }],
      outputs: [{ name: 'z' }],
      renamed: { values: { 'a=b': 'x', y: 'z' }, nodes: {} },
    })
    // Weights that lay in a file of their own still do.
    expect((await readdir(folder)).filter(file => /^n\.onnx\..*\.data$/.test(file))).toHaveLength(1)
    expect(await refused('rename', at('net.onnx'), '--map', 'y=hidden', '-o', at('x.onnx'))).toMatchObject({
      code: 'invalid-argument',
    })
    expect((await sinter('rename', at('net.onnx'), '-o', at('x.onnx'))).code).toBe(2)
  })

  test('set inputs to numbers and to arrays', async () => {
    const set = await sinter('set-constant', at('net.onnx'), '--set', 'scale=0.5', '-o', at('s.onnx'), '--json')
    expect(set.json()).toMatchObject({
      inputs: [{ name: 'a=b' }],
      constants: [{ name: 'scale', type: 'float32[]' }],
    })
    expect((await load(at('s.onnx'))).initializers.get('scale')!.data).toEqual(Float32Array.of(0.5))
    await writeFile(at('v.npy'), npy("'<f8'", [1, 4], new Uint8Array(Float64Array.of(1, 2, 3, 4).buffer)))
    const array = await sinter('set-constant', at('net.onnx'), '--set', `a=b=${at('v.npy')}`, '-o', at('s.onnx'))
    expect(array.code).toBe(0)
    expect((await load(at('s.onnx'))).initializers.get('a=b')!.data).toEqual(Float32Array.of(1, 2, 3, 4))
    for (const [value, message] of [
      ['scale=1,2', /2 numbers do not make/],
      ['scale=big', /'big' is no number/],
      ['skale=1', /Did you mean 'scale'/],
      [`scale=${at('none.npy')}`, /no file/],
    ] as const)
      expect((await refused('set-constant', at('net.onnx'), '--set', value, '-o', at('x.onnx'))).message).toMatch(
        message,
      )
  })

  test('make the batch a symbol, checked by running', async () => {
    const batched = await sinter('set-dim', at('net.onnx'), '--batch', 'N', '-o', at('b.onnx'), '--json')
    expect(batched.json()).toMatchObject({
      inputs: [{ type: 'float32[N,4]' }, { type: 'float32[]' }],
      outputs: [{ type: 'float32[N,2,300]' }],
      refitted: [expect.stringContaining('Reshape')],
      check: { ok: true, by: 'stacked', skipped: null },
    })
    const back = await sinter('set-batch', at('b.onnx'), '--dim', 'N=3', '-o', at('b3.onnx'), '--json')
    expect(back.json()).toMatchObject({ outputs: [{ type: 'float32[3,2,300]' }], check: { ok: true, by: 'same-size' } })
    expect(await refused('set-dim', at('b.onnx'), '--dim', 'M=3', '-o', at('x.onnx'))).toMatchObject({
      message: expect.stringMatching(/no input has a dimension 'M'/i),
    })
    expect((await sinter('set-dim', at('b.onnx'), '--batch', 'N+1', '-o', at('x.onnx'))).code).toBe(2)
  })

  test('open other dimensions than the batch, checked on the sizes that were there', async () => {
    const image = makeGraph({ x: f32(1, 2, 5, 5) }, (op, { x }) => ({
      y: op.Conv([x, op.constant(float32s([3, 2, 3, 3], new Float32Array(54).fill(0.1)))]),
    }))
    await writeModel(at('image.onnx'), image)
    const open = await sinter(
      'set-dim',
      at('image.onnx'),
      '--dim',
      'x:2=H',
      '--dim',
      'x:3=W',
      '-o',
      at('o.onnx'),
      '--json',
    )
    expect(open.json()).toMatchObject({
      outputs: [{ type: 'float32[1,3,H-2,W-2]' }],
      check: { ok: true, by: 'same-size' },
    })
    const other = await sinter('set-dim', at('image.onnx'), '--dim', 'x:2=9', '-o', at('o.onnx'), '--json')
    expect(other.json()).toMatchObject({ check: { ok: false, skipped: 'no size fits both' } })
  })

  test('refuse a symbol for what mixes examples', async () => {
    const mixing = makeGraph({ x: f32(1, 4) }, (op, { x }) => ({ y: op.Softmax([x], { axis: 0 }) }))
    await writeModel(at('mixing.onnx'), mixing)
    expect(await refused('set-dim', at('mixing.onnx'), '--batch', 'N', '-o', at('x.onnx'))).toMatchObject({
      code: 'not-supported',
      message: expect.stringMatching(/'y' of two examples at once/),
    })
    expect(existsSync(at('x.onnx'))).toBe(false)
    expect((await sinter('set-dim', at('mixing.onnx'), '--batch', 'N', '--no-check', '-o', at('x.onnx'))).code).toBe(0)
  })

  test('never write over what they read, and leave nothing behind', async () => {
    const before = await readFile(at('net.onnx'))
    const files = (await readdir(folder)).length
    const one = ['-o', at('net.onnx')]
    const commands = [
      ['extract', at('net.onnx'), '--outputs', 'hidden', ...one],
      ['cut', at('net.onnx'), '--at', 'hidden', '-o', at('new.onnx'), at('net.onnx')],
      ['cut', at('net.onnx'), '--at', 'hidden', '-o', at('new.onnx'), at('new.onnx')],
      ['join', at('one.onnx'), at('net.onnx'), ...one],
      ['rename', at('net.onnx'), '--map', 'y=z', ...one],
      ['set-constant', at('net.onnx'), '--set', 'scale=1', ...one],
      ['set-dim', at('net.onnx'), '--batch', 'N', ...one],
      ['extract', at('net.onnx'), '--outputs', 'hidden', '-o', at('nowhere/x.onnx')],
    ]
    for (const args of commands) expect((await refused(...args)).code).toMatch(/invalid-argument|not-found/)
    expect(await readFile(at('net.onnx'))).toEqual(before)
    expect((await readdir(folder)).length).toBe(files)
  })
})

const models = '../shared/models'
describe.skipIf(!existsSync(models))('on real models', () => {
  test('an input of a model with bodies becomes a constant', async () => {
    await copyFile(`${models}/silero_vad_v6.onnx`, at('vad.onnx'))
    const set = await sinter('set-constant', at('vad.onnx'), '--set', 'sr=16000', '-o', at('vad16.onnx'), '--json')
    expect(set.json().inputs.map(({ name }: { name: string }) => name)).toEqual(['input', 'state'])
  })
  test('sizes that one of two branches cannot run are refused, and pinned by simplify', async () => {
    const vad = `${models}/silero_vad_v6.onnx`
    const refusal = await refused('set-dim', vad, '--dim', 'input:1=512', '--dim', 'input:0=1', '-o', at('v.onnx'))
    expect(refusal).toMatchObject({ code: 'not-supported', message: expect.stringMatching(/does not do what/) })
    expect(await readdir(folder)).not.toContain('v.onnx')
    const pinned = await sinter('simplify', vad, '--pin', 'input=1,512', '-o', at('p.onnx'), '--json')
    expect(pinned.json().check).toMatchObject({ ok: true, notChecked: null })
  })
  test('batches become symbols, or the nodes in the way are named', async () => {
    for (const name of ['mnist-8', 'dtln_model_1', 'ultraface_rfb320_simplified']) {
      const { code, out } = await sinter('set-dim', `${models}/${name}.onnx`, '--batch', 'N', '-o', at('n.onnx'))
      expect([name, code]).toEqual([name, 0])
      expect(out).toContain('Checked: ')
    }
    const refusal = await refused('set-dim', `${models}/gtcrn_simplified.onnx`, '--batch', 'N', '-o', at('x.onnx'))
    expect(refusal).toMatchObject({ code: 'not-supported', details: { nodes: expect.any(Array) } })
  })
})

/** An .npy file, version 1.0. */
function npy(descr: string, shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = `${`{'descr': ${descr}, 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117)}\n`
  const head = new Uint8Array(10 + header.length)
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  head.set(new TextEncoder().encode(header), 10)
  return Buffer.concat([head, data])
}
