import type { Graph } from '../graph/graph.ts'
import { withClassifierHead } from '../nn/with-classifier-head.ts'

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
