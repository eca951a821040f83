import { expect, test } from 'vitest'
import { tensorBytes } from '../base/tensor.ts'
import { emptyGraph } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { infer } from '../read/infer.ts'
import { filled } from './fill.ts'

const graphOf = (shape: readonly number[]) =>
  extend({ ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float64', shape: [1] } }] }, (op, draft) => {
    draft.outputs.push({ name: filled(op, 'x', shape, 0.5), type: undefined })
  })

test('a filled tensor has the type of another and the shape asked for, and is small in a file', () => {
  for (const shape of [
    [2, 3],
    [100, 100],
  ]) {
    const graph = graphOf(shape)
    expect(infer(graph).get(graph.outputs[0]!.name)).toMatchObject({ dtype: 'float64', shape })
    const bytes = [...graph.initializers.values()].reduce((sum, t) => sum + tensorBytes(t), 0)
    expect(bytes).toBeLessThan(100)
  }
})
