import { SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { newestOpset } from '../ops/spec.generated.ts'
import { downgrade } from './downgrade.ts'
import { type Refusal, upgrade } from './upgrade.ts'

/**
 * A graph in another opset, newer or older, that computes what it did.
 * @throws SinterError `invalid-argument` for an opset that there is not; `not-supported` if some nodes cannot be said in it; `details.nodes` lists them with the reasons.
 */
export function inOpset(graph: Graph, opset: number): Graph {
  checkOpset(opset)
  const { graph: made, refused } = opset > (graph.opset[''] ?? opset) ? upgrade(graph, opset) : downgrade(graph, opset)
  if (refused.length === 0) return made
  throw new SinterError(
    'not-supported',
    `The model cannot be written in opset ${opset}: ${inWords(refused)}. Ask for a newer one, or leave the opset out.`,
    { opset, nodes: refused },
  )
}

/** Each reason once, with the first nodes that it holds for. */
function inWords(refused: readonly Refusal[]): string {
  const byReason = new Map<string, string[]>()
  for (const { node, why } of refused) byReason.set(why, [...(byReason.get(why) ?? []), node])
  const reasons = Array.from(byReason, ([why, nodes]) => {
    const more = nodes.length > 3 ? ` and ${nodes.length - 3} more` : ''
    return `${nodes.slice(0, 3).join(', ')}${more}: ${why}`
  })
  return [...reasons.slice(0, 5), ...(reasons.length > 5 ? [`and ${reasons.length - 5} more reasons`] : [])].join('; ')
}

/** Opsets that engines in use begin at: a graph goes back to the first of these that can say it. */
const landings = [13, 17, 18, 20]

/**
 * A graph in the oldest opset that can say it, no older than `from`: engines that read the model's own opset may know
 * nothing newer, and those that do may have their fastest kernels for the older forms (onnxruntime 1.30's convolution
 * layout ends at an AveragePool of opset 19).
 */
export function inOldestOpset(graph: Graph, from: number): Graph {
  const current = graph.opset[''] ?? from
  for (const opset of [from, ...landings.filter(one => one > from)]) {
    if (opset >= current) break
    const { graph: made, refused } = downgrade(graph, opset, { all: false })
    if (refused.length === 0) return made
  }
  return graph
}

/** @throws SinterError `invalid-argument` for an opset that there is not. */
export function checkOpset(opset: number): void {
  if (!(Number.isInteger(opset) && opset >= 1 && opset <= newestOpset))
    throw new SinterError('invalid-argument', `Opset ${opset} is not one of 1 to ${newestOpset}, which Sinter knows.`, {
      opset,
    })
}
