import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, int64s } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { edit, node } from '../graph/edit.ts'
import { emptyGraph } from '../graph/graph.ts'
import { storageOf } from './storage.ts'

test('bytes are counted once a tensor, by type and by the first that reads them, in bodies too', () => {
  const shared = float32s([2, 2], [1, 2, 3, 4])
  const inner = float32s([8], new Float32Array(8))
  const branch = {
    ...emptyGraph('branch'),
    initializers: new Map([['deep', inner]]),
    nodes: [node({ op: 'Identity', inputs: ['deep'], outputs: ['d'] })],
    outputs: [{ name: 'd', type: undefined }],
  }
  const graph = edit(
    makeGraph({ x: f32(2, 2) }, (op, { x }) => ({
      y: op.MatMul([op.MatMul([x, op.constant(shared, 'w')]), op.constant(shared, 'w')]),
      z: op.Reshape([x, op.constant(int64s([4]))]),
    })),
    draft => {
      draft.inputs.push({ name: 'c', type: { dtype: 'bool', shape: [] } })
      const attributes = { then_branch: attribute.graph(branch), else_branch: attribute.graph({ ...branch }) }
      draft.add({ op: 'If', name: 'choice', inputs: ['c'], outputs: ['k'], attributes })
      draft.outputs.push({ name: 'k', type: f32(8) })
    },
  )
  const found = storageOf(graph)
  expect(found.bytes).toBe(16 + 32 + 8)
  expect(found.tensors.map(({ bytes, reader }) => [bytes, reader?.op])).toEqual([
    [32, 'If'],
    [16, 'MatMul'],
    [8, 'Reshape'],
  ])
  expect(found.dtypes).toEqual([
    { dtype: 'float32', tensors: 2, bytes: 48 },
    { dtype: 'int64', tensors: 1, bytes: 8 },
  ])
  expect([...found.byNode.values()].reduce((a, b) => a + b, 0)).toBe(56)
})
