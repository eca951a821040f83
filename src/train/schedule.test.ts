import { describe, expect, test } from 'vitest'
import { constant, cosine, type Schedule, step } from './schedule.ts'

const factors = (schedule: Schedule, steps: number, epochs = 1) =>
  Array.from({ length: steps }, (_, at) =>
    schedule.factor({ step: at, steps, epoch: Math.floor((at * epochs) / steps) }),
  )

describe('schedules', () => {
  test('constant stays', () => {
    expect(factors(constant(), 4)).toEqual([1, 1, 1, 1])
  })

  test('warmup rises in equal parts to the full rate', () => {
    expect(factors(constant({ warmup: 0.5 }), 8)).toEqual([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])
    // Three and a bit steps of warmup: the fourth is at the full rate, and none is above it.
    expect(factors(constant({ warmup: 0.33 }), 10).slice(0, 5)).toEqual([0.25, 0.5, 0.75, 1, 1])
  })

  test('cosine falls from 1 through the middle towards its final part', () => {
    const [first, , middle, , ...rest] = factors(cosine({ final: 0.2 }), 5)
    expect(first).toBe(1)
    expect(middle).toBeCloseTo(0.2 + (0.8 * (1 + Math.cos(0.4 * Math.PI))) / 2, 12)
    expect(rest.at(-1)).toBeCloseTo(0.2 + (0.8 * (1 + Math.cos(0.8 * Math.PI))) / 2, 12)
    const long = factors(cosine(), 1000)
    expect(long.every((factor, i) => i === 0 || factor < long[i - 1]!)).toBe(true)
    expect(long.at(-1)).toBeLessThan(1e-5)
  })

  test('cosine begins when the warmup has ended', () => {
    const all = factors(cosine({ warmup: 0.2 }), 10)
    expect(all.slice(0, 3)).toEqual([0.5, 1, 1])
    expect(all[6]).toBeCloseTo(0.5, 12)
  })

  test('step multiplies after the given numbers of epochs', () => {
    const all = factors(step({ at: [1, 3], gamma: 0.5 }), 8, 4)
    expect(all).toEqual([1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25])
  })

  test('are refused where no rate would follow', () => {
    for (const warmup of [-0.1, 1, Number.NaN]) expect(() => constant({ warmup })).toThrow(/warmup/)
    for (const final of [-1, 2, Number.NaN]) expect(() => cosine({ final })).toThrow(/final/)
    for (const at of [[0], [1.5], [Number.NaN]]) expect(() => step({ at })).toThrow(/numbers of epochs/)
    for (const gamma of [0, -1, Number.NaN]) expect(() => step({ at: [1], gamma })).toThrow(/gamma/)
  })
})
