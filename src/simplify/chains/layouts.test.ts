import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../../test/support/make-graph.ts'
import { randomFeeds, run } from '../../../test/support/same-outputs.ts'
import { float32s, fromNumbers } from '../../base/tensor.ts'
import { check } from '../../graph/check.ts'
import type { Graph } from '../../graph/graph.ts'
import { rewrite } from '../../rewrite/apply.ts'
import type { Rule } from '../../rewrite/rule.ts'
import { chains } from './index.ts'

const all = rewrite('chains', chains() as readonly Rule[])

const operators = (graph: Graph) => graph.nodes.map(({ op }) => op)
const ramp = (...shape: number[]) =>
  float32s(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
  )

/** Expects these operators afterwards, and the same outputs whatever size a symbol has. */
async function expectLeft(graph: Graph, expected: readonly string[]): Promise<void> {
  const after = all(graph)
  expect(operators(after)).toEqual(expected)
  expect(check(after)).toEqual([])
  expect(after.outputs).toEqual(graph.outputs)
  for (const N of [1, 2, 5]) {
    const feeds = randomFeeds(graph, 1, { N })
    const [before, now] = [await run(graph, feeds), await run(after, feeds)]
    for (const [name, { shape, data }] of Object.entries(before)) {
      expect(now[name]!.shape).toEqual(shape)
      for (const [i, value] of (data as Float32Array).entries()) expect(now[name]!.data[i]).toBeCloseTo(value, 4)
    }
  }
}

describe('a chain of layout nodes becomes', () => {
  const x = f32('N', 4, 6)
  const cases: Record<string, [graph: Graph, left: string[]]> = {
    'nothing, where Transposes undo one another': [
      makeGraph({ x }, (op, { x }) => {
        const there = op.Transpose([x], { perm: [0, 2, 1] })
        return { y: op.Relu([op.Transpose([there], { perm: [0, 2, 1] })]) }
      }),
      ['Relu'],
    ],
    'one Transpose of two': [
      makeGraph({ x }, (op, { x }) => ({
        y: op.Transpose([op.Transpose([x], { perm: [0, 2, 1] })], { perm: [1, 0, 2] }),
      })),
      ['Transpose'],
    ],
    'nothing, where a Squeeze takes what an Unsqueeze adds': [
      makeGraph({ x }, (op, { x }) => ({ y: op.Relu([op.Squeeze([op.Unsqueeze([x, op.ints([1])]), op.ints([1])])]) })),
      ['Relu'],
    ],
    'one Reshape of Reshape, Unsqueeze and Flatten': [
      makeGraph({ x }, (op, { x }) => {
        const wide = op.Unsqueeze([op.Reshape([x, op.ints([0, -1])]), op.ints([2])])
        return { y: op.Reshape([op.Flatten([wide], { axis: 1 }), op.ints([0, 2, 12])]) }
      }),
      ['Reshape'],
    ],
    'a Reshape, where a Transpose moves axes of size 1 only': [
      makeGraph({ x: f32(3, 1, 5) }, (op, { x }) => ({ y: op.Transpose([x], { perm: [1, 0, 2] }) })),
      ['Reshape'],
    ],
    'one Transpose, where axes are split and merged again around it': [
      makeGraph({ x }, (op, { x }) => {
        const split = op.Reshape([x, op.ints([0, 4, 2, 3])])
        return { y: op.Reshape([op.Transpose([split], { perm: [0, 2, 3, 1] }), op.ints([0, 6, 4])]) }
      }),
      ['Transpose'],
    ],
    'nothing of two channel shuffles that undo one another': [
      makeGraph({ x: f32('N', 6, 2, 2) }, (op, { x }) => {
        const shuffle = (value: string, groups: number) => {
          const split = op.Reshape([value, op.ints([0, groups, 6 / groups, 2, 2])])
          return op.Reshape([op.Transpose([split], { perm: [0, 2, 1, 3, 4] }), op.ints([0, 6, 2, 2])])
        }
        return { y: op.Relu([shuffle(shuffle(x, 2), 3)]) }
      }),
      ['Relu'],
    ],
    'a Transpose of fewer axes, where there is a choice': [
      makeGraph({ x: f32('N', 4, 2, 3) }, (op, { x }) => {
        const moved = op.Transpose([x], { perm: [0, 2, 3, 1] })
        return { y: op.Reshape([moved, op.ints([0, 6, 4])]) }
      }),
      ['Transpose', 'Reshape'],
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [graph, left]) => expectLeft(graph, left))

  test('what it was, where each node serves others too', () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const a = op.Transpose([x], { perm: [0, 2, 1] })
      return { a, b: op.Transpose([a], { perm: [1, 0, 2] }) }
    })
    expect(all(graph)).toBe(graph)
  })

  test('what it was, where a size is computed that nothing is known of', () => {
    const target = { dtype: 'int64', shape: [2] } as const
    const graph = makeGraph({ x: f32(4, 6), target }, (op, { x, target }) => ({
      y: op.Transpose([op.Reshape([op.Transpose([x]), target])]),
    }))
    expect(all(graph)).toBe(graph)
  })

  test('what it was, where an axis has no elements, or more than one symbol would be open', () => {
    const empty = makeGraph({ x: f32(0, 4) }, (op, { x }) => ({
      y: op.Reshape([op.Reshape([x, op.ints([4, 0])], { allowzero: 1 }), op.ints([0, 2, 2])], { allowzero: 1 }),
    }))
    expect(all(empty)).toBe(empty)
    const open = makeGraph({ x: f32('N', 'M', 4) }, (op, { x }) => {
      const moved = op.Transpose([x], { perm: [1, 0, 2] })
      return { y: op.Reshape([moved, op.ints([0, 0, 2, 2])]), z: op.Flatten([moved], { axis: 2 }) }
    })
    expect(all(open)).toBe(open)
  })
})

