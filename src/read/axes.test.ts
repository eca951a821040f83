import { expect, test } from 'vitest'
import { emptyGraph } from '../graph/graph.ts'
import { axisTable } from './axes.ts'
import { infer, scopeOf } from './infer.ts'

test('axes past more indices than are told apart stay as a whole, and what is tied to them', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const inputs = names.map(name => ({ name, type: { dtype: 'float32' as const, shape: [2 ** 22] } }))
  const graph = { ...emptyGraph('test'), inputs }
  const table = axisTable(scopeOf(graph, infer(graph)))
  const [a, b, c, d, e] = names.map(name => table.axesOf(name)[0]!)
  table.tie(e!, a!)
  table.spread()
  expect([b, c, d].map(axis => axis!.reason)).toEqual([undefined, undefined, undefined])
  expect(e!.reason).toMatch("'e' is past them")
  expect(a!.reason).toBe(e!.reason)
})
