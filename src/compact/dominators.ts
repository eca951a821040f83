import { type Graph, type Node, readsOf } from '../graph/graph.ts'
import { view } from '../graph/view.ts'

/** Which nodes every path from the graph's inputs to a node leads through. Parameters are not on the paths. */
export interface Dominators {
  /** The nearest node that all of a node's data comes through; undefined where that is the graph's inputs. */
  above(node: Node): Node | undefined
  /** A node's inputs that depend on the graph's inputs. */
  dataInputs(node: Node): readonly string[]
  /** A node's place in the graph. */
  order(node: Node): number
}

/**
 * Immediate dominators of a graph's nodes: one walk in order is enough, for a graph has no cycles (Cooper, Harvey and
 * Kennedy, "A Simple, Fast Dominance Algorithm", 2001).
 */
export function dominators(graph: Graph): Dominators {
  const { producer, isInput } = view(graph)
  const above = new Map<Node, Node | undefined>()
  const depth = new Map<Node, number>()
  const inputs = new Map<Node, readonly string[]>()
  const places = new Map(graph.nodes.map((node, i) => [node, i]))
  const isData = (name: string) => {
    const maker = producer(name)
    return maker ? depth.has(maker) : isInput(name) && !graph.initializers.has(name)
  }
  for (const node of graph.nodes) {
    const reads = readsOf(node).filter(isData)
    // What depends on no input is a parameter, however many nodes compute it.
    if (reads.length === 0) continue
    inputs.set(node, reads)
    let nearest: Node | undefined = producer(reads[0]!)
    for (const name of reads.slice(1)) nearest = meet(nearest, producer(name))
    above.set(node, nearest)
    depth.set(node, nearest ? depth.get(nearest)! + 1 : 0)
  }

  function meet(a: Node | undefined, b: Node | undefined): Node | undefined {
    while (a !== b) {
      if (!a || !b) return undefined
      if (depth.get(a)! >= depth.get(b)!) a = above.get(a)
      else b = above.get(b)
    }
    return a
  }

  return {
    above: node => above.get(node),
    dataInputs: node => inputs.get(node) ?? [],
    order: node => places.get(node)!,
  }
}
