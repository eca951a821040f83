import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { random } from '../src/base/random.ts'
import { float32s } from '../src/base/tensor.ts'
import { runCli } from '../src/cli/cli.ts'
import type { Value } from '../src/graph/graph.ts'
import * as sinter from '../src/node.ts'
import { defineConfig, parseRecipe } from '../src/recipe/recipe.ts'
import { run } from '../src/recipe/run.ts'
import { f32, makeGraph } from './support/make-graph.ts'
import { readmeBlocks } from './support/readme.ts'
import { expectSameOutputs } from './support/same-outputs.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-readme-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A table of three numbers and a quality that follows from them. */
function table(rows: number, seed: number): string {
  const stream = random(seed)
  const lines = Array.from({ length: rows }, () => {
    const [a, b, c] = [stream.normal(), stream.normal(), stream.normal()]
    return `${a},${b},${c},${a + b * c > 0 ? 'good' : 'poor'}`
  })
  return ['acid,sugar,alcohol,quality', ...lines].join('\n')
}

describe('the README', () => {
  test('shows code and its output on the first screen', async () => {
    const [first] = await readmeBlocks('ts')
    const [output] = await readmeBlocks('text')
    expect(first!.split('\n').length).toBeLessThan(22)
    expect(output).toMatch(/member 1: loss/)
  })

  test('has a recipe for own data that runs', async () => {
    const [, block] = await readmeBlocks('ts')
    const body = block!.replace(/^import.*$/m, '').replace('export default', 'return')
    const recipe = parseRecipe(new Function('defineConfig', body)(defineConfig))
    await writeFile(join(folder, 'train.csv'), table(900, 1))
    await writeFile(join(folder, 'test.csv'), table(200, 2))
    const record = await run(recipe, { path: join(folder, 'recipe.ts'), out: join(folder, 'run'), threads: 1 })
    expect(record.status).toBe('complete')
    expect(record.models.find(({ name }) => name === record.choice!.name)!.test!.accuracy).toBeGreaterThan(0.7)
  })

  test('shows how to simplify and edit from code, and that code runs', async () => {
    const image = makeGraph({ image: f32(1, 3, 8, 8) }, (op, { image }) => {
      const weight = op.constant(float32s([4, 3, 3, 3], new Float32Array(108).fill(0.01)))
      const features = op.Relu([op.Conv([op.Identity([image]), weight])])
      return { features, flat: op.Identity([op.Reshape([features, op.ints([1, 144])])]) }
    })
    const model = { ...image, outputs: image.outputs.slice(1) }
    await sinter.save(join(folder, 'model.onnx'), model)
    const block = (await readmeBlocks('ts'))[2]!
    const code = block
      .replace(/^import.*$/m, '')
      .replace(/'(\w+\.onnx)'/g, (_, file) => JSON.stringify(join(folder, file)))
    const said: unknown[][] = []
    const run = new Function('sinter', 'console', `return (async () => {${code}\nreturn { joined, backbone } })()`)
    const { joined, backbone } = await run(sinter, { log: (...words: unknown[]) => said.push(words) })
    // As the comment there says.
    expect(said[1]).toEqual([{ before: 5, after: 3 }, true, []])
    expect(said[2]![0]).toMatchObject([{ operator: expect.any(String), changes: [expect.stringContaining('Sigmoid')] }])
    expect(backbone.outputs.map(({ name }: Value) => name)).toEqual(['features'])
    for (const changed of [joined, await sinter.load(join(folder, 'slim.onnx'))])
      await expectSameOutputs(changed, model)
    expect((await sinter.load(join(folder, 'batched.onnx'))).inputs[0]!.type).toEqual(f32('N', 3, 8, 8))
  })

  test('names verbs and options that there are', async () => {
    const commands = (await readmeBlocks('')).flatMap(block =>
      block.split('\n').filter(line => line.startsWith('sinter ')),
    )
    expect(commands.length).toBeGreaterThan(5)
    for (const line of commands) {
      const words = line
        .split(/\s{2,}/)[0]!
        .split(' ')
        .slice(1)
      const options = words.filter(word => word.startsWith('-'))
      const help = await helpOf(words[0]!)
      for (const option of options) expect(help, line).toContain(option)
    }
  })
})

async function helpOf(verb: string): Promise<string> {
  const written: string[] = []
  const io = { out: (text: string) => written.push(text), err: () => {}, live: false, columns: 80, color: false }
  expect(await runCli([verb, '--help'], { ...io, signal: new AbortController().signal })).toBe(0)
  return written.join('')
}
