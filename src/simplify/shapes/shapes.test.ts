import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { randomFeeds, run } from '../../../test/support/same-outputs.ts'
import type { TensorType } from '../../base/shape.ts'
import { numbers } from '../../base/tensor.ts'
import { check } from '../../graph/check.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import { inOpset } from '../../read/in-opset.ts'
import { rewrite } from '../../rewrite/apply.ts'
import { fixedPoint } from '../../rewrite/pass.ts'
import type { Rule } from '../../rewrite/rule.ts'
import { shareEqual } from '../../rewrite/share-equal.ts'
import { simplify } from '../index.ts'
import { defaultSettings } from '../settings.ts'
import { shapes } from './index.ts'

const all = fixedPoint([rewrite('shapes', shapes(defaultSettings) as readonly Rule[]), shareEqual])

const operators = (graph: Graph) => graph.nodes.map(({ op }) => op)
const constants = (graph: Graph) => [...graph.initializers.values()].map(value => Array.from(numbers(value)))

/** Expects these operators afterwards, and the same outputs whatever sizes the symbols have. */
async function expectLeft(graph: Graph, expected: readonly string[]): Promise<Graph> {
  const after = all(graph)
  expect(operators(after)).toEqual(expected)
  expect(check(after)).toEqual([])
  expect(after.outputs).toEqual(graph.outputs)
  for (const [N, T] of [
    [2, 3],
    [1, 1],
    [5, 2],
  ] as const) {
    const feeds = randomFeeds(graph, 1, { N, T })
    expect(await run(after, feeds)).toEqual(await run(graph, feeds))
  }
  return after
}

/** One dimension of a value, the way that PyTorch exports it. */
function dim(op: Ops, x: Ref, axis: number): Ref {
  return op.Gather([op.Shape([x]), op.scalar(axis, 'int64')], { axis: 0 })
}

function listed(op: Ops, ...dims: (Ref | number)[]): Ref {
  const parts = dims.map(one => (typeof one === 'number' ? op.ints([one]) : op.Unsqueeze([one, op.ints([0])])))
  return op.Concat(parts, { axis: 0 })
}

const x = f32('N', 'T', 6)

describe('the target of a Reshape', () => {
  test('copies symbols from their axes and leaves one open', async () => {
    const graph = makeGraph({ x }, (op, { x }) => ({
      y: op.Reshape([x, listed(op, dim(op, x, 0), -1)]),
      z: op.Reshape([x, listed(op, dim(op, x, 0), dim(op, x, 1), 2, 3)]),
    }))
    const after = await expectLeft(graph, ['Flatten', 'Reshape'])
    expect(constants(after)).toEqual([[0, 0, 2, 3]])
  })

  test('merges axes into two where one of them is 0, too', async () => {
    const graph = makeGraph({ x }, (op, { x }) => ({
      y: op.Reshape([x, listed(op, dim(op, x, 0), op.Mul([dim(op, x, 1), op.scalar(6, 'int64')]))]),
    }))
    const after = await expectLeft(graph, ['Flatten'])
    const feeds = randomFeeds(graph, 1, { N: 0, T: 3 })
    expect(await run(after, feeds)).toEqual(await run(graph, feeds))
  })

  test('is known where symbols cancel', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const flat = op.Reshape([x, listed(op, op.Mul([dim(op, x, 0), dim(op, x, 1)]), 6)])
      return { y: op.Reshape([op.Exp([flat]), listed(op, dim(op, x, 0), dim(op, x, 1), 6)]) }
    })
    // Two symbols of which neither stands at its own axis cannot be said in the second.
    const after = all(graph)
    expect(operators(after).filter(op => op === 'Reshape' || op === 'Flatten')).toEqual(['Flatten', 'Reshape'])
    await expectLeft(graph, operators(after))
  })

  test('is all numbers where the sizes are, zeros too', async () => {
    const graph = makeGraph({ x: f32(4, 6), e: f32(0, 3) }, (op, { x, e }) => ({
      y: op.Reshape([x, listed(op, op.Mul([dim(op, x, 0), op.scalar(2, 'int64')]), -1)]),
      z: op.Reshape([e, listed(op, dim(op, e, 1), dim(op, e, 0))], { allowzero: 1 }),
    }))
    const after = await expectLeft(graph, ['Reshape', 'Reshape'])
    expect(constants(after)).toEqual([
      [8, -1],
      [3, 0],
    ])
  })

  test('stays computed where two sizes are open, or nothing is known of it', () => {
    const target: TensorType = { dtype: 'int64', shape: [2] }
    const swapped = makeGraph({ x }, (op, { x }) => ({
      y: op.Reshape([x, listed(op, dim(op, x, 1), dim(op, x, 0), 6)]),
    }))
    expect(all(swapped).nodes.at(-1)!.inputs[1]).not.toBe('')
    expect(operators(all(swapped)).at(-2)).toBe('Concat')
    const given = makeGraph({ x, target }, (op, { x, target }) => ({ y: op.Reshape([x, target]) }))
    expect(all(given)).toBe(given)
  })
})

