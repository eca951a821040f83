import { expect, test } from 'vitest'
import { node } from '../../graph/edit.ts'
import { emptyGraph, type Graph } from '../../graph/graph.ts'
import { check } from '../../read/check.ts'
import { infer } from '../../read/infer.ts'
import { toAttributes } from '../spec.ts'

const key = (dtype: 'int64' | 'string', value: 'float32' | 'string' | 'float64') =>
  ({ key: dtype, value: { dtype: value, shape: [] } }) as const
const graph = (op: string, type: Graph['inputs'][number]['type'], attributes: Record<string, unknown>): Graph => ({
  ...emptyGraph('maps'),
  opset: { '': 21, 'ai.onnx.ml': 1 },
  inputs: [{ name: 'x', type }],
  outputs: [{ name: 'y', type: undefined }],
  nodes: [
    node({
      op,
      domain: 'ai.onnx.ml',
      inputs: ['x'],
      outputs: ['y'],
      attributes: toAttributes(`ai.onnx.ml.${op}` as 'ai.onnx.ml.ZipMap', attributes),
    }),
  ],
})
const typeOf = (one: Graph) => {
  expect(check(one)).toEqual([])
  return infer(one).get('y')
}

test('ZipMap gives a map for each row, by texts or by integers', () => {
  const scores = { dtype: 'float32', shape: ['N', 2] } as const
  expect(typeOf(graph('ZipMap', scores, { classlabels_strings: ['a', 'b'] }))).toEqual({
    sequence: key('string', 'float32'),
  })
  expect(typeOf(graph('ZipMap', scores, { classlabels_int64s: [0, 1] }))).toEqual({
    sequence: key('int64', 'float32'),
  })
})

test('CastMap gives as many columns as its sparse form says', () => {
  const sparse = { map_form: 'SPARSE', max_map: 7, cast_to: 'TO_INT64' }
  expect(typeOf(graph('CastMap', key('int64', 'float32'), sparse))).toEqual({ dtype: 'int64', shape: [1, 7] })
  expect(typeOf(graph('CastMap', key('int64', 'string'), { cast_to: 'TO_STRING' }))).toEqual({
    dtype: 'string',
    shape: [1, ''],
  })
})

test('DictVectorizer gives a column for each word, of the type that the map holds', () => {
  const words = { string_vocabulary: ['a', 'b', 'c'] }
  expect(typeOf(graph('DictVectorizer', key('string', 'float64'), words))).toEqual({
    dtype: 'float64',
    shape: [1, 3],
  })
})
