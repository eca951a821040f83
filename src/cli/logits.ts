import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { formatType, isTensorType } from '../base/shape.ts'
import { dropUnused } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { infer } from '../read/infer.ts'
import { scoresOutput } from './model.ts'

/**
 * The value to put a cross entropy on: the output named, `logits`, or the scores; where a softmax makes that output of
 * something, it is that something.
 * @throws SinterError as `scoresOutput` does, and `invalid-argument` where that output is no matrix of scores.
 */
export function logitsOf(graph: Graph, wanted?: string): string {
  const named = wanted ?? graph.outputs.find(({ name }) => name === 'logits')?.name
  const output = scoresOutput(graph, named)
  const type = infer(graph).get(output)
  if (isTensorType(type) && !(isFloat(type.dtype) && (type.shape?.length ?? 2) === 2))
    throw new SinterError(
      'invalid-argument',
      `The output '${output}' is ${formatType(type)}; training needs the scores of the classes, a float matrix [rows, classes]: name it with --output.`,
      { output, type },
    )
  const node = view(graph).producer(output)
  return node?.op === 'Softmax' && node.domain === '' ? node.inputs[0]! : output
}

/** The part of a graph that makes some logits, as its one output. */
export function onlyLogits(graph: Graph, logits: string): Graph {
  return dropUnused({ ...graph, outputs: [{ name: logits, type: infer(graph).get(logits) }] })
}
