import { namesOf } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'
import { withClassifierHead } from '../nn/with-classifier-head.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { randomFeeds } from '../verify/random-feeds.ts'
import { scoreKindOf } from './classify.ts'
import { scoresOutput } from './model.ts'

/**
 * Any classifier as one whose scores are the output `probabilities`: logits are put through a softmax, probabilities of
 * another name renamed. What scores of another name are is told by what they are for random inputs.
 * @throws SinterError as `scoresOutput` does.
 */
export async function asClassifier(graph: Graph, wanted?: string): Promise<Graph> {
  const output = scoresOutput(graph, wanted)
  if (output === 'probabilities') return graph
  const alone = withoutNames({ ...graph, outputs: graph.outputs.filter(({ name }) => name === output) }, [
    'probabilities',
    'label',
  ])
  const score = alone.outputs[0]!.name
  if (output === 'logits' || !(await givesProbabilities(alone, score)))
    return withClassifierHead(alone, { logits: score })
  return renameValues(alone, name => (name === score ? 'probabilities' : name))
}

async function givesProbabilities(graph: Graph, output: string): Promise<boolean> {
  await using session = await onnxruntimeNode.open(graph)
  const results = await session.run(randomFeeds(session), [output])
  return scoreKindOf(results[output]!) === 'probabilities'
}

/** The graph with other names for the values of these names. */
function withoutNames(graph: Graph, names: readonly string[]): Graph {
  const used = namesOf(graph)
  const renamed = new Map<string, string>()
  for (const name of names) {
    if (!used.has(name)) continue
    let other = `${name}/inner`
    while (used.has(other)) other += '_'
    used.add(other)
    renamed.set(name, other)
  }
  return renamed.size === 0 ? graph : renameValues(graph, name => renamed.get(name) ?? name)
}
