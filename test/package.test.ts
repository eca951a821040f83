import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readmeBlocks } from './support/readme.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')

describe('the package', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sinter-package-'))
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
    })
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
    await writeFile(join(folder, '.npmrc'), 'ignore-scripts=true\nfund=false\naudit=false\n')
    await run('npm', ['install', '--prefer-offline', join(folder, filename)], { cwd: folder })
  }, 300_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test("runs the README's first example from an empty folder, to the output that the README shows", async () => {
    const [example] = await readmeBlocks('ts')
    const [shown] = await readmeBlocks('text')
    await writeFile(join(folder, 'first.mjs'), example!)
    const { stdout } = await run(process.execPath, ['first.mjs'], { cwd: folder })
    expect(stdout.trim()).toBe(shown!.trim())
    expect(await readdir(folder)).toContain('ensemble.onnx')
  }, 120_000)

  test('has a command that answers', async () => {
    const { stdout } = await run('npx', ['--no-install', 'sinter', 'inspect', 'ensemble.onnx', '--json'], {
      cwd: folder,
    })
    expect(JSON.parse(stdout)).toMatchObject({ parameters: expect.any(Number), macs: expect.any(Number) })
  }, 60_000)

  test('carries no tests, and needs no script to install', async () => {
    const installed = join(folder, 'node_modules/sinter')
    const files = await readdir(installed, { recursive: true })
    expect(files.filter(file => /\.test\.|goldens|testing/.test(file))).toEqual([])
    const { scripts = {} } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
      scripts?: Record<string, string>
    }
    expect(Object.keys(scripts).filter(name => /install|prepare/.test(name))).toEqual([])
  })
})
