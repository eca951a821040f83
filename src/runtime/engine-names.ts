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

/** Where in the engine's sources a message comes from: a file with a line, and the function's signature. */
const origin = /\S+\.(?:cc|cpp|cu|h|hpp):\d+ (?:[^()]*\([^()]*\))+(?: const)?(?: \[with [^\]]*\])? ?/g

/** Beyond so many characters only the ends of a message are told. */
const longest = 300

/** What a message of the engine says to those who do not read its sources: without places in these, and without padding. */
export function reasonIn(message: string): string {
  const text = message
    .replace(/^.*Status Message: /s, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(origin, '')
    .trim()
    .replace(/[\s.]+$/, '')
  if (text.length <= longest) return text
  const sentences = text.split(/(?<=\.) (?=[A-Z])/)
  const [first = '', last = ''] = [sentences[0], sentences.at(-1)]
  return sentences.length > 2 && first.length + last.length < text.length ? `${first} ... ${last}` : text
}
