import { type Dim, exactQuotient, productOf, type Shape } from '../../base/shape.ts'

/**
 * What a chain of Reshape, Transpose, Squeeze, Unsqueeze and Flatten does, as one permutation of factored axes: every
 * axis of the source and of the result is a list of factors (none for an axis of size 1), by number. Both sides hold the
 * same factors; where their order is the same too, no element moves.
 */
export interface Layout {
  /** Size of each factor; '' where nothing is known of it. */
  readonly sizes: readonly Dim[]
  readonly source: readonly Axis[]
  readonly result: readonly Axis[]
}

export type Axis = readonly number[]

/** What a Reshape asks of one axis: a size, the factors of an axis copied, or whatever the others leave over. */
export type Wanted = Dim | Axis | 'rest'

/** The layout of a value as it is. */
export function layoutOf(shape: Shape): Layout {
  const axes = shape.map((size, axis) => (size === 1 ? [] : [axis]))
  return { sizes: shape, source: axes, result: axes }
}

export function shapeOfAxes({ sizes }: Layout, axes: readonly Axis[]): Shape {
  return axes.map(axis => productOf(axis.map(factor => sizes[factor]!)))
}

export function transposedLayout(layout: Layout, perm: readonly number[]): Layout {
  return { ...layout, result: perm.map(axis => layout.result[axis]!) }
}

/** The result's axes merged into two, before and from an axis on. */
export function flattenedLayout(layout: Layout, axis: number): Layout {
  const { result } = layout
  return { ...layout, result: [result.slice(0, axis).flat(), result.slice(axis).flat()] }
}

export function unsqueezedLayout(layout: Layout, axes: readonly number[]): Layout {
  const old = layout.result[Symbol.iterator]()
  const rank = layout.result.length + axes.length
  const result = Array.from({ length: rank }, (_, axis): Axis => (axes.includes(axis) ? [] : old.next().value!))
  return { ...layout, result }
}

/** The result without some axes, which are thereby said to be of size 1, known or not. */
export function squeezedLayout(layout: Layout, axes: readonly number[]): Layout {
  const gone = new Set(axes.flatMap(axis => layout.result[axis]!))
  const drop = (side: readonly Axis[]) => side.map(axis => axis.filter(factor => !gone.has(factor)))
  const result = layout.result.filter((_, axis) => !axes.includes(axis))
  return { ...layout, source: drop(layout.source), result: drop(result) }
}

/**
 * The result under another shape; undefined if that cannot be said in factors (24 = 4 x 6 of 6 x 4), if sizes are not
 * known, or if there is an axis of size 0, of which every shape holds the same.
 */
export function reshapedLayout(layout: Layout, wanted: readonly Wanted[]): Layout | undefined {
  if (layout.sizes.includes(0) || wanted.includes(0)) return undefined
  const open = wanted.indexOf('rest')
  const dealer = deal(layout)
  const front = dealer.takeAll(open < 0 ? wanted : wanted.slice(0, open), 'front')
  if (!front) return undefined
  if (open < 0) return dealer.left().length === 0 ? dealer.finish(front) : undefined
  const back = dealer.takeAll(wanted.slice(open + 1).toReversed(), 'back')
  return back && dealer.finish([...front, dealer.left(), ...back.reverse()])
}

