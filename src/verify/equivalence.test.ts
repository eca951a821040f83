import { describe, expect, test } from 'vitest'
import { f32, makeGraph } from '../../test/support/make-graph.ts'
import { float32s, int64s, scalar } from '../base/tensor.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { outputDifferences, referenceOf } from './equivalence.ts'
import { toleranceOf } from './tolerance.ts'

const scaled = (factor: number) =>
  makeGraph({ x: f32('N', 4) }, (op, { x }) => ({ y: op.Mul([x, op.constant(scalar('float32', factor), 'f')]) }))

describe('comparing two graphs', () => {
  test('finds equal what rounding alone moves', async () => {
    const found = await outputDifferences(scaled(2), scaled(2 + 1e-6), undefined, onnxruntimeNode)
    expect(found).toMatchObject({ same: true, compared: 1, feeds: 2 })
    expect(found.relative).toBeGreaterThan(0)
  })

  test('tells outputs apart that differ by more', async () => {
    const found = await outputDifferences(scaled(2), scaled(2.01), undefined, onnxruntimeNode)
    expect(found.same).toBe(false)
    expect(found.outputs.y).toMatchObject({ same: false, allowed: 1e-4 })
    expect(found.relative).toBeCloseTo(0.005, 4)
  })

  test('runs both on the feeds that it is given', async () => {
    const feeds = [{ x: float32s([1, 4], [1, 2, 3, 4]) }]
    const found = await outputDifferences(scaled(1), scaled(2), feeds, onnxruntimeNode)
    expect(found).toMatchObject({ absolute: 4, relative: 1, feeds: 1 })
  })

  test('takes other shapes, types and missing outputs for differences', async () => {
    const shaped = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({
      y: op.ReduceSum([x, op.constant(int64s([1]), 'a')]),
    }))
    const typed = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({ y: op.Cast([x], { to: 11 }) }))
    const other = makeGraph({ x: f32('N', 4) }, (op, { x }) => ({ z: op.Neg([x]) }))
    await using reference = await referenceOf(scaled(1), onnxruntimeNode)
    expect((await reference.compare(shaped)).outputs.y!.note).toMatch(/float32\[1,4\] became float32\[1,1\]/)
    expect((await reference.compare(typed)).outputs.y!.note).toMatch(/became float64/)
    expect(await reference.compare(other)).toMatchObject({
      same: false,
      refused: expect.stringMatching(/no output 'y'/),
    })
  })

  test('has whole numbers equal exactly', async () => {
    const rounded = (shift: number) =>
      makeGraph({ x: f32(64) }, (op, { x }) => ({
        y: op.Cast(
          [
            op.Add([
              op.Mul([x, op.constant(scalar('float32', 1000), 'f')]),
              op.constant(scalar('float32', shift), 's'),
            ]),
          ],
          { to: 6 },
        ),
      }))
    expect((await outputDifferences(rounded(0), rounded(0.5), undefined, onnxruntimeNode)).same).toBe(false)
    expect((await outputDifferences(rounded(0), rounded(0), undefined, onnxruntimeNode)).same).toBe(true)
  })

  test('leaves out what differs from run to run, and says so', async () => {
    const noisy = (mean: number) =>
      makeGraph({ x: f32(4) }, (op, { x }) => ({
        y: op.Neg([x]),
        z: op.Add([x, op.RandomNormal([], { shape: [4], mean })]),
      }))
    const found = await outputDifferences(noisy(0), noisy(1), undefined, onnxruntimeNode)
    expect(found).toMatchObject({ same: true, compared: 1 })
    expect(found.outputs.z!.note).toMatch(/run to run/)
  })

  test('allows less precise arithmetic more', () => {
    const half = makeGraph({ x: f32(4) }, (op, { x }) => ({
      y: op.Cast([op.Cast([x], { to: 10 })], { to: 1 }),
    }))
    const steps = makeGraph({ x: f32(4) }, (op, { x }) => ({
      y: op.QuantizeLinear([x, op.constant(scalar('float32', 0.1), 's'), op.constant(scalar('uint8', 3), 'z')]),
    }))
    const double = makeGraph({ x: { dtype: 'float64', shape: [2] } }, (op, { x }) => ({ y: op.Neg([x]) }))
    expect([scaled(1), half, steps, double].map(toleranceOf)).toEqual([1e-4, 1e-2, 1e-2, 1e-9])
  })
})
