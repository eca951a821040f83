import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import { random } from '../../base/random.ts'
import { float32s, full } from '../../base/tensor.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import { dropZeroStates } from './drop-zero-states.ts'

const drop = rewrite('drop', [dropZeroStates])
const draw = random(7)
const normal = (...shape: number[]) =>
  float32s(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.normal()),
  )

/** An LSTM over [3, N, 4] that begins with what is given. */
const lstm = (begin: (op: Ops, x: Ref) => readonly [Ref, Ref]) =>
  makeGraph({ x: f32(3, 'N', 4) }, (op, { x }) => {
    const weights = [op.constant(normal(1, 20, 4)), op.constant(normal(1, 20, 5))]
    const [y, , c] = op.many('LSTM', 3, [x, ...weights, null, null, ...begin(op, x)], { hidden_size: 5 })
    return { y: y!, c: c! }
  })

/** States of the batch's size, as exporters make them. */
const made = (op: Ops, x: Ref, value = 0) => {
  const shape = op.Concat([op.ints([1]), op.Shape([x], { start: 1, end: 2 }), op.ints([5])], { axis: 0 })
  return op.ConstantOfShape([shape], { value: full('float32', [1], value) })
}

test('states of zeros are left out, however they are made', async () => {
  const begins: readonly ((op: Ops, x: Ref) => readonly [Ref, Ref])[] = [
    (op, x) => [made(op, x), made(op, x)],
    (op, x) => {
      const both = op.Expand([op.constant(full('float32', [1], 0)), op.Shape([made(op, x)])])
      return [both, op.Unsqueeze([op.Squeeze([both, op.ints([0])]), op.ints([0])])]
    },
  ]
  for (const begin of begins) {
    const graph = lstm(begin)
    const after = drop(graph)
    expect(after.nodes.map(({ op }) => op)).toEqual(['LSTM'])
    expect(after.nodes[0]!.inputs.slice(5).every(name => name === '')).toBe(true)
    await expectSameOutputs(after, graph)
  }
})

test('only the state of zeros is left out where the other has contents', async () => {
  const graph = lstm((op, x) => [made(op, x, 0.5), made(op, x)])
  const after = drop(graph)
  expect(after.nodes.filter(({ op }) => op === 'ConstantOfShape')).toHaveLength(1)
  await expectSameOutputs(after, graph)
})

test('states with contents, and those that are fed, stay', () => {
  const graph = lstm((op, x) => [made(op, x, 0.5), made(op, x, -1)])
  expect(drop(graph)).toBe(graph)
  const fed = makeGraph({ x: f32(3, 2, 4), h: f32(1, 2, 5) }, (op, { x, h }) => ({
    y: op.GRU([x, op.constant(normal(1, 15, 4)), op.constant(normal(1, 15, 5)), null, null, h], { hidden_size: 5 }),
  }))
  expect(drop(fed)).toBe(fed)
})
