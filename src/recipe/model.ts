import { SinterError } from '../base/errors.ts'
import { dropUnused } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { withClassifierHead } from '../nn/with-classifier-head.ts'
import { infer } from '../read/infer.ts'

/** What every file that a run writes says of itself. */
export interface Provenance {
  readonly classes: readonly string[]
  readonly recipeHash: string
  readonly version: string
}

/** The output that training works on. */
export const logits = 'logits'

/** Metadata of a file to ship. */
export function describeModel(graph: Graph, name: string, { classes, recipeHash, version }: Provenance): Graph {
  const metadata = {
    ...graph.metadata,
    classes: JSON.stringify(classes),
    'sinter.recipe': recipeHash,
    'sinter.version': version,
  }
  return { ...graph, name, metadata, producer: { name: 'sinter', version } }
}

/** A model as it is shipped: `probabilities` and `label` in place of the logits, and metadata. */
export function toShip(graph: Graph, name: string, provenance: Provenance): Graph {
  return describeModel(withClassifierHead(graph, { logits }), name, provenance)
}

/**
 * A shipped model as it is trained on: the logits as its one output.
 * @throws SinterError `not-supported` if it has no value of that name.
 */
export function toTrain(graph: Graph): Graph {
  if (graph.outputs.some(({ name }) => name === logits) && graph.outputs.length === 1) return graph
  const type = infer(graph).get(logits)
  if (!type) throw new SinterError('not-supported', `'${graph.name}' has no value '${logits}' to train on.`)
  return dropUnused({ ...graph, outputs: [{ name: logits, type }] })
}
