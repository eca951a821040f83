import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { modelBytes } from '../../test/support/onnx-message.ts'
import { isLazy, type Tensor } from '../base/tensor.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { decode } from './decode.ts'
import { readModel, writeModel } from './files.ts'
import { TensorProto_DataLocation } from './generated/onnx_pb.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-'))
  path = join(folder, 'm.onnx')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

function graphOf(fill: number): Graph {
  const weight: Tensor = { dtype: 'float32', shape: [3000], data: new Float32Array(3000).fill(fill) }
  const bias: Tensor = { dtype: 'float32', shape: [2], data: Float32Array.of(fill, -fill) }
  return {
    ...emptyGraph('g'),
    irVersion: 10,
    initializers: new Map([
      ['w', weight],
      ['b', bias],
    ]),
  }
}

/** A model with one tensor of four bytes at a location. */
function referringTo(location: string, more: Record<string, string> = {}): Uint8Array {
  const externalData = Object.entries({ location, ...more }).map(([key, value]) => ({ key, value }))
  const dataLocation = TensorProto_DataLocation.EXTERNAL
  return modelBytes({ initializer: [{ name: 'w', dims: [1n], dataType: 1, dataLocation, externalData }] })
}

describe('a model', () => {
  it('is written into one file and read back', async () => {
    await writeModel(path, graphOf(1))
    expect(await readdir(folder)).toEqual(['m.onnx'])
    expect(await readModel(path)).toEqual(graphOf(1))
  })

  it('is written with a data file named for its content, and read from it when it is used', async () => {
    await writeModel(path, graphOf(1), { external: 'always' })
    const files = await readdir(folder)
    expect(files).toEqual(['m.onnx', expect.stringMatching(/^m\.onnx\.[0-9a-f]{16}\.data$/)])
    expect((await stat(path)).size).toBeLessThan(400)
    const graph = await readModel(path)
    expect(isLazy(graph.initializers.get('w')!)).toBe(true)
    expect(graph).toEqual(graphOf(1))
    expect(structuredClone(graph)).toEqual(graphOf(1))
  })

  it('replaces what it was, the data of earlier contents included, while that can still be read', async () => {
    await writeModel(path, graphOf(1), { external: 'always' })
    const before = await readModel(path)
    await writeModel(path, graphOf(2), { external: 'always' })
    expect(await readdir(folder)).toHaveLength(2)
    expect(await readModel(path)).toEqual(graphOf(2))
    if (process.platform !== 'win32') expect(before).toEqual(graphOf(1))
    await writeModel(path, await readModel(path), { external: 'never' })
    expect(await readdir(folder)).toEqual(['m.onnx'])
    expect(await readModel(path)).toEqual(graphOf(2))
  })

  it('may be written over the file that it was read from', async () => {
    await writeModel(path, graphOf(3), { external: 'always' })
    await writeModel(path, await readModel(path), { external: 'always' })
    expect(await readModel(path)).toEqual(graphOf(3))
  })

  it('that cannot be written leaves everything as it was', async () => {
    await writeModel(path, graphOf(1), { external: 'always' })
    const files = await readdir(folder)
    const broken: Tensor = { dtype: 'float32', shape: [9], data: new Float32Array(1) }
    const graph = { ...graphOf(2), initializers: new Map([...graphOf(2).initializers, ['x', broken]]) }
    for (const external of ['always', 'never'] as const) {
      await expect(writeModel(path, graph, { external })).rejects.toMatchObject({ code: 'invalid-graph' })
    }
    expect(await readdir(folder)).toEqual(files)
    expect(await readModel(path)).toEqual(graphOf(1))
    await mkdir(join(folder, 'taken'))
    await expect(writeModel(join(folder, 'taken'), graphOf(1))).rejects.toMatchObject({ code: 'io' })
    expect(await readdir(folder)).toEqual([...files, 'taken'])
  })

  it('needs a folder that exists', async () => {
    const nowhere = join(folder, 'no', 'm.onnx')
    await expect(writeModel(nowhere, graphOf(1))).rejects.toMatchObject({ code: 'not-found' })
    await expect(writeModel(nowhere, graphOf(1), { external: 'always' })).rejects.toMatchObject({ code: 'not-found' })
    await expect(readModel(nowhere)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('is no folder and no pipe', async () => {
    await expect(readModel(folder)).rejects.toMatchObject({ code: 'invalid-model' })
    if (process.platform === 'win32') return
    execFileSync('mkfifo', [path])
    await expect(readModel(path)).rejects.toMatchObject({ code: 'invalid-model' })
  })

  it('beyond 2 GiB is refused unread', async () => {
    await writeFile(path, '')
    await truncate(path, 2 ** 31)
    await expect(readModel(path)).rejects.toMatchObject({ code: 'invalid-model' })
  })

  it('is named in the refusal', async () => {
    await writeFile(path, '<html></html>')
    await expect(readModel(path)).rejects.toThrow(/m\.onnx is not an ONNX model: it looks like an HTML/)
  })
})

describe('external data', () => {
  const four = new Uint8Array(Float32Array.of(5).buffer)

  it('may lie in folders below the model, and behind links that stay inside', async () => {
    await mkdir(join(folder, 'sub'))
    await writeFile(join(folder, 'sub', 'w.bin'), four)
    await symlink('sub/w.bin', join(folder, 'link.bin'))
    for (const location of ['sub/w.bin', './sub//w.bin', 'link.bin']) {
      await writeFile(path, referringTo(location))
      expect((await readModel(path)).initializers.get('w')!.data).toEqual(Float32Array.of(5))
    }
  })

  it('outside of the folder is refused', async () => {
    const inner = join(folder, 'inner')
    await mkdir(inner)
    await writeFile(join(folder, 'secret'), four)
    await symlink('../secret', join(inner, 'link'))
    await symlink('..', join(inner, 'up'))
    await symlink('loop', join(inner, 'loop'))
    const model = join(inner, 'm.onnx')
    const outside = [
      '../secret',
      'a/../../secret',
      join(folder, 'secret'),
      '/dev/zero',
      'C:\\secret',
      'c:secret',
      '..\\secret',
      '\\\\host\\share',
      'secret\0.bin',
      'link',
      'up/secret',
      '.',
      'up',
    ]
    for (const location of outside) {
      await writeFile(model, referringTo(location))
      await expect(readModel(model), location).rejects.toMatchObject({ code: 'invalid-path' })
    }
    await writeFile(model, referringTo('loop'))
    await expect(readModel(model)).rejects.toMatchObject({ code: 'io' })
    await writeFile(model, referringTo('missing.bin'))
    await expect(readModel(model)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('that the file does not have is refused without reading or allocating it', async () => {
    await writeFile(join(folder, 'w.bin'), four)
    for (const more of [{ offset: '1' }, { offset: '999999999999999' }, { length: '8' }, { offset: 'x' }]) {
      await writeFile(path, referringTo('w.bin', more))
      await expect(readModel(path)).rejects.toMatchObject({ code: 'invalid-model' })
    }
    const huge = { dims: [2n ** 40n], dataType: 1, dataLocation: TensorProto_DataLocation.EXTERNAL }
    const externalData = [{ key: 'location', value: 'w.bin' }]
    await writeFile(path, modelBytes({ initializer: [{ name: 'w', ...huge, externalData }] }))
    await expect(readModel(path)).rejects.toThrow(/bytes 0 to 4398046511104 of 'w.bin', which has 4 bytes/)
  })

  it('that became shorter since is reported when it is read', async () => {
    await writeFile(join(folder, 'w.bin'), four)
    await writeFile(path, referringTo('w.bin'))
    const tensor = (await readModel(path)).initializers.get('w')!
    await truncate(join(folder, 'w.bin'), 2)
    expect(() => tensor.data).toThrow(expect.objectContaining({ code: 'io' }))
  })

  it('written by others without a length is read', async () => {
    await writeFile(join(folder, 'w.bin'), new Uint8Array([...four, ...four]))
    await writeFile(path, referringTo('w.bin', { offset: '4', checksum: 'unused' }))
    expect((await readModel(path)).initializers.get('w')!.data).toEqual(Float32Array.of(5))
    expect(() => decode(referringTo('w.bin'))).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
    expect((await readFile(path)).length).toBeGreaterThan(0)
  })
})