/** Deals the factors of the result out to new axes, from either end, and splits them where a size asks for it. */
function deal(layout: Layout) {
  const sizes = [...layout.sizes]
  /** What split factors have become. */
  const parts = new Map<number, Axis>()
  const whole = (axis: Axis): Axis => axis.flatMap(factor => (parts.has(factor) ? whole(parts.get(factor)!) : [factor]))
  let left: number[] = layout.result.flat()

  function split(factor: number, first: Dim, second: Dim): readonly [number, number] {
    const made = [sizes.push(first) - 1, sizes.push(second) - 1] as const
    parts.set(factor, made)
    return made
  }

  function take(wanted: Wanted, end: 'front' | 'back'): Axis | undefined {
    if (typeof wanted === 'object') {
      const axis = whole(wanted)
      const next = axis.length === 0 ? [] : end === 'front' ? left.slice(0, axis.length) : left.slice(-axis.length)
      if (next.every((factor, i) => factor === axis[i]) && next.length === axis.length) {
        left = end === 'front' ? left.slice(axis.length) : left.slice(0, left.length - axis.length)
        return axis
      }
      return takeSize(productOf(axis.map(factor => sizes[factor]!)), end)
    }
    return takeSize(wanted, end)
  }

  function takeSize(size: Dim, end: 'front' | 'back'): Axis | undefined {
    const taken: number[] = []
    let needed = size
    while (needed !== 1) {
      const factor = end === 'front' ? left[0] : left.at(-1)
      if (factor === undefined || needed === '') return undefined
      const has = sizes[factor]!
      const rest = exactQuotient(needed, has)
      if (rest === undefined) {
        const over = exactQuotient(has, needed)
        if (over === undefined) return undefined
        const [outer, inner] = end === 'front' ? split(factor, needed, over) : split(factor, over, needed)
        left = end === 'front' ? [outer, inner, ...left.slice(1)] : [...left.slice(0, -1), outer, inner]
        continue
      }
      needed = rest
      if (end === 'front') taken.push(left.shift()!)
      else taken.unshift(left.pop()!)
    }
    return taken
  }

  return {
    left: (): Axis => left,
    takeAll(wanted: readonly Wanted[], end: 'front' | 'back'): Axis[] | undefined {
      const axes: Axis[] = []
      for (const one of wanted) {
        const axis = take(one, end)
        if (!axis) return undefined
        axes.push(axis)
      }
      return axes
    },
    finish: (result: readonly Axis[]): Layout => ({
      sizes,
      source: layout.source.map(whole),
      result: result.map(whole),
    }),
  }
}

/** One node of a plan. */
export type Move =
  | { readonly op: 'Reshape'; readonly target: readonly number[] }
  | { readonly op: 'Squeeze' | 'Unsqueeze'; readonly axes: readonly number[] }
  | { readonly op: 'Transpose'; readonly perm: readonly number[] }
  | { readonly op: 'Flatten'; readonly axis: number }

/** The fewest nodes that do what a layout says, Transposes avoided; undefined where a Reshape's target cannot be said. */
export function planOf(layout: Layout): readonly Move[] | undefined {
  const { source, result } = layout
  const [before, after] = [source.flat(), result.flat()]
  if (sameList(before, after)) return reshapeMoves(layout, source, result)
  const perm = permutationOf(source, result)
  if (perm) return [{ op: 'Transpose', perm }]
  const plans = [
    transposeThenReshape(layout, after),
    reshapeThenTranspose(layout, before),
    reshapeAround(layout, before, after),
  ]
  return plans.filter(plan => plan !== undefined).sort((a, b) => a.length - b.length || effort(a) - effort(b))[0]
}

/** Of plans of a length: a Transpose of few axes is faster, and a size that is left open (-1) fails where another is 0. */
function effort(plan: readonly Move[]): number {
  const of = (move: Move) =>
    move.op === 'Transpose' ? 2 * move.perm.length : 'target' in move && move.target.includes(-1) ? 1 : 0
  return plan.reduce((sum, move) => sum + of(move), 0)
}

/** Each axis of the source moves whole. */
function transposeThenReshape(layout: Layout, after: Axis): readonly Move[] | undefined {
  const order = blockOrder(layout.source, after)
  if (!order) return undefined
  const moved = order.map(axis => layout.source[axis]!)
  const moves = reshapeMoves(layout, moved, layout.result)
  return moves && [{ op: 'Transpose', perm: order }, ...moves]
}

/** Each axis of the result comes whole. */
function reshapeThenTranspose(layout: Layout, before: Axis): readonly Move[] | undefined {
  const order = blockOrder(layout.result, before)
  if (!order) return undefined
  const blocks = order.map(axis => layout.result[axis]!)
  const moves = reshapeMoves(layout, layout.source, blocks)
  return moves && [...moves, { op: 'Transpose', perm: order.map((_, axis) => order.indexOf(axis)) }]
}

/** The longest runs of factors that stay together move as one axis each. */
function reshapeAround(layout: Layout, before: Axis, after: Axis): readonly Move[] | undefined {
  const blocks: number[][] = []
  before.forEach((factor, i) => {
    const follows = i > 0 && after[after.indexOf(before[i - 1]!) + 1] === factor
    if (follows) blocks.at(-1)!.push(factor)
    else blocks.push([factor])
  })
  const order = blockOrder(blocks, after)!
  const moved = order.map(block => blocks[block]!)
  const [first, last] = [reshapeMoves(layout, layout.source, blocks), reshapeMoves(layout, moved, layout.result)]
  return first && last && [...first, { op: 'Transpose', perm: order }, ...last]
}

