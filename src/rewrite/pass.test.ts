import { expect, test } from 'vitest'
import { emptyGraph, type Graph } from '../graph/graph.ts'
import { fixedPoint, pass, pipe } from './pass.ts'
import { recorder } from './trace.ts'

/** Appends its letter to the graph's name until the name has as many letters. */
const until = (length: number, letter: string) =>
  pass(`add-${letter}`, graph => (graph.name.length < length ? { ...graph, name: graph.name + letter } : graph))

const empty: Graph = emptyGraph('')

test('pipe runs passes in order', () => {
  expect(pipe(empty, until(9, 'a'), until(9, 'b'), graph => graph).name).toBe('ab')
})

test('a fixed point goes round until every pass leaves the graph alone', () => {
  const { trace, statistics } = recorder()
  const result = fixedPoint([until(3, 'a'), until(5, 'b')])(empty, trace)
  expect(result.name).toBe('ababb')
  expect(statistics().passes).toMatchObject([
    { title: 'add-a', runs: 4, changes: 2 },
    { title: 'add-b', runs: 4, changes: 3 },
  ])
  expect(statistics().unsettled).toEqual([])
})

test('a fixed point that is reached already gives back the very graph after one round', () => {
  const { trace, statistics } = recorder()
  expect(fixedPoint([until(0, 'a'), until(0, 'b')])(empty, trace)).toBe(empty)
  expect(statistics().passes.map(({ runs }) => runs)).toEqual([1, 1])
  expect(fixedPoint([])(empty)).toBe(empty)
})

test('passes that do not settle are stopped at the bound, and reported', () => {
  const { trace, statistics } = recorder()
  const result = fixedPoint([until(1000, 'a')], { title: 'grow', rounds: 7 })(empty, trace)
  expect(result.name).toBe('aaaaaaa')
  expect(statistics().unsettled).toEqual(['grow'])
})

test('a fixed point is a pass of a fixed point, and its passes are heard through', () => {
  const { trace, statistics } = recorder()
  fixedPoint([fixedPoint([until(2, 'a')], { title: 'inner' }), until(4, 'b')])(empty, trace)
  expect(statistics().passes.map(({ title }) => title)).toEqual(['add-a', 'inner', 'add-b'])
})
