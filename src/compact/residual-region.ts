import type { Graph, Node } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import type { Dominators } from './dominators.ts'

/** What lies between a value and a sum that it reaches in more than one way. */
export interface Region {
  /** The value that the branches leave. */
  readonly input: string
  /** The nodes of the branches, and the sum. */
  readonly nodes: ReadonlySet<Node>
}

/** Operators that join branches. */
const sums: ReadonlySet<string> = new Set(['Add', 'Sum'])

/**
 * The branches that end in a sum: from one operand to the other if that is reached from it (an identity shortcut; what
 * else the branch reads, as a mask or a condition, may come from anywhere), else from the one value that all operands
 * come of. undefined if there is none, or if something inside is read from outside.
 */
export function residualRegion(graph: Graph, sum: Node, tree: Dominators): Region | undefined {
  if (!sums.has(sum.op) || sum.domain !== '' || tree.dataInputs(sum).length < 2) return undefined
  const region = shortcutRegion(graph, sum, tree) ?? commonRegion(graph, sum, tree)
  return region && isClosed(graph, sum, region) ? region : undefined
}

/** The paths from one operand to the others. */
function shortcutRegion(graph: Graph, sum: Node, { dataInputs, order }: Dominators): Region | undefined {
  const { producer } = view(graph)
  for (const input of dataInputs(sum)) {
    const start = producer(input)
    const first = start ? order(start) : -1
    // Back from the sum as far as what stands behind the operand's maker, then forward again along what depends on it.
    const behind = ancestors(graph, sum, dataInputs, maker => order(maker) > first)
    const reached = new Set([input])
    const nodes = new Set<Node>()
    for (const node of [...behind].sort((a, b) => order(a) - order(b))) {
      if (node === sum || !dataInputs(node).some(name => reached.has(name))) continue
      nodes.add(node)
      for (const name of node.outputs) reached.add(name)
    }
    if (nodes.size > 0 && dataInputs(sum).every(name => reached.has(name))) return { input, nodes: nodes.add(sum) }
  }
  return undefined
}

/** All that lies between a sum and the nearest node that all its data comes through. */
function commonRegion(graph: Graph, sum: Node, { above, dataInputs }: Dominators): Region | undefined {
  const { producer } = view(graph)
  const entry = above(sum)
  const nodes = ancestors(graph, sum, dataInputs, maker => maker !== entry)
  const inputs = new Set([...nodes].flatMap(dataInputs).filter(name => !nodes.has(producer(name)!)))
  // Branches that come of several values, or of different outputs of a node, have no one value to fall back on.
  const [input] = inputs
  return inputs.size === 1 ? { input: input!, nodes } : undefined
}

/** A node and those that its data comes through, as far back as `within` says. */
function ancestors(
  graph: Graph,
  node: Node,
  dataInputs: Dominators['dataInputs'],
  within: (maker: Node) => boolean,
): Set<Node> {
  const { producer } = view(graph)
  const found = new Set([node])
  for (const one of found) {
    for (const name of dataInputs(one)) {
      const maker = producer(name)
      if (maker && within(maker)) found.add(maker)
    }
  }
  return found
}

/** Whether nothing of a region but its sum is read from outside. */
function isClosed(graph: Graph, sum: Node, { nodes }: Region): boolean {
  const { consumers, isOutput } = view(graph)
  const isPrivate = (name: string) => !isOutput(name) && consumers(name).every(reader => nodes.has(reader))
  return [...nodes].every(node => node === sum || node.outputs.every(isPrivate))
}
