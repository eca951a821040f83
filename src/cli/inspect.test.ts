import { readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { node } from '../graph/edit.ts'
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
    expect(out).toMatch(/cannot train through ArgMax/)
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
