import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { expectSameOutputs } from '../../../test/support/same-outputs.ts'
import type { DType } from '../../base/dtype.ts'
import { int64s, reshape } from '../../base/tensor.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { rewrite } from '../../rewrite/apply.ts'
import { fixedPoint } from '../../rewrite/pass.ts'
import type { Rule } from '../../rewrite/rule.ts'
import { chains } from './index.ts'

const all = fixedPoint([rewrite('chains', chains() as readonly Rule[])])

const operators = (graph: Graph) => graph.nodes.map(({ op }) => op)

async function expectLeft(graph: Graph, expected: readonly string[]): Promise<void> {
  const after = all(graph)
  expect(operators(after)).toEqual(expected)
  await expectSameOutputs(after, graph, 0)
}

const x = f32('N', 8, 3)
const slice = (op: Ops, x: Ref, start: number, end: number, axis = 1, step = 1) =>
  op.Slice([x, op.ints([start]), op.ints([end]), op.ints([axis]), op.ints([step])])

describe('along one axis', () => {
  const cases: Record<string, [graph: Graph, left: string[]]> = {
    'slices of slices are one': [
      makeGraph({ x }, (op, { x }) => ({ y: slice(op, slice(op, x, 1, 7), -4, -1) })),
      ['Slice'],
    ],
    'steps multiply, backwards too': [
      makeGraph({ x }, (op, { x }) => ({
        y: slice(op, slice(op, x, -1, -(2 ** 31), 1, -1), 1, 8, 1, 3),
        z: slice(op, slice(op, x, 0, 8, 1, 2), -1, -(2 ** 31), 1, -1),
      })),
      ['Slice', 'Slice'],
    ],
    'slices along different axes are one': [
      makeGraph({ x }, (op, { x }) => ({ y: slice(op, slice(op, x, 1, 7), 0, 2, 2) })),
      ['Slice'],
    ],
    'slices along different axes of any size are one': [
      makeGraph({ x: f32(4, 'H', 'W') }, (op, { x }) => ({
        y: slice(op, slice(op, x, 1, -1, 1), -3, -(2 ** 31), -1, -2),
        z: slice(op, slice(op, x, 1, -1, 1), 0, -1, -2),
      })),
      ['Slice', 'Slice', 'Slice'],
    ],
    'a Split of which one part is read is a slice of it': [
      makeGraph({ x }, (op, { x }) => ({
        y: slice(op, op.many('Split', 3, [x, op.ints([2, 5, 1])], { axis: -2 })[1]!, 0, 2, 2),
      })),
      ['Slice'],
    ],
    'a slice of joined values is one of them, or of one': [
      makeGraph({ x, z: x }, (op, { x, z }) => {
        const [a, b] = [op.Relu([x]), op.Neg([z])]
        const joined = op.Concat([a, b], { axis: 1 })
        return { y: op.Exp([slice(op, joined, 8, 16)]), z2: op.Abs([slice(op, joined, 2, 5)]) }
      }),
      ['Relu', 'Neg', 'Exp', 'Slice', 'Abs'],
    ],
    'parts joined in order are the whole': [
      makeGraph({ x }, (op, { x }) => {
        const parts = op.many('Split', 3, [x, op.ints([2, 5, 1])], { axis: 1 })
        const slices = [slice(op, x, 0, 3), slice(op, x, 3, 2 ** 31)]
        return { y: op.Exp([op.Concat(parts, { axis: 1 })]), z: op.Neg([op.Concat(slices, { axis: -2 })]) }
      }),
      ['Exp', 'Neg'],
    ],
    'a Concat of a Concat is one': [
      makeGraph({ x, z: x }, (op, { x, z }) => ({
        y: op.Concat([op.Concat([x, z], { axis: 1 }), x], { axis: 1 }),
      })),
      ['Concat'],
    ],
    'consecutive indices are a slice': [
      makeGraph({ x }, (op, { x }) => ({
        y: op.Gather([x, op.constant(int64s([2, 3, 4]))], { axis: 1 }),
        z: op.Gather([x, op.constant(int64s([-1, -3, -5]))], { axis: 1 }),
      })),
      ['Slice', 'Slice'],
    ],
    'indices that count an axis through, in rows, reshape it': [
      makeGraph({ x, z: f32('N', 1, 3) }, (op, { x, z }) => {
        const rows = op.constant(reshape(int64s([0, 1, 2, 3, -4, 5, 6, 7]), [2, 4]))
        const one = op.constant(reshape(int64s([0]), [1, 1]))
        const others = op.constant(reshape(int64s([0, 1, 2, 3, 4, 5, 7, 6]), [2, 4]))
        return {
          y: op.Gather([x, rows], { axis: 1 }),
          a: op.Gather([z, one], { axis: 1 }),
          b: op.Gather([z, op.scalar(-1, 'int64')], { axis: 1 }),
          c: op.Gather([x, others], { axis: 1 }),
        }
      }),
      ['Reshape', 'Unsqueeze', 'Squeeze', 'Gather'],
    ],
    'a Gather of a Gather is one, and a Slice where it can be': [
      makeGraph({ x }, (op, { x }) => {
        const some = op.Gather([x, op.constant(int64s([6, 4, 2, 0]))], { axis: 1 })
        return { y: op.Gather([some, op.constant(int64s([1, 2]))], { axis: 1 }) }
      }),
      ['Slice'],
    ],
    'blocks that are written over one another leave what was written': [
      makeGraph({ x: f32(2, 6), a: f32(2, 4), b: f32(2, 2) }, (op, { x, a, b }) => {
        const at = (start: number, count: number) =>
          op.constant(
            reshape(int64s([0, 1].flatMap(row => Array.from({ length: count }, (_, i) => [row, start + i]).flat())), [
              2,
              count,
              2,
            ]),
          )
        const first = op.ScatterND([x, at(0, 4), a])
        return { y: op.Relu([op.ScatterND([first, at(4, 2), b])]), z: op.Neg([slice(op, first, 4, 6)]) }
      }),
      ['Concat', 'Relu', 'Slice', 'Neg'],
    ],
    'rows that are written by number': [
      makeGraph({ x: f32(3, 4), a: f32(1, 4), b: f32(1, 4), c: f32(1, 4) }, (op, { x, ...rows }) => {
        const written = [rows.a, rows.b, rows.c].reduce(
          (data, row, i) => op.ScatterND([data, op.constant(reshape(int64s([i]), [1, 1])), row]),
          x,
        )
        return { y: op.Gather([written, op.scalar(1, 'int64')]), z: op.Neg([written]) }
      }),
      ['Concat', 'Squeeze', 'Neg'],
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [graph, left]) => expectLeft(graph, left))

  test('a ScatterND that adds, or writes in another order, stays', () => {
    const graph = makeGraph({ x: f32(4), a: f32(2), b: f32(2) }, (op, { x, a, b }) => {
      const at = (...indices: number[]) => op.constant(reshape(int64s(indices), [2, 1]))
      const added = op.ScatterND([x, at(0, 1), a], { reduction: 'add' })
      return { y: op.ScatterND([added, at(3, 2), b]) }
    })
    expect(all(graph)).toBe(graph)
  })

  test('nothing is taken out of what has no fixed size', () => {
    const graph = makeGraph({ x, z: x }, (op, { x, z }) => ({
      y: slice(op, op.Concat([op.Relu([x]), op.Relu([z])], { axis: 0 }), 0, 2, 0),
    }))
    expect(all(graph)).toBe(graph)
  })
})

