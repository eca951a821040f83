import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, scalar } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import { cost } from './cost.ts'
import { refusalsOf } from './refusals.ts'

const columns = (found: ReturnType<typeof refusalsOf>) =>
  found.map(({ operator, column, nodes }) => [operator, column, nodes])

describe('refusals', () => {
  test('are of nodes that a gradient goes through, not of shapes and constants beside them', () => {
    const graph = makeGraph({ x: f32('N', 4) }, (op, { x }) => {
      const size = op.Shape([x])
      const fixed = op.Round([op.constant(float32s([4], [1, 2, 3, 4]))])
      return { y: op.Reshape([op.Mul([op.Round([op.Round([x])]), fixed]), size]), label: op.ArgMax([x]) }
    })
    const gradient = refusalsOf(graph).filter(({ column }) => column === 'gradient')
    expect(columns(gradient).filter(([operator]) => operator === 'Shape')).toEqual([])
    expect(columns(gradient)).toContainEqual(['ArgMax', 'gradient', 1])
  })
  test('name what stays in floating point, and operators without a record', () => {
    const graph = edit(
      makeGraph({ x: f32(2) }, (op, { x }) => ({ y: op.Erf([x]) })),
      draft => {
        draft.add({ op: 'Strange', domain: 'my.own', inputs: ['y'], outputs: ['z'] })
        draft.outputs.push({ name: 'z', type: f32(2) })
      },
    )
    const own = { ...graph, opset: { ...graph.opset, 'my.own': 1 } }
    const found = refusalsOf(own, cost(own).uncounted)
    expect(columns(found)).toContainEqual(['Erf', 'quantization', 1])
    for (const column of ['gradient', 'coupling', 'quantization', 'cost'])
      expect(columns(found)).toContainEqual(['my.own.Strange', column, 1])
  })
  test('are few where everything can be done', () => {
    const graph = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({
      y: op.Relu([
        op.Add([op.MatMul([x, op.constant(float32s([4, 2], new Float32Array(8)))]), op.constant(scalar('float32', 1))]),
      ]),
    }))
    expect(refusalsOf(graph)).toEqual([])
  })
})
