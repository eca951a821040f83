type Point = readonly [x: number, y: number]

/**
 * Keeps at most `limit` (>= 2) points of a curve, both ends among them: those that bend it most. It is the
 * Douglas-Peucker simplification, refined largest deviation first, with x seen on a logarithmic scale, because a ROC
 * curve of a good classifier has its whole shape at false-positive rates near 0.
 * @param points rising in x, 0 <= x <= 1.
 */
export function thinCurve(points: readonly Point[], limit = 100): [number, number][] {
  if (points.length <= limit) return points.map(([x, y]) => [x, y])
  const firstPositive = points.find(([x]) => x > 0)?.[0] ?? 1
  const floor = Math.max(firstPositive / 2, 1e-12)
  const seen = points.map(([x, y]): Point => [Math.log10(Math.max(x, floor)), y])

  const last = points.length - 1
  const kept = new Set([0, last])
  const open = [farthest(seen, 0, last)]
  while (kept.size < limit && open.length > 0) {
    open.sort((a, b) => a.distance - b.distance)
    const { from, at, to, distance } = open.pop()!
    if (distance === 0) break
    kept.add(at)
    open.push(farthest(seen, from, at), farthest(seen, at, to))
  }
  return [...kept].sort((a, b) => a - b).map(i => [...points[i]!])
}

interface Stretch {
  readonly from: number
  readonly to: number
  readonly at: number
  readonly distance: number
}

/** The point between two others that is farthest, vertically or horizontally, from the line through them. */
function farthest(points: readonly Point[], from: number, to: number): Stretch {
  const [x0, y0] = points[from]!
  const [x1, y1] = points[to]!
  const length = Math.hypot(x1 - x0, y1 - y0)
  let best: Stretch = { from, to, at: from, distance: 0 }
  for (let at = from + 1; at < to; at++) {
    const [x, y] = points[at]!
    const area = Math.abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0))
    const distance = length === 0 ? Math.hypot(x - x0, y - y0) : area / length
    if (distance > best.distance) best = { from, to, at, distance }
  }
  return best
}