describe('slices that share a value out', () => {
  test('are one Split', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const [a, b, c] = [slice(op, x, 3, 8), slice(op, x, 0, 2), slice(op, x, 2, 3)]
      return { a: op.Relu([a]), b: op.Neg([b]), c: op.Exp([c]) }
    })
    const after = all(graph)
    expect(operators(after).sort()).toEqual(['Exp', 'Neg', 'Relu', 'Split'])
    await expectSameOutputs(after, graph, 0)
  })

  test('are one Split with Gathers, whose Squeezes join with what follows', async () => {
    const graph = makeGraph({ x: f32('N', 2, 3) }, (op, { x }) => {
      const [a, b] = [0, 1].map(i => op.Gather([x, op.scalar(i, 'int64')], { axis: 1 }))
      return { a: op.Relu([op.Unsqueeze([a!, op.ints([1])])]), b: op.Neg([op.Unsqueeze([b!, op.ints([1])])]) }
    })
    const after = all(graph)
    expect(operators(after).sort()).toEqual(['Neg', 'Relu', 'Split'])
    await expectSameOutputs(after, graph, 0)
  })

  test('stay where they overlap, leave something out, or are Gathers with nothing after them', () => {
    const graph = makeGraph({ x, z: f32('N', 2) }, (op, { x, z }) => ({
      a: slice(op, x, 0, 5),
      b: slice(op, x, 4, 8),
      c: slice(op, x, 0, 1, 2),
      d: slice(op, x, 1, 2, 2),
      e: op.Gather([z, op.scalar(0, 'int64')], { axis: 1 }),
      f: op.Gather([z, op.scalar(1, 'int64')], { axis: 1 }),
    }))
    expect(all(graph)).toBe(graph)
  })

  test('whatever is taken from first to last goes, of an axis of any size', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const [zero, end] = [op.ints([0, 1]), op.ints([2 ** 53, 5])]
      return { y: op.Relu([slice(op, x, 0, 2 ** 53, 0)]), z: op.Slice([x, zero, end, op.ints([0, 1])]) }
    })
    const after = all(graph)
    expect(operators(after)).toEqual(['Relu', 'Slice'])
    expect(after.nodes[1]!.inputs.length).toBe(4)
    await expectSameOutputs(after, graph, 0)
  })
})

