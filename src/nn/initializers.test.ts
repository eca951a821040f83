import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import {
  fanInUniform,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  normal,
  uniform,
  xavierNormal,
  xavierUniform,
} from './initializers.ts'

/** 40 x 20 x 5 x 5: fan in 500, fan out 1000. */
const shape = [40, 20, 5, 5]

function moments(initial: Initializer) {
  const values = initial(shape, random(1))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  return { mean, deviation, largest: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) }
}

describe('initial values', () => {
  const deviations: readonly (readonly [string, Initializer, number])[] = [
    ['normal', normal(0.3), 0.3],
    ['uniform', uniform(0.3), 0.3 / Math.sqrt(3)],
    ['Kaiming normal', kaimingNormal(), Math.sqrt(2 / 500)],
    ['Kaiming normal by fan out', kaimingNormal({ fan: 'out' }), Math.sqrt(2 / 1000)],
    ['Kaiming normal for a leaky rectifier', kaimingNormal({ slope: 1 }), Math.sqrt(1 / 500)],
    ['Kaiming uniform', kaimingUniform(), Math.sqrt(2 / 500)],
    ['Xavier normal', xavierNormal, Math.sqrt(2 / 1500)],
    ['Xavier uniform', xavierUniform, Math.sqrt(2 / 1500)],
    ['fan-in uniform', fanInUniform, 1 / Math.sqrt(3 * 500)],
  ]
  for (const [name, initial, expected] of deviations) {
    test(`${name}: centred, with the deviation of its formula`, () => {
      const { mean, deviation } = moments(initial)
      expect(Math.abs(mean)).toBeLessThan(0.03 * expected)
      expect(deviation / expected).toBeGreaterThan(0.97)
      expect(deviation / expected).toBeLessThan(1.03)
    })
  }

  test('uniform ones stay within their bound and come near it', () => {
    const bounds = [
      [kaimingUniform(), Math.sqrt(6 / 500)],
      [xavierUniform, Math.sqrt(6 / 1500)],
      [fanInUniform, 1 / Math.sqrt(500)],
    ] as const
    for (const [initial, bound] of bounds) {
      const { largest } = moments(initial)
      expect(largest).toBeLessThanOrEqual(bound)
      expect(largest).toBeGreaterThan(0.99 * bound)
    }
  })

  test('a bias goes by the fan of the weights it belongs to', () => {
    const bias = fanInUniform([1000], random(1), [1000, 4])
    expect(Math.max(...bias)).toBeLessThanOrEqual(0.5)
    expect(Math.max(...bias)).toBeGreaterThan(0.45)
  })
})
