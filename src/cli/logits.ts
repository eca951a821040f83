import { dropUnused } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { infer } from '../read/infer.ts'
import { scoresOutput } from './model.ts'

/**
 * The value to put a cross entropy on: the output named, `logits`, or the scores; where a softmax makes that output of
 * something, it is that something.
 * @throws SinterError as `scoresOutput` does.
 */
export function logitsOf(graph: Graph, wanted?: string): string {
  const named = wanted ?? graph.outputs.find(({ name }) => name === 'logits')?.name
  const output = scoresOutput(graph, named)
  const node = view(graph).producer(output)
  return node?.op === 'Softmax' && node.domain === '' ? node.inputs[0]! : output
}

/** The part of a graph that makes some logits, as its one output. */
export function onlyLogits(graph: Graph, logits: string): Graph {
  return dropUnused({ ...graph, outputs: [{ name: logits, type: infer(graph).get(logits) }] })
}