describe('twins in a row', () => {
  test('Pads, Tiles and Expands are one', async () => {
    const graph = makeGraph({ x: f32('N', 1, 3) }, (op, { x }) => {
      const fill = op.scalar(2)
      const padded = op.Pad([op.Pad([x, op.ints([0, 1, 0, 0, 0, 0]), fill]), op.ints([0, 1, 1, 0, 0, 2]), fill])
      const tiled = op.Tile([op.Tile([x, op.ints([1, 2, 1])]), op.ints([2, 1, 2])])
      return { padded, tiled }
    })
    await expectLeft(graph, ['Pad', 'Tile'])
    const expanded = makeGraph({ x: f32(1, 1, 3) }, (op, { x }) => ({
      y: op.Expand([op.Expand([x, op.ints([4, 1])]), op.ints([2, 1, 1])]),
    }))
    await expectLeft(expanded, ['Expand'])
  })

  test('a value joined with itself again and again is followed once', () => {
    const doubled = makeGraph({ x: f32(3) }, (op, { x }) => ({
      y: Array.from({ length: 40 }).reduce<string>(last => op.Concat([last, last], { axis: 0 }), x),
    }))
    const after = all(doubled)
    expect(after.nodes.length).toBeLessThan(40)
    expect(after.outputs[0]!.type).toEqual(f32(3 * 2 ** 40))
  })

  test('Pads with different values, or that cut off, are two', () => {
    const graph = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({
      y: op.Pad([op.Pad([x, op.ints([0, 1, 0, 0])]), op.ints([0, 1, 0, 0]), op.scalar(1)]),
      z: op.Pad([op.Pad([x, op.ints([0, 1, 0, 0])]), op.ints([0, -2, 0, 0])]),
    }))
    expect(all(graph)).toBe(graph)
  })

  const numbers: Partial<Record<DType, number>> = { float32: 1, int32: 6, int64: 7, float16: 10, float64: 11 }
  const casts = (from: DType, ...to: DType[]) =>
    makeGraph({ x: { dtype: from, shape: ['N', 2] } }, (op, { x }) => ({
      y: op.Abs([to.reduce((value, dtype) => op.Cast([value], { to: numbers[dtype]! }), x)]),
    }))

  test('Casts are one, or none, where the type between holds every value', async () => {
    await expectLeft(casts('float16', 'float32', 'float16'), ['Abs'])
    await expectLeft(casts('float16', 'float32', 'float64'), ['Cast', 'Abs'])
    await expectLeft(casts('int32', 'int64', 'float32'), ['Cast', 'Abs'])
    for (const graph of [casts('float32', 'int64', 'float32'), casts('float32', 'float16', 'float32')]) {
      expect(all(graph)).toBe(graph)
    }
  })
})