/** The order in which axes stand in a row of factors; undefined if it takes one apart. Axes of size 1 keep their places. */
function blockOrder(axes: readonly Axis[], row: Axis): readonly number[] | undefined {
  const placed = axes.flatMap((axis, i) => (axis.length > 0 ? [{ i, at: row.indexOf(axis[0]!) }] : []))
  if (axes.some(axis => axis.some((factor, k) => row[row.indexOf(axis[0]!) + k] !== factor))) return undefined
  const moving = placed.sort((a, b) => a.at - b.at)[Symbol.iterator]()
  return axes.map((axis, i) => (axis.length > 0 ? moving.next().value!.i : i))
}

/** Which axis of the source each axis of the result is, where all are whole. */
function permutationOf(source: readonly Axis[], result: readonly Axis[]): readonly number[] | undefined {
  if (source.length !== result.length) return undefined
  const free = new Set(source.keys())
  const perm: number[] = []
  for (const axis of result) {
    const from = [...free].find(one => sameList(source[one]!, axis))
    if (from === undefined) return undefined
    free.delete(from)
    perm.push(from)
  }
  return perm
}

/** From one grouping of a row of factors to another. */
function reshapeMoves(layout: Layout, from: readonly Axis[], to: readonly Axis[]): readonly Move[] | undefined {
  if (from.length === to.length && from.every((axis, i) => sameList(axis, to[i]!))) return []
  const removed = extraOnes(from, to)
  if (removed) return [{ op: 'Squeeze', axes: removed }]
  const added = extraOnes(to, from)
  if (added) return [{ op: 'Unsqueeze', axes: added }]
  const target = targetOf(shapeOfAxes(layout, from), shapeOfAxes(layout, to), (a, b) => sameList(from[a]!, to[b]!))
  const split = target?.includes(-1) ? flattenedAt(from, to) : undefined
  if (split !== undefined) return [{ op: 'Flatten', axis: split }]
  if (target) return [{ op: 'Reshape', target }]
  const ones = from.flatMap((axis, i) => (axis.length === 0 ? [i] : []))
  const others = to.flatMap((axis, i) => (axis.length === 0 ? [i] : []))
  const same = sameAxes(
    from.filter(axis => axis.length > 0),
    to.filter(axis => axis.length > 0),
  )
  if (!same) return undefined
  return [
    { op: 'Squeeze', axes: ones },
    { op: 'Unsqueeze', axes: others },
  ]
}

/**
 * The axis before which and from which a Flatten merges what `from` holds into the two axes of `to`: unlike a Reshape that
 * leaves a size open, it takes sizes of 0.
 */
function flattenedAt(from: readonly Axis[], to: readonly Axis[]): number | undefined {
  if (to.length !== 2) return undefined
  for (let axis = 0; axis <= from.length; axis++) if (sameList(from.slice(0, axis).flat(), to[0]!)) return axis
  return undefined
}

/** The axes of size 1 that one side has and the other lacks, if that is all the difference. */
function extraOnes(more: readonly Axis[], fewer: readonly Axis[]): readonly number[] | undefined {
  const extra: number[] = []
  let at = 0
  more.forEach((axis, i) => {
    if (at < fewer.length && sameList(axis, fewer[at]!)) at++
    else extra.push(i)
  })
  return at === fewer.length && extra.every(i => more[i]!.length === 0) ? extra : undefined
}

/**
 * The constant that a Reshape takes for its target: 0 copies an axis, and one size may be left for -1. undefined where
 * more than one is neither a number nor a copy, or is 0 in earnest.
 */
export function targetOf(
  from: Shape,
  to: Shape,
  copies: (from: number, to: number) => boolean = () => false,
): readonly number[] | undefined {
  const target = to.map((size, i) => {
    if (typeof size === 'number') return size
    return i < from.length && (copies(i, i) || (size !== '' && from[i] === size)) ? 0 : -1
  })
  const fits = target.filter(size => size === -1).length <= 1 && !to.includes(0)
  return fits ? target : undefined
}

export function sameAxes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return a.length === b.length && a.every((axis, i) => sameList(axis, b[i]!))
}

export function sameList(a: Axis, b: Axis): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
