import { SinterError } from '../base/errors.ts'
import { dropUnused } from '../graph/edit.ts'
import { bodiesOf, describe, type Graph, type Node, readsOf } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { constantOf } from '../ops/generate.ts'
import { operatorOf } from '../ops/index.ts'
import { isNo } from '../ops/operator.ts'
import { infer } from '../read/infer.ts'
import { between, valueNamed } from './extract.ts'
import { valuesNamed } from './names.ts'

/** A model in two: what `before` gives, `after` takes. */
export interface Cut {
  /** The values that it was cut at. */
  readonly at: readonly string[]
  readonly before: Graph
  readonly after: Graph
}

/**
 * A graph in two parts at some of its values: the first makes them, the second starts from them. Outputs that are made on
 * the way stay with the first part, the others go with the second, which may also read the graph's own inputs. What both
 * compute from constants alone stands in both.
 * @param names of the values, or of the nodes that make them.
 * @throws SinterError as `valuesNamed` does for names; `invalid-argument` for values that nothing makes or
 *   nothing reads, and where other values too lead from one part into the other: they are named.
 */
export function cut(graph: Graph, names: readonly string[]): Cut {
  const at = valuesNamed(graph, names, 'value to cut at')
  const { producer, consumers } = view(graph)
  for (const name of at) {
    if (!producer(name))
      throw new SinterError('invalid-argument', `'${name}' is made by no node: there is nothing before it.`, { name })
    if (consumers(name).length === 0)
      throw new SinterError('invalid-argument', `Nothing reads '${name}': there is nothing after it.`, { name })
  }
  const { nodes: first } = between(graph, new Set(graph.inputs.map(({ name }) => name)), at)
  const shared = constantNodes(graph)
  const second = graph.nodes.filter(node => !first.has(node) || shared.has(node))
  refuseCrossing(graph, at, first, second, shared)
  const types = infer(graph)
  const value = (name: string) => valueNamed(graph, name, types)
  const madeFirst = new Set([...first].flatMap(node => node.outputs))
  const isFirst = ({ name }: { readonly name: string }) => madeFirst.has(name) && !at.includes(name)
  const inputsOf = (nodes: Iterable<Node>) => {
    const read = new Set([...nodes].flatMap(readsOf))
    return graph.inputs.filter(({ name }) => read.has(name))
  }
  const before: Graph = {
    ...graph,
    inputs: inputsOf(first),
    outputs: [...at.map(value), ...graph.outputs.filter(isFirst)],
    nodes: graph.nodes.filter(node => first.has(node)),
  }
  const after: Graph = {
    ...graph,
    inputs: [...at.map(value), ...inputsOf(second)],
    outputs: graph.outputs.filter(one => !madeFirst.has(one.name)),
    nodes: second,
    types: new Map([...graph.types].filter(([name]) => !at.includes(name))),
  }
  if (after.outputs.length === 0)
    throw new SinterError(
      'invalid-argument',
      'No output of the graph is after the cut; name values nearer to its inputs.',
    )
  return { at, before: dropUnused(before), after: dropUnused(after) }
}

/** Nodes that compute the same from constants wherever they stand. */
function constantNodes(graph: Graph): ReadonlySet<Node> {
  const constants = new Set<string>(graph.initializers.keys())
  for (const { name } of graph.inputs) constants.delete(name)
  const found = new Set<Node>()
  for (const node of graph.nodes) {
    const rule = operatorOf(node)?.evaluate
    // An operator that can be evaluated is no random one.
    const computes = rule && !isNo(rule) && bodiesOf(node).length === 0 && node.inputs.length > 0
    const fixed = constantOf(node) || (computes && node.inputs.every(name => name === '' || constants.has(name)))
    if (!fixed) continue
    found.add(node)
    for (const name of node.outputs) constants.add(name)
  }
  return found
}

function refuseCrossing(
  graph: Graph,
  at: readonly string[],
  first: ReadonlySet<Node>,
  second: readonly Node[],
  shared: ReadonlySet<Node>,
): void {
  const { producer } = view(graph)
  const named = new Set(at)
  const crossing = new Map<string, string>()
  for (const node of second) {
    for (const name of readsOf(node)) {
      const maker = producer(name)
      if (maker && first.has(maker) && !shared.has(maker) && !named.has(name)) crossing.set(name, describe(maker))
    }
  }
  if (crossing.size === 0) return
  const shown = [...crossing].slice(0, 5).map(([name, maker]) => `'${name}' (made by ${maker})`)
  const more = crossing.size > shown.length ? ` and ${crossing.size - shown.length} more` : ''
  throw new SinterError(
    'invalid-argument',
    `The second part also reads ${shown.join(', ')}${more} of the first. Cut there too, or at values that all paths go through.`,
    { crossing: [...crossing.keys()] },
  )
}
