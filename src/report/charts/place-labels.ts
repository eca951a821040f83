/** A point of a drawing and the size of its label, in pixels. */
export interface LabelledPoint {
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly width: number
  readonly height: number
}

/** Where a label goes: the middle of its box, and whether a line must tie it to its point. */
export interface Placement {
  readonly x: number
  readonly y: number
  readonly leader: boolean
}

export interface Frame {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

const directions = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [1, -1],
  [1, 1],
  [-1, -1],
  [-1, 1],
] as const
const distances = [4, 12, 22, 34, 48, 64, 84, 108]

/**
 * Places one label beside each point so that labels cover neither each other nor a point, and stay in the frame. Greedy:
 * points in crowds choose first, each takes the nearest free place of 8 directions. In a hopeless crowd a label may
 * still overlap, as little as can be.
 */
export function placeLabels(points: readonly LabelledPoint[], frame: Frame): Placement[] {
  const dots = points.map(({ x, y, radius }) => boxAround(x, y, 2 * radius + 2, 2 * radius + 2))
  const crowd = (p: LabelledPoint) =>
    points.filter(q => Math.abs(q.x - p.x) < p.width && Math.abs(q.y - p.y) < 3 * p.height).length
  const order = points.map((_, i) => i).sort((a, b) => crowd(points[b]!) - crowd(points[a]!) || a - b)

  const taken: Frame[] = []
  const placements = new Array<Placement>(points.length)
  for (const i of order) {
    const point = points[i]!
    let best: { cost: number; box: Frame; placement: Placement } | undefined
    for (const distance of distances) {
      for (const [dx, dy] of directions) {
        const diagonal = dx !== 0 && dy !== 0 ? Math.SQRT1_2 : 1
        const reach = point.radius + distance
        const x = point.x + dx * (reach * diagonal + point.width / 2)
        const y = point.y + dy * (reach * diagonal + point.height / 2)
        const box = boxAround(x, y, point.width, point.height)
        const covered = [...taken, ...dots].reduce((sum, other) => sum + overlap(box, other), 0)
        const cost = covered + 50 * outside(box, frame) + distance
        if (!best || cost < best.cost) best = { cost, box, placement: { x, y, leader: distance > 12 } }
      }
    }
    placements[i] = best!.placement
    taken.push(best!.box)
  }
  return placements
}

function boxAround(x: number, y: number, width: number, height: number): Frame {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 }
}

/** Common area. */
export function overlap(a: Frame, b: Frame): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return width > 0 && height > 0 ? width * height : 0
}

/** Pixels by which a box leaves the frame, summed over its sides. */
function outside(box: Frame, frame: Frame): number {
  const beyond = [frame.left - box.left, frame.top - box.top, box.right - frame.right, box.bottom - frame.bottom]
  return beyond.reduce((sum, pixels) => sum + Math.max(0, pixels), 0)
}
