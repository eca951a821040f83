import fc from 'fast-check'
import { expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { randomFeeds, run } from '../../test/support/same-outputs.ts'
import { check } from '../graph/check.ts'
import type { Graph } from '../graph/graph.ts'
import { rewrite } from './apply.ts'
import { fixedPoint } from './pass.ts'
import { rule } from './rule.ts'
import { shareEqual } from './share-equal.ts'

/** Rules that replace by an old value, by new nodes, at a commuted operand, and with several outputs. */
const rules = [
  rule({ name: 'identity', match: ({ op, any }) => op.Identity([any('x')]), replace: ({ x }) => x }),
  rule({ name: 'negation', match: ({ op, any }) => op.Neg([op.Neg([any('x')])]), replace: ({ x }) => x }),
  rule({
    name: 'add-negated',
    match: ({ op, any }) => op.Add([any('a'), op.Neg([any('b')]).once()]),
    replace: ({ a, b }, { op }) => op.Sub([a, b]),
  }),
  rule({
    name: 'relu-twice',
    match: ({ op, any }) => op.Relu([op.Relu([any('x')]).as('inner')]),
    replace: ({ inner }) => inner.node.outputs[0]!,
  }),
  rule({
    name: 'split-of-one',
    match: ({ op, any }) => op.Split([any('x')]).where(({ num_outputs }) => num_outputs === 1),
    replace: ({ x }) => [x],
  }),
]

/** Each step applies an operator to values made before, by their place counted from the end. */
const steps = fc.array(
  fc.record({
    op: fc.constantFrom('Identity', 'Neg', 'Relu', 'Abs', 'Add', 'Mul', 'Split'),
    a: fc.nat(6),
    b: fc.nat(6),
    output: fc.nat(5).map(n => n === 0),
  }),
  { minLength: 6, maxLength: 30, size: 'max' },
)

function graphOf(list: typeof steps extends fc.Arbitrary<infer T> ? T : never): Graph {
  return makeGraph({ x: f32(3), z: f32(3) }, (op, { x, z }) => {
    const values = [x, z]
    const outputs: Record<string, string> = {}
    list.forEach(({ op: type, a, b, output }, i) => {
      const at = (back: number) => values[Math.max(0, values.length - 1 - back)]!
      const made =
        type === 'Add' || type === 'Mul'
          ? op[type]([at(a), at(b)])
          : type === 'Split'
            ? op.Split([at(a)], { num_outputs: 1 })
            : op[type as 'Neg']([at(a)])
      values.push(made)
      if (output || i === list.length - 1) outputs[`out${i}`] = made
    })
    return outputs
  })
}

test('whatever is rewritten and shared stays sound and gives the same outputs under the same names', async () => {
  const all = fixedPoint([rewrite('rules', rules), shareEqual])
  let changed = 0
  await fc.assert(
    fc.asyncProperty(steps, async list => {
      const graph = graphOf(list)
      const after = all(graph)
      if (after !== graph) changed++
      expect(check(after)).toEqual([])
      expect(after.outputs).toEqual(graph.outputs)
      expect(all(after)).toBe(after)
      const feeds = randomFeeds(graph, 1)
      expect(await run(after, feeds)).toEqual(await run(graph, feeds))
    }),
    { numRuns: 150, seed: 5 },
  )
  expect(changed).toBeGreaterThan(75)
})
