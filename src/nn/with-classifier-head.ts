import { SinterError } from '../base/errors.ts'
import { type Graph, only } from '../graph/graph.ts'
import { extend } from '../read/extend.ts'
import { nameOutputs } from './name-outputs.ts'

export interface ClassifierHeadOptions {
  /** The output that holds the logits, [N, C]; may be left out where there is only one. It is no output any more. */
  readonly logits?: string
}

/**
 * Ends a classifier for use: `probabilities` float32 [N, C] is the softmax of its logits, and `label` int64 [N] the most
 * probable class, the first of several.
 * @throws SinterError `not-found` if there is no such output, `invalid-argument` if a value has one of the new names.
 */
export function withClassifierHead(graph: Graph, options: ClassifierHeadOptions = {}): Graph {
  const { logits = only(graph.outputs, 'output').name } = options
  if (!graph.outputs.some(({ name }) => name === logits))
    throw new SinterError('not-found', `The graph has no output '${logits}'.`, { output: logits })
  return extend(graph, (ops, draft) => {
    const op = ops.within('head/')
    draft.outputs.splice(
      draft.outputs.findIndex(({ name }) => name === logits),
      1,
    )
    const probabilities = op.Softmax([logits], { axis: -1 })
    const label = op.ArgMax([probabilities], { axis: -1, keepdims: 0 })
    nameOutputs(draft, op, { probabilities, label })
  })
}
