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
const distances = [5, 13, 22, 34, 48, 64]

/**
 * Places one label beside each point so that labels cover neither each other nor a point, and stay in the frame. Greedy:
 * points in crowds choose first, each takes the nearest free place of 8 directions.
 * @returns undefined if there is no room for all of them.
 */
export function placeLabels(points: readonly LabelledPoint[], frame: Frame): Placement[] | undefined {
  const dots = points.map(({ x, y, radius }) => boxAround(x, y, 2 * radius + 2, 2 * radius + 2))
  const crowd = (p: LabelledPoint) =>
    points.filter(q => Math.abs(q.x - p.x) < p.width && Math.abs(q.y - p.y) < 3 * p.height).length
  const order = points.map((_, i) => i).sort((a, b) => crowd(points[b]!) - crowd(points[a]!) || a - b)

  const taken: Frame[] = []
  const placements = new Array<Placement>(points.length)
  for (const i of order) {
    const free = nearestFree(points[i]!, [...taken, ...dots], frame)
    if (!free) return undefined
    placements[i] = free
    taken.push(boxAround(free.x, free.y, points[i]!.width, points[i]!.height))
  }
  return placements
}

function nearestFree(point: LabelledPoint, obstacles: readonly Frame[], frame: Frame): Placement | undefined {
  for (const distance of distances) {
    for (const [dx, dy] of directions) {
      const diagonal = dx !== 0 && dy !== 0 ? Math.SQRT1_2 : 1
      const reach = (point.radius + distance) * diagonal
      const x = point.x + dx * (reach + point.width / 2)
      const y = point.y + dy * (reach + point.height / 2)
      const box = boxAround(x, y, point.width, point.height)
      if (contains(frame, box) && !obstacles.some(obstacle => overlaps(box, obstacle))) {
        return { x, y, leader: distance > 13 }
      }
    }
  }
  return undefined
}

function boxAround(x: number, y: number, width: number, height: number): Frame {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 }
}

const overlaps = (a: Frame, b: Frame) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

const contains = (frame: Frame, box: Frame) =>
  frame.left <= box.left && frame.top <= box.top && box.right <= frame.right && box.bottom <= frame.bottom
