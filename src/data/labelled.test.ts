import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { float32s, int64s, tensor } from '../base/tensor.ts'
import { checkLabels, readLabelled } from './labelled.ts'
import { writeNpz } from './testing/write-npz.ts'

let folder: string
const at = (file: string) => join(folder, file)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sinter-labelled-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('reading labelled files', () => {
  test('takes arrays by the names of the inputs, as the types that they want', async () => {
    const [a, b] = [float32s([2, 2], [1, 2, 3, 4]), tensor('uint8', [2], Uint8Array.of(5, 6))]
    await writeNpz(at('two.npz'), { a, b, label: tensor('uint8', [2], Uint8Array.of(1, 0)) })
    const dataset = await readLabelled({ format: 'npz', file: at('two.npz') }, { a: 'float32', b: 'int64' })
    expect(dataset.size).toBe(2)
    expect(await dataset.read([1])).toMatchObject({
      a: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(3, 4) },
      b: { dtype: 'int64', data: BigInt64Array.of(6n) },
      label: { dtype: 'int64', data: BigInt64Array.of(0n) },
    })
  })

  test('takes the one array beside the label for the one input, whatever its name', async () => {
    await writeNpz(at('one.npz'), { x: float32s([2, 1], [1, 2]), y: int64s([0, 1]) })
    const dataset = await readLabelled({ format: 'npz', file: at('one.npz'), target: 'y' }, { image: 'float32' })
    expect(Object.keys(dataset.fields)).toEqual(['image', 'label'])
    await expect(readLabelled({ format: 'npz', file: at('one.npz') }, { image: 'float32' })).rejects.toThrow(
      "no array 'image'; it has x, y",
    )
  })

  test('takes a table for the one input', async () => {
    await writeFile(at('table.csv'), 'x,y,kind\n1,2,b\n3,4,a\n')
    const files = { format: 'csv', file: at('table.csv'), target: 'kind' } as const
    const dataset = await readLabelled(files, { features: 'float64' })
    expect(dataset.classes).toEqual(['a', 'b'])
    expect((await dataset.read([0])).features).toMatchObject({ dtype: 'float64', shape: [1, 2] })
    await expect(readLabelled(files, { a: 'float32', b: 'float32' })).rejects.toThrow('2 inputs')
  })

  test('refuses labels that are not one whole number per row', async () => {
    const image = float32s([2, 1], [1, 2])
    await writeNpz(at('halves.npz'), { image, label: float32s([2], [0, 0.5]) })
    await writeNpz(at('onehot.npz'), { image, label: float32s([2, 3], [0, 1, 0, 1, 0, 0]) })
    const read = (file: string) => readLabelled({ format: 'npz', file: at(file) }, { image: 'float32' })
    await expect(read('halves.npz')).rejects.toThrow('Row 1 of the array')
    await expect(read('onehot.npz')).rejects.toThrow('[2,3]; labels are one whole number per row')
  })

  test('names the first label that is no class', async () => {
    await writeNpz(at('three.npz'), { image: float32s([3, 1], [1, 2, 3]), label: int64s([0, 1, 2]) })
    const dataset = await readLabelled({ format: 'npz', file: at('three.npz') }, { image: 'float32' })
    await expect(checkLabels('test part', dataset, 3)).resolves.toBeUndefined()
    await expect(checkLabels('test part', dataset, 2)).rejects.toThrow('Row 2 of the test part has label 2')
  })
})
