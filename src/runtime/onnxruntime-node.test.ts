import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { float32s } from '../base/tensor.ts'
import { decode } from '../onnx/decode.ts'
import { onnxruntimeBackend, onnxruntimeNode } from './onnxruntime-node.ts'
import { conformBackend } from './testing/conform-backend.ts'
import { f32, graphOf } from './testing/graphs.ts'

conformBackend(onnxruntimeNode)

const twoSteps = graphOf({
  inputs: { x: f32('N') },
  outputs: { y: f32('N') },
  nodes: [
    { op: 'Neg', name: 'negate', inputs: ['x'], outputs: ['t'] },
    { op: 'Identity', name: 'pass', inputs: ['t'], outputs: ['y'] },
  ],
})

describe('onnxruntime-node', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sinter-runtime-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('that is not installed is a refusal that says how to install it', async () => {
    const backend = onnxruntimeBackend(() => Promise.reject(new Error("Cannot find package 'onnxruntime-node'")))
    await expect(backend.open(twoSteps)).rejects.toMatchObject({
      code: 'runtime-missing',
      message: expect.stringContaining('npm install onnxruntime-node'),
    })
  })

  test('writes a profile when its session is disposed', async () => {
    const session = await onnxruntimeNode.open(twoSteps, { profile: join(folder, 'times') })
    await session.run({ x: float32s([1], [1]) })
    await session[Symbol.asyncDispose]()
    const [file] = await readdir(folder)
    expect(await readFile(join(folder, file!), 'utf8')).toContain('negate_kernel_time')
  })

  test('writes the graph as it has rewritten it', async () => {
    const optimizedModelPath = join(folder, 'optimized.onnx')
    await using _ = await onnxruntimeNode.open(twoSteps, { optimizedModelPath })
    expect(decode(await readFile(optimizedModelPath)).nodes.map(node => node.op)).toEqual(['Neg'])
  })
})
