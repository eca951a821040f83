import { describe, expect, test } from 'vitest'
import { random } from './random.ts'

const draw = (n: number, of: () => number) => Array.from({ length: n }, of)

describe('a stream', () => {
  test('gives the same numbers for the same seed, on every machine', () => {
    const stream = random(42)
    expect([stream.uniform(), stream.integer(1000), stream.normal()]).toEqual([
      0.8751931765810312, 657, 0.35366854694744926,
    ])
    expect(random(42).fork('weights').uniform()).toBe(0.9242739321136573)
  })

  test('differs with the seed, the sign and the high bits included', () => {
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, -(2 ** 32), Number.MAX_SAFE_INTEGER]
    expect(new Set(seeds.map(seed => random(seed).uniform())).size).toBe(seeds.length)
  })

  test('refuses a seed that would be cut', () => {
    for (const seed of [0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])
      expect(() => random(seed)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  test('uniform numbers lie in [0, 1) and spread evenly', () => {
    const values = draw(20_000, random(1).uniform)
    expect(values.every(value => value >= 0 && value < 1)).toBe(true)
    for (let part = 0; part < 10; part++) {
      const inside = values.filter(value => Math.floor(value * 10) === part).length
      expect(Math.abs(inside - 2000)).toBeLessThan(5 * Math.sqrt(2000))
    }
  })

  test('normal numbers have mean 0, deviation 1, no skew and a kurtosis of 3', () => {
    const values = draw(50_000, random(2).normal)
    const moment = (k: number) => values.reduce((sum, value) => sum + value ** k, 0) / values.length
    expect(Math.abs(moment(1))).toBeLessThan(0.02)
    expect(moment(2)).toBeCloseTo(1, 1)
    expect(Math.abs(moment(3))).toBeLessThan(0.1)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2)
  })

  test('whole numbers are even over their range; an empty one is refused', () => {
    const stream = random(3)
    const counts = [0, 0, 0, 0, 0, 0]
    for (const value of draw(12_000, () => stream.integer(6))) counts[value]!++
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(2000))
    expect(stream.integer(1)).toBe(0)
    for (const below of [0, -1, 1.5, Number.NaN]) expect(() => stream.integer(below)).toThrow(/no whole number/)
  })

  test('a permutation holds every number once, and every order is as likely', () => {
    const stream = random(4)
    expect([...stream.permutation(1000)].sort((a, b) => a - b)).toEqual(draw(1000, () => 0).map((_, i) => i))
    expect(stream.permutation(0)).toHaveLength(0)
    const orders = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const key = stream.permutation(3).join()
      orders.set(key, (orders.get(key) ?? 0) + 1)
    }
    expect(orders.size).toBe(6)
    for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000))
  })
})

describe('a fork', () => {
  test('depends on the seed and the label, not on what was drawn', () => {
    const fresh = random(5)
    const used = random(5)
    draw(10, used.uniform)
    used.fork('other').normal()
    expect(used.fork('a').uniform()).toBe(fresh.fork('a').uniform())
    expect(fresh.fork('a').uniform()).not.toBe(fresh.fork('b').uniform())
    expect(fresh.fork('a').uniform()).not.toBe(random(6).fork('a').uniform())
    expect(fresh.fork('a').fork('b').uniform()).not.toBe(fresh.fork('b').fork('a').uniform())
  })

  test('leaves its parent as it was', () => {
    const [a, b] = [random(7), random(7)]
    draw(5, a.fork('x').uniform)
    expect(draw(5, a.uniform)).toEqual(draw(5, b.uniform))
  })

  test('streams of near labels are not correlated', () => {
    const stream = random(8)
    const values = Array.from({ length: 5000 }, (_, i) => stream.fork(i).uniform())
    let product = 0
    for (let i = 1; i < values.length; i++) product += (values[i]! - 0.5) * (values[i - 1]! - 0.5)
    expect(Math.abs((12 * product) / values.length)).toBeLessThan(0.06)
  })
})
