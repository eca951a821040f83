import { SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { type PruneOptions, type PrunePlan, planPruning } from './plan-pruning.ts'
import { prunable } from './prunable.ts'
import { removeChannels } from './remove-channels.ts'

/**
 * Cuts channels out of a graph: by a plan made before, or by options, planning now. With options alone it is a pass:
 * `pipe(graph, prune({ keep: 0.5, roundTo: 8 }))`.
 * @throws SinterError `invalid-argument` if the plan was made for another graph; and as `planPruning` and `removeChannels`.
 */
export function prune(options: PruneOptions): (graph: Graph) => Graph
export function prune(graph: Graph, how: PrunePlan | PruneOptions): Graph
export function prune(first: Graph | PruneOptions, how?: PrunePlan | PruneOptions): Graph | ((graph: Graph) => Graph) {
  if (how === undefined) return graph => prune(graph, first as PruneOptions)
  const graph = first as Graph
  const { groups } = 'groups' in how ? how : planPruning(graph, how)
  const known = new Map(prunable(graph).groups.map(group => [group.name, group]))
  return removeChannels(
    graph,
    groups.map(({ name, slots, remove }) => {
      const group = known.get(name)
      if (group?.slots === slots) return { group, slots: remove }
      throw new SinterError(
        'invalid-argument',
        `The plan is for another graph: here, '${name}' has ${group?.slots ?? 'no'} channels, not ${slots}.`,
        {
          group: name,
        },
      )
    }),
  )
}