describe('dimensions are read', () => {
  const positions = (op: Ops, length: Ref) =>
    op.Cast([op.Range([op.scalar(0, 'int64'), length, op.scalar(1, 'int64')])], { to: 1 })

  test('once, from as far up as they stand', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const [a, b] = [op.Relu([x]), op.Transpose([op.Exp([x])], { perm: [1, 0, 2] })]
      return { a, b, y: positions(op, dim(op, a, 1)), z: positions(op, dim(op, b, 0)) }
    })
    const after = await expectLeft(graph, operators(all(graph)))
    expect(operators(after).filter(op => op === 'Shape')).toHaveLength(1)
    expect(after.nodes.find(({ op }) => op === 'Shape')!.inputs).toEqual(['x'])
  })

  test('side by side with one Shape, among numbers with one Concat', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const zeros = (...dims: (Ref | number)[]) => op.ConstantOfShape([listed(op, ...dims)])
      return { y: zeros(dim(op, x, 0), dim(op, x, 1), 6), z: zeros(4, dim(op, x, 1), dim(op, x, 2)) }
    })
    await expectLeft(graph, ['Shape', 'ConstantOfShape', 'Shape', 'Concat', 'ConstantOfShape'])
  })

  test('through casts, arithmetic with neutral values and slices', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const size = op.Cast([op.Cast([dim(op, x, 1)], { to: 6 })], { to: 7 })
      const same = op.Div([
        op.Mul([op.Add([size, op.scalar(0, 'int64')]), op.scalar(2, 'int64')]),
        op.scalar(2, 'int64'),
      ])
      const first = op.Slice([op.Shape([x]), op.ints([0]), op.ints([1])])
      const dims = op.Concat([first, op.Unsqueeze([same, op.ints([0])])], { axis: 0 })
      return { y: op.ConstantOfShape([dims]) }
    })
    await expectLeft(graph, ['Shape', 'ConstantOfShape'])
  })

  test('as a scalar from the vector that another node needs', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const length = dim(op, x, 1)
      return { y: positions(op, length), z: op.ConstantOfShape([op.Unsqueeze([length, op.ints([0])])]) }
    })
    await expectLeft(graph, ['Shape', 'Squeeze', 'Range', 'Cast', 'ConstantOfShape'])
  })

  test('not by symbols of which nothing is known', () => {
    const graph = makeGraph({ x: f32('', ''), z: f32('', '') }, (op, { x, z }) => ({
      y: op.ConstantOfShape([op.Shape([op.Add([x, z])])]),
    }))
    expect(all(graph)).toBe(graph)
  })
})

