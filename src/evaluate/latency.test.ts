import { describe, expect, test } from 'vitest'
import { float32s } from '../base/tensor.ts'
import type { Session } from '../runtime/backend.ts'
import { latency, throughput } from './latency.ts'

/** A session whose every run takes the next of some times, by busy waiting. */
function timed(...milliseconds: readonly number[]): Session & { readonly runs: () => number } {
  let runs = 0
  return {
    inputs: [],
    outputs: [],
    runs: () => runs,
    async run() {
      const end = performance.now() + milliseconds[runs++ % milliseconds.length]!
      while (performance.now() < end);
      return {}
    },
    async [Symbol.asyncDispose]() {},
  }
}

describe('latency', () => {
  test('tells the middle, the tail and the mean of the runs after warming up', async () => {
    const session = timed(20, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9)
    const { p50, p95, mean, unit, runs } = await latency(session, {}, { runs: 10, warmup: 1 })
    expect(session.runs()).toBe(11)
    expect({ unit, runs }).toEqual({ unit: 'ms', runs: 10 })
    expect(p50).toBeGreaterThanOrEqual(1)
    expect(p50).toBeLessThan(5)
    // Between the two slowest: 1 + 0.55 * (9 - 1).
    expect(p95).toBeGreaterThanOrEqual(5.4)
    expect(mean).toBeGreaterThanOrEqual(1.8)
  })

  test('ends early when time is up, but times one run at least', async () => {
    const session = timed(5)
    expect((await latency(session, {}, { runs: 1000, warmup: 1000, seconds: 0.001 })).runs).toBe(1)
    expect(session.runs()).toBe(2)
  })

  test('refuses to time no run', async () => {
    await expect(latency(timed(1), {}, { runs: 0 })).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})

describe('throughput', () => {
  test('counts the rows of the batch, not the runs', async () => {
    const feeds = { a: float32s([8, 1], new Float32Array(8)), b: float32s([8], new Float32Array(8)) }
    const rate = await throughput(timed(2), feeds, { runs: 5, warmup: 0 })
    expect(rate).toBeGreaterThan(800)
    expect(rate).toBeLessThanOrEqual(4000)
  })

  test('needs one batch size', async () => {
    const feeds = { a: float32s([2], [1, 2]), b: float32s([1], [1]) }
    await expect(throughput(timed(1), feeds)).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(throughput(timed(1), {})).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})
