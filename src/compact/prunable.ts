import { SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { type ChannelGroup, type Coupling, couple, type PinnedAxis } from '../read/coupling.ts'
import { outline } from './remove-channels.ts'

const known = new WeakMap<Graph, Coupling>()

/**
 * The coupled groups whose channels can really be cut: those of `couple`, less the ones that some node cannot follow
 * (shapes computed from constants that count channels, say), which are pinned with the reason. Found by trying.
 */
export function prunable(graph: Graph): Coupling {
  let coupling = known.get(graph)
  if (!coupling) {
    coupling = tryOut(graph)
    known.set(graph, coupling)
  }
  return coupling
}

function tryOut(graph: Graph): Coupling {
  const { groups, pinned } = couple(graph)
  const refused = new Map<ChannelGroup, string>()
  // A group of one channel never loses it.
  const open = [groups.filter(group => group.slots > 1)]
  for (let some = open.pop(); some; some = open.pop()) {
    if (some.length === 0) continue
    const refusal = refusalOf(graph, some)
    if (refusal === undefined) continue
    if (some.length === 1) refused.set(some[0]!, refusal)
    else open.push(some.slice(0, some.length >> 1), some.slice(some.length >> 1))
  }
  if (refused.size === 0) return { groups, pinned }
  return {
    groups: groups.filter(group => !refused.has(group)),
    pinned: [...pinned, ...[...refused].flatMap(([group, reason]) => pin(group, reason))],
  }
}

/** Why a node would refuse to lose a channel of each group; undefined if none would. */
function refusalOf(graph: Graph, groups: readonly ChannelGroup[]): string | undefined {
  try {
    outline(
      graph,
      groups.map(group => ({ group, slots: [0] })),
    )
    return undefined
  } catch (error) {
    if (error instanceof SinterError) return error.message
    throw error
  }
}

function pin({ axes }: ChannelGroup, reason: string): PinnedAxis[] {
  return axes
    .filter(axis => axis.parameter)
    .map(({ value, axis, size, indices }) => ({ value, axis, size, pinned: indices.length, reason }))
}
