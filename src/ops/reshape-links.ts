import { type Dim, elementCount, isFixed, multiplyDims, type Shape, sameDim } from '../base/shape.ts'
import type { Link, Port, TypedCall } from './operator.ts'

/** Axes of two shapes that hold the same elements: the shortest runs of them whose products are equal. */
interface Run {
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/**
 * Splits two shapes of as many elements into runs that correspond, from both ends: where a symbol stands on one side only,
 * what is left in between belongs together. Axes of size 1 are left out.
 */
export function matchAxes(from: Shape, to: Shape): readonly Run[] {
  const [left, right] = [from, to].map(shape => [...shape.keys()].filter(axis => shape[axis] !== 1)) as [
    number[],
    number[],
  ]
  const head = takeRuns(from, to, left, right)
  left.reverse()
  right.reverse()
  const tail = takeRuns(from, to, left, right).map(run => ({ from: run.from.toReversed(), to: run.to.toReversed() }))
  const middle = left.length > 0 || right.length > 0 ? [{ from: left.reverse(), to: right.reverse() }] : []
  return [...head, ...middle, ...tail.reverse()]
}

/** Takes runs off the beginning of two lists of axes, as long as their products are known to be equal. */
function takeRuns(from: Shape, to: Shape, left: number[], right: number[]): Run[] {
  const runs: Run[] = []
  while (left.length > 0 && right.length > 0) {
    let [a, b]: [Dim, Dim] = [from[left[0]!]!, to[right[0]!]!]
    let [i, j] = [1, 1]
    while (!sameDim(a, b)) {
      if (typeof a !== 'number' || typeof b !== 'number') return runs
      if (a < b && i < left.length) a = multiplyDims(a, from[left[i++]!]!)
      else if (a > b && j < right.length) b = multiplyDims(b, to[right[j++]!]!)
      else return runs
    }
    runs.push({ from: left.splice(0, i), to: right.splice(0, j) })
  }
  return runs
}

/** Axes that are the same on both sides, and of those that are folded into one, or unfolded from one, the channels. */
export function reshapeLinks({ inputs: [x], outputs: [y] }: Pick<TypedCall, 'inputs' | 'outputs'>): readonly Link[] {
  if (!x?.shape || !y?.shape) return []
  return matchAxes(x.shape, y.shape).flatMap(({ from, to }): Link[] => {
    if (from.length === 1 && to.length === 1) {
      return [{ from: ['in', 0, from[0]!], to: ['out', 0, to[0]!], map: 'same' }]
    }
    // Of a symbol's axis nothing need be left: it is 1 then.
    if (from.length === 0 || to.length === 0) return []
    if (to.length === 1) return foldLink('in', x.shape!, from, ['out', 0, to[0]!])
    if (from.length === 1) return foldLink('out', y.shape!, to, ['in', 0, from[0]!])
    return []
  })
}

/** The link between an axis and the first or last of the axes that it is the product of. */
function foldLink(side: 'in' | 'out', shape: Shape, run: readonly number[], whole: Port): Link[] {
  const sizes = run.map(axis => shape[axis]!)
  if (!isFixed(sizes)) return []
  const last = channelsAreLast(sizes, side === 'in' && run[0] === 1 && run.at(-1) === shape.length - 1)
  const size = (last ? sizes.at(-1) : sizes[0]) as number
  const others = elementCount(sizes) / size
  return [
    { from: [side, 0, last ? run.at(-1)! : run[0]!], to: whole, map: last ? { tile: others } : { repeat: others } },
  ]
}

/**
 * Which of several axes to follow is a guess that costs nothing but possibilities. Where all but the batch is flattened,
 * channels come first, unless the axes look like [H, W, C]; elsewhere (attention heads, channel shuffles) the longer
 * axis has more channels that can leave.
 */
function channelsAreLast(sizes: readonly number[], flattens: boolean): boolean {
  if (!flattens) return sizes.at(-1)! > sizes[0]!
  return sizes.length >= 3 && sizes[0] === sizes[1] && sizes.at(-1) !== sizes.at(-2)
}