describe('layouts meet through', () => {
  const x = f32('N', 4, 6)
  const there = [0, 2, 1]
  const cases: Record<string, [graph: Graph, left: string[]]> = {
    'activations and constants': [
      makeGraph({ x }, (op, { x }) => {
        const scaled = op.Mul([op.Transpose([x], { perm: there }), op.constant(ramp(6, 4))])
        return { y: op.Transpose([op.Relu([op.Add([scaled, op.constant(ramp(1, 6, 1))])])], { perm: there }) }
      }),
      ['Mul', 'Add', 'Relu'],
    ],
    'a reduction, which drops its axes': [
      makeGraph({ x }, (op, { x }) => {
        const sum = op.ReduceSum([op.Transpose([x], { perm: there }), op.ints([2])], { keepdims: 0 })
        return { y: op.Unsqueeze([sum, op.ints([1])]) }
      }),
      ['ReduceSum'],
    ],
    'a softmax along an axis that becomes the last': [
      makeGraph({ x }, (op, { x }) => {
        const soft = op.Softmax([op.Transpose([x], { perm: there })], { axis: 1 })
        return { y: op.Transpose([soft], { perm: there }) }
      }),
      ['Softmax'],
    ],
    'slices, gathers and pads': [
      makeGraph({ x }, (op, { x }) => {
        const cut = op.Slice([op.Transpose([x], { perm: there }), op.ints([1]), op.ints([5]), op.ints([1])])
        const picked = op.Gather([op.Pad([cut, op.ints([0, 1, 0, 0, 0, 1])]), op.scalar(2, 'int64')], { axis: 1 })
        return { y: op.Unsqueeze([picked, op.ints([2])]) }
      }),
      ['Slice', 'Pad', 'Gather', 'Unsqueeze'],
    ],
    'a product with a matrix': [
      makeGraph({ x }, (op, { x }) => {
        const rows = op.Reshape([x, op.ints([-1, 6])])
        return { y: op.Relu([op.Reshape([op.MatMul([rows, op.constant(ramp(6, 3))]), op.ints([-1, 4, 3])])]) }
      }),
      ['MatMul', 'Relu'],
    ],
    'operands that are all laid out alike': [
      makeGraph({ x, z: x }, (op, { x, z }) => ({
        y: op.Add([op.Transpose([x], { perm: there }), op.Transpose([z], { perm: there })]),
      })),
      ['Add', 'Transpose'],
    ],
    'a region with several ways through': [
      makeGraph({ x, z: f32(1, 6, 1) }, (op, { x, z }) => {
        const moved = op.Transpose([x], { perm: there })
        const [a, b] = [op.Mul([moved, z]), op.Sigmoid([moved])]
        return { y: op.Transpose([op.Sub([op.Add([a, b]), op.Mul([a, b])])], { perm: there }) }
      }),
      ['Reshape', 'Mul', 'Sigmoid', 'Add', 'Mul', 'Sub'],
    ],
    'stacks of rotated halves': [
      makeGraph({ x: f32('N', 3, 8), z: f32(3, 4) }, (op, { x, z }) => {
        const pairs = op.Reshape([x, op.ints([0, 3, 4, 2])])
        const [a, b] = op
          .many('Split', 2, [pairs], { axis: 3, num_outputs: 2 })
          .map(one => op.Squeeze([one, op.ints([3])]))
        const [p, q] = [op.Sub([op.Mul([a, z]), b!]), op.Add([op.Mul([b, z]), a!])]
        const stacked = op.Concat(
          [p, q].map(one => op.Unsqueeze([one, op.ints([-1])])),
          { axis: -1 },
        )
        return { y: op.Reshape([stacked, op.ints([0, 3, 8])]) }
      }),
      ['Reshape', 'Split', 'Unsqueeze', 'Mul', 'Sub', 'Mul', 'Add', 'Concat', 'Reshape'],
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [graph, left]) => expectLeft(graph, left))

  test('nothing that mixes axes', () => {
    const graph = makeGraph({ x: f32(2, 4, 6) }, (op, { x }) => {
      const moved = op.Reshape([x, op.ints([8, 6])])
      return { y: op.Reshape([op.CumSum([moved, op.scalar(0, 'int64')]), op.ints([2, 4, 6])]) }
    })
    expect(all(graph)).toBe(graph)
  })

  test('no number that has more axes than the value, and gives it more', async () => {
    const number = float32s([1, 1, 1], [2])
    const graph = makeGraph({ x: f32('N', 4), z: f32('N', 4) }, (op, { x, z }) => {
      const [a, b] = [x, z].map(one => op.Transpose([one])) as [string, string]
      const raised = op.Mul([op.Unsqueeze([x, op.ints([0])]), op.constant(float32s([1, 1, 1, 1], [2]))])
      const condition = op.constant(fromNumbers('bool', [1, 1, 1], [1]))
      return {
        product: op.Transpose([op.Mul([a, op.constant(number)])], { perm: [0, 2, 1] }),
        squeezed: op.Squeeze([raised, op.ints([0])]),
        sum: op.Sum([a, b, op.constant(number)]),
        chosen: op.Where([condition, a, b]),
      }
    })
    // Where the value had been given axes before, it gets them from the number.
    await expectLeft(graph, ['Transpose', 'Transpose', 'Mul', 'Mul', 'Sum', 'Where'])
  })

  test('nothing whose value something else reads', () => {
    const graph = makeGraph({ x }, (op, { x }) => {
      const inner = op.Exp([op.Transpose([x], { perm: there })])
      return { y: op.Transpose([inner], { perm: there }), z: op.Neg([inner]) }
    })
    expect(all(graph)).toBe(graph)
  })
})

