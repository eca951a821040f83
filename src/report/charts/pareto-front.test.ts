import { expect, test } from 'vitest'
import { paretoFront } from './pareto-front.ts'

const front = (pairs: readonly (readonly [number, number])[]) =>
  paretoFront(pairs, { cost: ([cost]) => cost, value: ([, value]) => value })

test('what is beaten at its cost is not on the front', () => {
  const pairs = [
    [3, 9],
    [1, 5],
    [2, 4],
    [4, 9],
    [2, 7],
  ] as const
  expect(front(pairs)).toEqual([
    [1, 5],
    [2, 7],
    [3, 9],
  ])
})

test('of equals one is on the front, of nothing none', () => {
  expect(
    front([
      [1, 1],
      [1, 1],
    ]),
  ).toEqual([[1, 1]])
  expect(front([])).toEqual([])
})
