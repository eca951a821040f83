import { isTensorType } from '../base/shape.ts'
import type { Scope } from '../ops/call.ts'

/** One axis of one value. */
export interface Axis {
  readonly value: string
  readonly axis: number
  /** undefined where it is not fixed. */
  readonly size: number | undefined
  readonly rank: number
  readonly parameter: boolean
  /** Why no index of it may leave. */
  reason: string | undefined
  /** Whether its channels could be asked for: a link speaks of it, or a node that has no links to give reads it. */
  channels: boolean
  /** The place of its first index among all indices; set by `spread`, for axes that are not pinned. */
  offset: number
}

/** The axes of a graph's values, and which of their indices leave together: a disjoint-set forest over single indices. */
export interface AxisTable {
  /** The axes of a value, made when it is first asked for; none where its rank is not known. */
  axesOf(value: string): readonly Axis[]
  all(): readonly Axis[]
  /** No index of it leaves. The first reason is kept. */
  pin(axis: Axis, reason: string): void
  pinValue(value: string, reason: string): void
  /** Two axes whose indices correspond one to one: what pins one pins the other. */
  tie(a: Axis, b: Axis): void
  /** Ends the first stage (whole axes) and starts the second (single indices). */
  spread(): void
  join(a: Axis, i: number, b: Axis, j: number): void
  pinIndex(axis: Axis, index: number, reason: string): void
  /** The representative of the set that an index is in. */
  find(axis: Axis, index: number): number
  /** Why the set cannot leave, or undefined. */
  reasonOf(root: number): string | undefined
  /** How many indices there are on axes that are not pinned as a whole. */
  count(): number
}

/** The longest axis whose indices are followed one by one; vocabularies have a tenth. */
export const mostIndices = 2 ** 22

/** How many indices are followed in all: the largest networks have a tenth. */
const mostInAll = 2 ** 24

export function axisTable(scope: Scope): AxisTable {
  const byValue = new Map<string, readonly Axis[]>()
  const axes: Axis[] = []
  const ties = new Map<Axis, Axis[]>()
  let parents = new Int32Array(0)
  /** By root: 0, or 1 + the place of the reason. */
  let pins = new Int32Array(0)
  const reasons: string[] = []
  const places = new Map<string, number>()

  function makeAxes(value: string): readonly Axis[] {
    const type = value === '' ? undefined : scope.type(value)
    if (!isTensorType(type) || !type.shape) return []
    const parameter = scope.constant(value) !== undefined
    const rank = type.shape.length
    return type.shape.map((dim, axis): Axis => {
      const size = typeof dim === 'number' ? dim : undefined
      const where = `the size of '${value}', axis ${axis},`
      const reason =
        size === undefined
          ? `${where} is not fixed`
          : size > mostIndices
            ? `${where} is ${size}, more than are told apart`
            : undefined
      return { value, axis, size, rank, parameter, reason, channels: false, offset: -1 }
    })
  }

  function find(entry: number): number {
    let root = entry
    while (parents[root] !== root) root = parents[root]!
    while (parents[entry] !== root) {
      const next = parents[entry]!
      parents[entry] = root
      entry = next
    }
    return root
  }

  function pinEntry(entry: number, reason: string): void {
    const root = find(entry)
    if (pins[root] !== 0) return
    let place = places.get(reason)
    if (place === undefined) {
      place = reasons.push(reason)
      places.set(reason, place)
    }
    pins[root] = place
  }

  /** What is tied to axes that are pinned is pinned too. */
  function settle(open: Axis[]): void {
    for (let axis = open.pop(); axis; axis = open.pop()) {
      for (const other of ties.get(axis) ?? []) {
        if (other.reason !== undefined) continue
        other.reason = axis.reason
        open.push(other)
      }
    }
  }

  const table: AxisTable = {
    axesOf(value) {
      let found = byValue.get(value)
      if (!found) {
        found = makeAxes(value)
        byValue.set(value, found)
        axes.push(...found)
      }
      return found
    },
    all: () => axes,
    pin(axis, reason) {
      axis.reason ??= reason
    },
    pinValue(value, reason) {
      for (const axis of table.axesOf(value)) table.pin(axis, reason)
    },
    tie(a, b) {
      for (const [one, other] of [[a, b] as const, [b, a] as const]) {
        const known = ties.get(one)
        if (known) known.push(other)
        else ties.set(one, [other])
      }
    },
    spread() {
      // Most of a network's indices lie on axes that stay as a whole (height, width): they never get to the forest.
      settle(axes.filter(axis => axis.reason !== undefined))
      let count = 0
      for (const axis of axes) {
        if (axis.reason !== undefined) continue
        if (count + axis.size! > mostInAll) {
          axis.reason = `the graph has more channels than are told apart, and '${axis.value}' is past them`
          settle([axis])
          continue
        }
        axis.offset = count
        count += axis.size!
      }
      parents = Int32Array.from({ length: count }, (_, i) => i)
      pins = new Int32Array(count)
    },
    join(a, i, b, j) {
      if (a.reason !== undefined && b.reason !== undefined) return
      if (a.reason !== undefined) pinEntry(b.offset + j, a.reason)
      else if (b.reason !== undefined) pinEntry(a.offset + i, b.reason)
      else {
        const [first, second] = [find(a.offset + i), find(b.offset + j)]
        if (first === second) return
        // The earlier index is the root: sets come in the order of the graph.
        const [root, child] = first < second ? [first, second] : [second, first]
        parents[child] = root
        pins[root] ||= pins[child]!
      }
    },
    pinIndex: (axis, index, reason) => pinEntry(axis.offset + index, reason),
    find: (axis, index) => find(axis.offset + index),
    reasonOf: root => (pins[root] ? reasons[pins[root] - 1] : undefined),
    count: () => parents.length,
  }
  return table
}
