import fc from 'fast-check'
import { expect, test } from 'vitest'
import { thinCurve } from './thin-curve.ts'

const rates = fc
  .array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
    minLength: 2,
    maxLength: 300,
  })
  .map(pairs => {
    const x = pairs.map(([a]) => a).sort((a, b) => a - b)
    const y = pairs.map(([, b]) => b).sort((a, b) => a - b)
    return x.map((value, i): [number, number] => [value, y[i]!])
  })

test('a curve within the limit is kept whole', () => {
  const curve: [number, number][] = [
    [0, 0],
    [0.1, 0.9],
    [1, 1],
  ]
  expect(thinCurve(curve, 3)).toEqual(curve)
})

test('a thinned curve keeps its ends, its order and the limit', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 2, max: 50 }), (curve, limit) => {
      const thin = thinCurve(curve, limit)
      expect(thin.length).toBeLessThanOrEqual(limit)
      expect(thin[0]).toEqual(curve[0])
      expect(thin.at(-1)).toEqual(curve.at(-1))
      const positions = thin.map(([x, y]) => curve.findIndex(([a, b]) => a === x && b === y))
      expect(positions).toEqual([...positions].sort((a, b) => a - b))
    }),
  )
})

test('points on a straight stretch go first, corners stay', () => {
  const staircase: [number, number][] = [[0, 0]]
  for (let i = 1; i <= 500; i++) staircase.push([0, (0.9 * i) / 500])
  for (let i = 1; i <= 500; i++) staircase.push([(0.01 * i) / 500, 0.9])
  staircase.push([0.01, 0.99], [1, 1])
  const thin = thinCurve(staircase, 8)
  expect(thin).toContainEqual([0, 0.9])
  expect(thin).toContainEqual([0.01, 0.9])
  expect(thin).toContainEqual([0.01, 0.99])
})
