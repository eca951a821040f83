import type { Graph, Node } from '../graph/graph.ts'

/** Where onnxruntime's messages name a node: while running, while loading, and for want of a kernel. */
const mentions = [/ Name:'(.*?)' Status Message/s, /Node ?\((.*?)\) /, /node with name '(.*?)'/]

/** The name of the node that a message of the engine is about, if it is about one. */
export function nodeNamed(message: string): string | undefined {
  for (const mention of mentions) {
    const name = mention.exec(message)?.[1]
    if (name) return name
  }
  return undefined
}

/** Our node of a name that the engine uses; what it makes of a node it names after it: `fused conv1`, `conv1_nchwc`. */
export function nodeFinder(graph: Graph): (engineName: string) => Node | undefined {
  const nodes = new Map(graph.nodes.map(node => [node.name, node]))
  return name => nodes.get(name) ?? nodes.get(name.replace(/^fused /, '').replace(/_(nchwc|nhwc)$/, ''))
}