describe('a Concat puts together', () => {
  test('what was before an Unsqueeze or a Reshape of each input', async () => {
    const graph = makeGraph({ x: f32('N', 4), z: f32('N', 4) }, (op, { x, z }) => ({
      y: op.Concat(
        [x, z].map(one => op.Unsqueeze([op.Relu([one]), op.ints([1])])),
        { axis: 1 },
      ),
    }))
    await expectLeft(graph, ['Relu', 'Relu', 'Concat', 'Reshape'])
  })

  test('values that are stacked along the first axis', async () => {
    const graph = makeGraph({ x: f32('N', 4), z: f32('N', 4) }, (op, { x, z }) => ({
      y: op.Concat(
        [x, z].map(one => op.Unsqueeze([op.Relu([one]), op.ints([0])])),
        { axis: 0 },
      ),
    }))
    await expectLeft(graph, ['Relu', 'Relu', 'Concat', 'Reshape'])
  })

  test('its inputs in the order that a Transpose after it asks for, where they are laid out anyway', async () => {
    const graph = makeGraph({ x: f32('N', 4, 3), z: f32('N', 2, 3) }, (op, { x, z }) => {
      const inputs = [x, z].map(one => op.Transpose([one], { perm: [0, 2, 1] }))
      return { y: op.Transpose([op.Concat(inputs, { axis: 2 })], { perm: [0, 2, 1] }) }
    })
    await expectLeft(graph, ['Concat'])
  })

  test('no stack along an axis that nothing follows', () => {
    const graph = makeGraph({ x: f32('N', 4), z: f32('N', 4) }, (op, { x, z }) => ({
      y: op.Concat(
        [x, z].map(one => op.Unsqueeze([op.Softmax([one]), op.ints([2])])),
        { axis: 2 },
      ),
    }))
    expect(all(graph)).toBe(graph)
  })
})

describe('a Reshape after other layout nodes', () => {
  test('asks for what it wants at once, also where no axes are shared', async () => {
    const graph = makeGraph({ x: f32('N', 4, 6) }, (op, { x }) => ({
      a: op.Reshape([op.Reshape([x, op.ints([-1, 6])]), op.ints([-1, 8])]),
      b: op.Reshape([op.Flatten([x], { axis: 2 }), op.ints([-1, 8])]),
      c: op.Reshape([op.Unsqueeze([x, op.ints([1])]), op.ints([0, 1, 8, 3])]),
    }))
    await expectLeft(graph, ['Reshape', 'Reshape', 'Reshape'])
  })

  test('stays where it copies a size that is not there before', () => {
    const graph = makeGraph({ x: f32('N', 'M', 6) }, (op, { x }) => ({
      y: op.Reshape([op.Reshape([x, op.ints([4, -1, 6])]), op.ints([0, 0, 2, 3])]),
    }))
    expect(operators(all(graph)).length).toBe(2)
  })
})

describe('a reduction keeps or drops its axes', () => {
  test.each([
    [0, 'Unsqueeze'],
    [1, 'Squeeze'],
  ] as const)('keepdims %i before %s', async (keepdims, name) => {
    const graph = makeGraph({ x: f32('N', 4, 6) }, (op, { x }) => {
      const mean = op.ReduceMean([x, op.ints([1])], { keepdims })
      const best = op.ArgMax([x], { axis: -1, keepdims })
      return { y: op[name]([mean, op.ints([1])]), z: op.Cast([op[name]([best, op.ints([2])])], { to: 1 }) }
    })
    await expectLeft(graph, ['ReduceMean', 'ArgMax', 'Cast'])
  })
})
