import type { Axis, AxisTable } from './axes.ts'
import type { ChannelGroup, Coupling, GroupAxis, PinnedAxis } from './coupling.ts'

/** The sets of a table whose joining is done, as groups of slots: sets that lie on the same axes stand together. */
export function gatherGroups(table: AxisTable): Coupling {
  const axes = table.all().filter(axis => axis.reason === undefined)
  const roots = axes.map(axis => Int32Array.from({ length: axis.size! }, (_, i) => table.find(axis, i)))
  const parameterised = new Uint8Array(table.count())
  axes.forEach((axis, a) => {
    if (axis.parameter) for (const root of roots[a]!) parameterised[root] = 1
  })
  const reasonOf = (root: number) =>
    table.reasonOf(root) ?? (parameterised[root] ? undefined : 'no parameter makes or reads it')

  const classes = classify(roots, table.count())
  const groupOf = new Map<number, number>()
  const slotOf = new Int32Array(table.count()).fill(-1)
  const drafts: { slots: number; axes: GroupAxis[] }[] = []
  axes.forEach((axis, a) => {
    const members = new Map<number, { slots: number[]; indices: number[] }>()
    roots[a]!.forEach((root, index) => {
      if (reasonOf(root) !== undefined) return
      let group = groupOf.get(classes[root]!)
      if (group === undefined) {
        group = drafts.push({ slots: 0, axes: [] }) - 1
        groupOf.set(classes[root]!, group)
      }
      // The group's first axis holds all of its slots, so they are numbered in its order.
      if (slotOf[root]! < 0) slotOf[root] = drafts[group]!.slots++
      let member = members.get(group)
      if (!member) {
        member = { slots: [], indices: [] }
        members.set(group, member)
      }
      member.slots.push(slotOf[root]!)
      member.indices.push(index)
    })
    for (const [group, { slots, indices }] of members) {
      const draft = drafts[group]!
      draft.axes.push(groupAxis(axis, draft.slots, slots, indices))
    }
  })
  return { groups: named(drafts), pinned: pinnedAxes(table, reasonOf) }
}

/** Numbers each set by the axes that it lies on: equal numbers for equal axes. Each axis in turn refines the numbering. */
function classify(roots: readonly Int32Array[], count: number): Int32Array {
  const classes = new Int32Array(count)
  const lastAxis = new Int32Array(count).fill(-1)
  let next = 1
  roots.forEach((axisRoots, a) => {
    const refined = new Map<number, number>()
    for (const root of axisRoots) {
      if (lastAxis[root] === a) continue
      lastAxis[root] = a
      let number = refined.get(classes[root]!)
      if (number === undefined) {
        number = next++
        refined.set(classes[root]!, number)
      }
      classes[root] = number
    }
  })
  return classes
}

function groupAxis(
  { value, axis, size, rank, parameter }: Axis,
  count: number,
  slots: readonly number[],
  places: readonly number[],
): GroupAxis {
  const starts = new Int32Array(count + 1)
  for (const slot of slots) starts[slot + 1]!++
  for (let slot = 0; slot < count; slot++) starts[slot + 1]! += starts[slot]!
  const next = starts.slice()
  const indices = new Int32Array(places.length)
  places.forEach((index, i) => {
    indices[next[slots[i]!]!++] = index
  })
  return { value, axis, size: size!, rank, parameter, starts, indices }
}

function named(drafts: readonly { slots: number; axes: readonly GroupAxis[] }[]): ChannelGroup[] {
  const used = new Map<string, number>()
  return drafts.map(({ slots, axes }) => {
    const parameters = axes.filter(axis => axis.parameter)
    const { value } = parameters.find(axis => axis.rank > 1) ?? parameters[0]!
    const times = (used.get(value) ?? 0) + 1
    used.set(value, times)
    return { name: times === 1 ? value : `${value}#${times}`, slots, axes }
  })
}

function pinnedAxes(table: AxisTable, reasonOf: (root: number) => string | undefined): PinnedAxis[] {
  const pinned: PinnedAxis[] = []
  for (const axis of table.all()) {
    if (!axis.parameter || !axis.channels || axis.size === undefined) continue
    const { value, size } = axis
    let first = axis.reason
    let count = first === undefined ? 0 : size
    for (let i = 0; i < size && axis.reason === undefined; i++) {
      const reason = reasonOf(table.find(axis, i))
      if (reason === undefined) continue
      first ??= reason
      count++
    }
    if (first !== undefined) pinned.push({ value, axis: axis.axis, size, pinned: count, reason: first })
  }
  return pinned
}
