import { namesOf } from '../graph/edit.ts'
import { type Body, bodiesOf, type Graph, type Node } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'

/**
 * Gives tensors and nodes that were made anew the names of those whose places they took: `weight_1`, made when `weight`
 * still stood, becomes `weight` if that has left since; a node without a name goes by the name of the one that made its
 * first output before.
 */
export function restoreNames(graph: Graph, before: Graph): Graph {
  const [old, now] = [namesOf(before), namesOf(graph)]
  const renames = new Map<string, string>()
  const taken = new Set(now)
  for (const name of now) {
    const base = old.has(name) ? undefined : baseOf(name, old)
    if (base === undefined || taken.has(base)) continue
    taken.add(base)
    renames.set(name, base)
  }
  const named = renames.size === 0 ? graph : renameValues(graph, name => renames.get(name) ?? name)
  return nameNodes(named, before)
}

/** The name of the file that a made one derives from: `weight_1_2` from `weight_1`, or else from `weight`. */
function baseOf(name: string, old: ReadonlySet<string>): string | undefined {
  for (let base = name; ; ) {
    const shorter = base.replace(/_\d+$/, '')
    if (shorter === base) return undefined
    if (old.has(shorter)) return shorter
    base = shorter
  }
}

function nameNodes(graph: Graph, before: Graph): Graph {
  const makers = new Map<string, string>()
  visit(before, node => {
    for (const output of node.outputs) if (output !== '' && node.name !== '') makers.set(output, node.name)
  })
  const used = new Set<string>()
  visit(graph, ({ name }) => used.add(name))
  let changed = false
  const nodes = graph.nodes.map(node => {
    const name = node.name === '' ? makers.get(node.outputs.find(output => output !== '') ?? '') : undefined
    if (name === undefined || used.has(name)) return node
    used.add(name)
    changed = true
    return { ...node, name }
  })
  return changed ? { ...graph, nodes } : graph
}

function visit(body: Body, act: (node: Node) => void): void {
  for (const node of body.nodes) {
    act(node)
    for (const inner of bodiesOf(node)) visit(inner, act)
  }
}
