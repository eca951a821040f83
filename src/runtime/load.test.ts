import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as engine from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { float32s } from '../base/tensor.ts'
import { load } from './load.ts'
import { f32, graphOf } from './testing/graphs.ts'

test('a graph too large for one message goes through files, which do not stay behind', async () => {
  const values = Float32Array.from({ length: 2048 }, (_, i) => i)
  const graph = graphOf({
    inputs: { x: f32(2048) },
    outputs: { y: f32(2048) },
    nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: { w: float32s([2048], values) },
  })
  const folders = async () => (await readdir(tmpdir())).filter(name => name.startsWith('sinter-model-'))
  const before = await folders()
  const session = await load(engine, graph, {}, 100)
  expect(await folders()).toEqual(before)
  const { y } = await session.run({ x: new engine.Tensor('float32', values, [2048]) })
  expect(y!.data[2047]).toBe(2 * 2047)
  await session.release()
})
