import { expect, test } from 'vitest'
import { float32s } from '../base/tensor.ts'
import { emptyGraph } from '../graph/graph.ts'
import { extend } from './extend.ts'

const start = {
  ...emptyGraph('g'),
  inputs: [{ name: 'x', type: { dtype: 'float32' as const, shape: ['N', 3] } }],
}

test('the builder knows the types of what is there and of what it adds', () => {
  const made = extend(start, (op, draft) => {
    const sum = op.Add(['x', op.constant(float32s([3], [1, 2, 3]))])
    expect(op.type(sum)).toEqual({ dtype: 'float32', shape: ['N', 3] })
    draft.outputs.push({ name: sum, type: op.type(sum) })
  })
  const again = extend(made, (op, draft) => {
    const { name } = made.outputs[0]!
    expect(op.type(name).shape).toEqual(['N', 3])
    expect(() => op.shape(name)).toThrow(/\[N,3\] of .* must be fixed/)
    const flat = op.ReduceSum([name, op.ints([0])], { keepdims: 0 })
    draft.outputs[0] = { name: flat, type: op.type(flat) }
  })
  expect(again.nodes.map(({ op }) => op)).toEqual(['Add', 'ReduceSum'])
  expect(again.outputs[0]!.type).toEqual({ dtype: 'float32', shape: [3] })
})

test('changing nothing gives the graph itself; a node that does not fit is refused', () => {
  expect(extend(start, () => {})).toBe(start)
  expect(() => extend(start, op => op.MatMul(['x', op.constant(float32s([2, 1], [1, 2]))]))).toThrow(
    expect.objectContaining({ code: 'invalid-graph' }),
  )
})

test('a list of what is no integer is not built', () => {
  const build = () => extend(emptyGraph('test'), op => void op.ints([1, Number.NaN]))
  expect(build).toThrow('would hold something else than integers')
})