describe('an Expand', () => {
  test('to sizes that x has, or that are fixed, takes a constant', async () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const wide = op.Unsqueeze([x, op.ints([2])])
      return { y: op.Expand([wide, listed(op, dim(op, x, 0), dim(op, x, 1), 4, 6)]) }
    })
    const after = await expectLeft(graph, ['Unsqueeze', 'Expand'])
    expect(constants(after)).toContainEqual([1, 1, 4, 1])
  })

  test('goes before a node that broadcasts to another operand of the full size', async () => {
    const graph = makeGraph({ x, z: f32(1, 1, 6), c: f32('T', 1) }, (op, { x, z, c }) => ({
      a: op.Add([x, op.Expand([z, op.Shape([x])])]),
      b: op.Where([op.Less([op.Expand([c, op.Shape([x])]), x]), x, op.Expand([z, op.Shape([x])])]),
    }))
    await expectLeft(graph, ['Add', 'Less', 'Where'])
  })

  test('stays where nothing else has the size that it gives', async () => {
    const graph = makeGraph({ x: f32('N', 1, 6), z: f32(1, 1, 6) }, (op, { x, z }) => ({
      y: op.Add([x, op.Expand([z, op.ints([1, 4, 1])])]),
    }))
    await expectLeft(graph, ['Expand', 'Add'])
    expect(all(graph)).toBe(graph)
  })

  test('to a shape in which -1 stands for the size there is, as PyTorch writes it', async () => {
    const graph = makeGraph({ x: f32('N', 1, 6) }, (op, { x }) => {
      const wanted = listed(op, dim(op, x, 0), 4, -1)
      const isOpen = op.Equal([wanted, op.ints([-1, -1, -1])])
      return { y: op.Expand([x, op.Where([isOpen, op.ints([1, 1, 1]), wanted])]) }
    })
    const after = await expectLeft(graph, ['Expand'])
    expect(constants(after)).toEqual([[1, 4, 1]])
  })
})

test('a Resize to whole multiples of its input takes scales', async () => {
  const graph = makeGraph({ x: f32('N', 2, 'T', 3) }, (op, { x }) => {
    const twice = (axis: number) => op.Unsqueeze([op.Mul([dim(op, x, axis), op.scalar(2, 'int64')]), op.ints([0])])
    const kept = op.Slice([op.Shape([x]), op.ints([0]), op.ints([2])])
    const sizes = op.Concat([kept, twice(2), twice(3)], { axis: 0 })
    const nearest = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' } as const
    return { y: op.Resize([x, null, null, sizes], nearest) }
  })
  const after = await expectLeft(graph, ['Resize'])
  expect(constants(after)).toEqual([[1, 1, 2, 2]])
})

describe('for an older opset', () => {
  const one = (op: Ops, x: Ref, axis: number) => op.Unsqueeze([dim(op, x, axis), op.ints([0])])
  const graph = makeGraph({ x: f32('N', 'T', 7), z: f32('T') }, (op, { x, z }) => {
    const sizes = op.Concat([one(op, x, 1), one(op, x, 2), op.ints([1]), one(op, x, 0)], { axis: 0 })
    return {
      y: op.Expand([op.Reshape([z, op.Concat([one(op, x, 1), op.ints([1, 1, 1])], { axis: 0 })]), sizes]),
      rows: op.ConstantOfShape([one(op, op.Relu([x]), 1)]),
    }
  })

  test.each([9, 11, 13, 14])('%i, shapes are read whole and sliced', async opset => {
    const after = simplify({ opset })(graph)
    const older = inOpset(after, opset)
    expect(older.opset['']).toBe(opset)
    expect(operators(after)).not.toContain('Gather')
    expect(operators(after).filter(op => op === 'Shape')).toHaveLength(1)
    expect(after.nodes.length).toBeLessThan(graph.nodes.length / 2)
    for (const [N, T] of [
      [2, 3],
      [1, 1],
    ] as const) {
      const feeds = randomFeeds(graph, 1, { N, T })
      expect(await run(older, feeds)).toEqual(await run(graph, feeds))
    }
    expect(simplify({ opset })(after)).toEqual(after)
  })
})
