import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import type { Graph } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { setDims } from '../surgery/set-dims.ts'
import { checkStacked } from './check-stacked.ts'

const changes = [{ input: 'x', axis: 0, to: 'N' }]

async function check(build: (op: Ops, x: Ref) => Ref): Promise<string | undefined> {
  const before: Graph = makeGraph({ x: f32(1, 4) }, (op, { x }) => ({ y: build(op, x) }))
  return checkStacked(before, setDims(before, changes).graph, changes, onnxruntimeNode)
}

test('examples that do not meet give together what each gives alone', async () => {
  expect(await check((op, x) => op.Softmax([x], { axis: 1 }))).toBeUndefined()
})

test('examples that meet are no batch', async () => {
  expect(await check((op, x) => op.Softmax([x], { axis: 0 }))).toMatch(/output 'y' of two examples/)
})
