import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Blobs, makeBlobs } from './testing/blobs.ts'
import { sinter, sinterUntil } from './testing/run.ts'

let blobs: Blobs
let at: Blobs['at']

beforeAll(async () => {
  blobs = await makeBlobs()
  at = blobs.at
  await mkdir(at('folder'))
  await writeFile(at('empty.onnx'), '')
  await writeFile(at('picture.png'), '\x89PNG\r\n\x1a\n0123456789')
  await writeFile(at('text.csv'), 'x,y,where\n1,two,east\n')
  await writeFile(at('cut.onnx'), (await readFile(at('net.onnx'))).subarray(0, 200))
})
afterAll(() => blobs.remove())

describe('the command line', () => {
  test('tells its version, its verbs, and for each verb examples', async () => {
    expect((await sinter('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = await sinter('--help')
    expect(help.code).toBe(0)
    for (const verb of [
      ...['run', 'inspect', 'train', 'evaluate', 'fuse', 'compare', 'ops'],
      ...['extract', 'cut', 'join', 'rename', 'set-constant'],
    ]) {
      expect(help.out).toContain(`\n  ${verb} `)
      const own = await sinter(verb, '--help')
      expect(own.code).toBe(0)
      expect(own.out).toContain(`$ sinter ${verb}`)
      expect(help.out + own.out).not.toMatch(/^.{81}/m)
      expect(own.out).toContain('--json')
    }
  })

  test('answers wrong usage with exit code 2, and with --json with a document', async () => {
    for (const args of [
      ['frob'],
      ['inspect'],
      ['ops', '--frob'],
      ['inspect', 'a', 'b'],
      ['inspect', 'a', '--bind', 'N'],
      ['run', 'a.ts', '--out', 'b', '--resume', 'b'],
      ['train', 'a.onnx', '--data', 'a.npz', '-o', 'b.onnx', '--patience', '2'],
    ]) {
      const plain = await sinter(...args)
      expect(plain.code).toBe(2)
      expect(plain.out).toBe('')
      expect(plain.err).toMatch(/^error: /)
      const json = await sinter(...args, '--json')
      expect(json.code).toBe(2)
      expect(json.err).toBe('')
      expect(json.json().error).toMatchObject({ code: 'usage', message: expect.stringMatching(/^(?!error)/) })
    }
    const none = await sinter('--json')
    expect(none.code).toBe(2)
  })

  test('refuses files that are no models in a sentence within 80 columns, with exit code 1', async () => {
    const cases = [
      ['missing.onnx', 'not-found'],
      ['folder', 'invalid-model'],
      ['empty.onnx', 'invalid-model'],
      ['picture.png', 'invalid-model'],
      ['cut.onnx', 'invalid-model'],
    ] as const
    for (const [file, code] of cases) {
      const plain = await sinter('inspect', at(file))
      expect(plain.code).toBe(1)
      expect(plain.out).toBe('')
      expect(plain.err).toMatch(/^sinter: [^\n]+(\n[^\n]+){0,3}\n$/)
      expect(plain.err.split('\n').filter(line => line.length > 80)).toEqual([])
      const json = await sinter('inspect', at(file), '--json')
      expect(json.code).toBe(1)
      expect(json.err).toBe('')
      expect(json.json()).toEqual({ error: { code, message: expect.any(String), details: expect.any(Object) } })
    }
  })

  test('refuses data that does not fit in one line', async () => {
    const cases = [
      [['--data', at('missing.npz')], 'not-found'],
      [['--data', at('picture.png')], 'not-supported'],
      [['--data', `${at('picture.png')},${at('picture.png')}`], 'invalid-data'],
      [['--data', at('text.csv'), '--target', 'where'], 'invalid-data'],
      [['--data', at('test.csv'), '--target', 'when'], 'invalid-argument'],
      [['--data', at('test.csv')], 'usage'],
    ] as const
    for (const [args, code] of cases) {
      const json = await sinter('evaluate', at('net.onnx'), ...args, '--json')
      expect(json.json().error.code).toBe(code)
      expect(json.code).toBe(code === 'usage' ? 2 : 1)
    }
  })

  test('never overwrites what it reads, nor writes where it cannot', async () => {
    const inputs = [at('net.onnx'), at('ready.onnx')]
    const outputs = [
      [at('ready.onnx'), 'invalid-argument'],
      [`${blobs.folder}/folder/../net.onnx`, 'invalid-argument'],
      [at('folder'), 'invalid-argument'],
      [at('nowhere/out.onnx'), 'not-found'],
    ] as const
    for (const [out, code] of outputs) {
      const fused = await sinter('fuse', ...inputs, '-o', out, '--json')
      expect(fused.json().error.code).toBe(code)
    }
    const trained = await sinter('train', at('net.onnx'), '--data', at('train.npz'), '-o', at('net.onnx'), '--json')
    expect(trained.json().error.code).toBe('invalid-argument')
    const data = ['--data', at('train.npz'), '--validation', at('test.npz')]
    for (const file of ['train.npz', 'test.npz']) {
      const over = await sinter('train', at('net.onnx'), ...data, '-o', at(file), '--json')
      expect(over.json().error.message).toMatch(/is an input/)
      const saved = await sinter(
        'train',
        at('net.onnx'),
        ...data,
        '-o',
        at('new.onnx'),
        '--checkpoint',
        at(file),
        '--json',
      )
      expect(saved.json().error.message).toMatch(/is an input/)
    }
    const fused = await sinter('fuse', ...inputs, '--data', at('test.npz'), '-o', at('test.npz'), '--json')
    expect(fused.json().error.message).toMatch(/is an input/)
    expect((await sinter('inspect', at('net.onnx'))).code).toBe(0)
  })

  test('ends with 130 when it is stopped', async () => {
    const stopped = await sinterUntil(
      AbortSignal.abort(),
      ...['train', at('net.onnx'), '--data', at('train.npz'), '-o', at('stopped.onnx'), '--json'],
    )
    expect(stopped.code).toBe(130)
    expect(stopped.json().error.code).toBe('interrupted')
    expect((await sinter('inspect', at('stopped.onnx'))).code).toBe(1)
  })
})
