import { describe, expect, test } from 'vitest'
import { float32s, type Tensor, tensor } from '../base/tensor.ts'
import type { Session } from '../runtime/backend.ts'
import { compareOutputs } from './compare-outputs.ts'

/** A session that answers with the same tensors every time. */
function answering(results: Readonly<Record<string, Tensor>>): Session {
  return {
    inputs: [],
    outputs: Object.keys(results).map(name => ({ name, type: undefined })),
    run: async (_feeds, fetch = Object.keys(results)) => Object.fromEntries(fetch.map(name => [name, results[name]!])),
    async [Symbol.asyncDispose]() {},
  }
}

const y = (...values: number[]) => answering({ y: float32s([values.length], values) })

describe('comparing outputs', () => {
  test('finds equal ones equal, infinities and all', async () => {
    const found = await compareOutputs(
      y(1, Number.NaN, Number.POSITIVE_INFINITY),
      y(1, Number.NaN, Number.POSITIVE_INFINITY),
      {},
    )
    expect(found).toEqual({ absolute: 0, relative: 0, outputs: { y: { absolute: 0, relative: 0 } } })
  })

  test('tells the largest difference, and as a part of the scale', async () => {
    expect(await compareOutputs(y(1, -8, 2), y(1, -6, 3), {})).toMatchObject({ absolute: 2, relative: 0.25 })
  })

  test('takes what is no number on one side only as infinitely far', async () => {
    expect(await compareOutputs(y(1, Number.NaN), y(1, 2), {})).toMatchObject({ absolute: Number.POSITIVE_INFINITY })
    expect(await compareOutputs(y(0), y(Number.POSITIVE_INFINITY), {})).toMatchObject({
      relative: Number.POSITIVE_INFINITY,
    })
  })

  test('compares whole numbers and texts too', async () => {
    const labels = (...values: bigint[]) => answering({ label: tensor('int64', [2], BigInt64Array.from(values)) })
    expect(await compareOutputs(labels(3n, 4n), labels(3n, 6n), {})).toMatchObject({ absolute: 2 })
    const texts = (...values: string[]) => answering({ name: tensor('string', [1], values) })
    expect(await compareOutputs(texts('a'), texts('a'), {})).toMatchObject({ absolute: 0 })
    expect(await compareOutputs(texts('a'), texts('b'), {})).toMatchObject({ absolute: Number.POSITIVE_INFINITY })
  })

  test('looks at the outputs that both have, or at those named', async () => {
    const one = float32s([1], [1])
    const a = answering({ x: one, y: one, z: one })
    const b = answering({ y: float32s([1], [2]), z: float32s([1], [5]) })
    expect(Object.keys((await compareOutputs(a, b, {})).outputs)).toEqual(['y', 'z'])
    expect(await compareOutputs(a, b, {}, ['y'])).toMatchObject({ absolute: 1 })
  })

  test('refuses outputs of different shapes, and models with nothing in common', async () => {
    await expect(compareOutputs(y(1, 2), y(1), {})).rejects.toMatchObject({ code: 'invalid-argument' })
    const other = answering({ w: float32s([1], [1]) })
    await expect(compareOutputs(y(1), other, {})).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})
