import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Frame, type LabelledPoint, placeLabels } from './place-labels.ts'

const frame: Frame = { left: 0, top: 0, right: 600, bottom: 400 }
const point = fc.record({
  x: fc.integer({ min: 20, max: 580 }),
  y: fc.integer({ min: 20, max: 380 }),
  radius: fc.constant(6),
  width: fc.integer({ min: 10, max: 120 }),
  height: fc.constant(15),
})

const boxes = (points: readonly LabelledPoint[], placed: readonly { x: number; y: number }[]): Frame[] =>
  placed.map(({ x, y }, i) => {
    const { width, height } = points[i]!
    return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 }
  })

test('labels cover neither each other nor a point, and stay in the frame', () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 14 }), points => {
      const placed = placeLabels(points, frame)
      if (!placed) return
      const labels = boxes(points, placed)
      for (const [i, a] of labels.entries()) {
        expect(a.left >= 0 && a.right <= 600 && a.top >= 0 && a.bottom <= 400).toBe(true)
        for (const b of labels.slice(i + 1)) {
          expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false)
        }
        for (const { x, y } of points) {
          expect(a.left < x && x < a.right && a.top < y && y < a.bottom).toBe(false)
        }
      }
    }),
  )
})

test('a lone point has its label at its right, without a line', () => {
  const [label] = placeLabels([{ x: 100, y: 100, radius: 6, width: 80, height: 15 }], frame)!
  expect(label).toEqual({ x: 151, y: 100, leader: false })
})

test('a point at the right edge has its label at its left', () => {
  const [label] = placeLabels([{ x: 590, y: 100, radius: 6, width: 80, height: 15 }], frame)!
  expect(label!.x).toBeLessThan(590 - 40)
})

test('points on one spot all get a label, the far ones with a line', () => {
  const points = Array.from({ length: 6 }, () => ({ x: 300, y: 200, radius: 6, width: 80, height: 15 }))
  const placed = placeLabels(points, frame)!
  expect(placed).toHaveLength(6)
  expect(placed.filter(label => label.leader).length).toBeGreaterThan(0)
})

test('where there is no room, nothing is placed', () => {
  expect(placeLabels([{ x: 300, y: 200, radius: 6, width: 900, height: 15 }], frame)).toBeUndefined()
})
