import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { outputDifferences } from './equivalence.ts'
import { sideBySide } from './side-by-side.ts'

test('inputs and outputs of other names go by those of the first, and what only one has goes or is taken too', async () => {
  const first = makeGraph({ x: f32('N', 3) }, (op, { x }) => ({ y: op.Relu([x]), extra: op.Neg([x]) }))
  const second = makeGraph({ image: f32('N', 3), flag: f32(1) }, (op, { image, flag }) => ({
    y: op.Relu([image]),
    more: op.Add([image, flag]),
  }))
  const { a, b } = sideBySide(first, second)
  expect(a.inputs.map(({ name }) => name)).toEqual(['x', 'flag'])
  expect(b.inputs.map(({ name }) => name).sort()).toEqual(['flag', 'x'])
  expect([a, b].map(graph => graph.outputs.map(({ name }) => name))).toEqual([['y'], ['y']])
  expect(await outputDifferences(a, b, undefined, onnxruntimeNode)).toMatchObject({ same: true, absolute: 0 })
})
