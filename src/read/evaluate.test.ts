import { describe, expect, test } from 'vitest'
import { float32s, int64s, scalar, zeros } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { type NewNode, node } from '../graph/edit.ts'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import type { Ops, Ref } from '../ops/build.ts'
import { evaluate } from './evaluate.ts'
import { extend } from './extend.ts'

function graph(build: (op: Ops, x: Ref) => Ref): { graph: Graph; name: string } {
  const empty = { ...emptyGraph('test'), inputs: [{ name: 'x', type: { dtype: 'float32' as const, shape: ['N', 4] } }] }
  let name = ''
  return {
    graph: extend(empty, (op, draft) => {
      name = build(op, 'x')
      draft.outputs.push({ name, type: undefined })
    }),
    name,
  }
}

function evaluated(build: (op: Ops, x: Ref) => Ref) {
  const { graph: one, name } = graph(build)
  return evaluate(one).get(name)
}

describe('evaluating', () => {
  test('computes constants of constants', () => {
    const value = evaluated(op => op.Transpose([op.Mul([op.constant(float32s([2, 2], [1, 2, 3, 4])), op.scalar(0.5)])]))
    expect(value).toEqual(float32s([2, 2], [0.5, 1.5, 1, 2]))
  })
  test('reads older forms as they are', () => {
    const old = (op: string, opset: number, attributes: NewNode['attributes'], values: number[]) => {
      const one: Graph = {
        ...emptyGraph('old'),
        opset: { '': opset },
        initializers: new Map([['x', float32s([values.length], values)]]),
        nodes: [node({ op, inputs: ['x'], outputs: ['y'], attributes: attributes ?? {} })],
        outputs: [{ name: 'y', type: undefined }],
      }
      return evaluate(one).get('y')
    }
    const bounds = { min: attribute.float(0), max: attribute.float(2) }
    expect(old('Clip', 6, bounds, [-1, 1, 3])).toEqual(float32s([3], [0, 1, 2]))
    expect(old('ArgMax', 11, {}, [1, 3, 3])).toEqual(int64s([1]))
  })
  test('knows fixed sizes of values that are not constant', () => {
    const at = (axis: number) => (op: Ops, x: Ref) => op.Gather([op.Shape([x]), op.constant(scalar('int64', axis))])
    expect(evaluated(at(1))).toEqual(scalar('int64', 4))
    expect(evaluated(at(0))).toBeUndefined()
  })
  test('keeps 64-bit integers exact', () => {
    const large = { dtype: 'int64', shape: [1], data: BigInt64Array.of(2n ** 62n + 1n) } as const
    expect(evaluated(op => op.Add([op.constant(large), op.constant(int64s([1]))]))?.data).toEqual(
      BigInt64Array.of(2n ** 62n + 2n),
    )
  })
  test('leaves alone what is large, what may be fed and what the runtime must judge', () => {
    expect(evaluated(op => op.Neg([op.constant(zeros('float32', [2000]))]))).toBeUndefined()
    expect(evaluated(op => op.Div([op.constant(int64s([1])), op.constant(int64s([0]))]))).toBeUndefined()
    const { graph: one, name } = graph(op => op.Neg([op.constant(float32s([1], [1]), 'default')]))
    const fed = { ...one, inputs: [...one.inputs, { name: one.nodes[0]!.inputs[0]!, type: undefined }] }
    expect(evaluate(one).has(name)).toBe(true)
    expect(evaluate(fed).has(name)).toBe(false)
  })
})
