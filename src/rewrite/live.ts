import type { Tensor } from '../base/tensor.ts'
import { type Draft, renameReads } from '../graph/edit.ts'
import { type Node, readsOf } from '../graph/graph.ts'
import { constantOf } from '../ops/generate.ts'
import { keyOf } from '../ops/spec.ts'
import type { Surroundings } from './match.ts'

/** What a rule made, not yet in the graph. */
export interface Made {
  readonly nodes: readonly Node[]
  readonly constants: ReadonlyMap<string, Tensor>
  /** What stands in the place of each of the root's outputs: a value made, or one that was there before. */
  readonly results: readonly (string | null)[]
}

export interface Refusal {
  readonly refused: string
  /** Whether the rule went wrong, rather than found that it does not apply. */
  readonly failed?: true
}

interface Placement {
  /** Names that made values, and values that take over an output's name, go by from now on. */
  readonly renames: ReadonlyMap<string, string>
  /** What readers of an output read instead. */
  readonly aliases: ReadonlyMap<string, string>
}

/** A body while rules change it: who makes and who reads each value is known at every moment. */
export interface Live extends Omit<Surroundings, 'attributes'> {
  has(node: Node): boolean
  nodes(): readonly Node[]
  readers(name: string): Iterable<Node>
  /** Puts one node in another's place, both making the same values. */
  swap(old: Node, replacement: Node): void
  /**
   * Puts what was made in a node's place; every name that was read before goes on meaning the same. Returns why that
   * cannot be, or the nodes around that are new, changed, or have a neighbour fewer.
   */
  replace(root: Node, made: Made): { readonly touched: ReadonlySet<Node> } | Refusal
  /** Writes the nodes as they are now into the draft. */
  finish(): void
}

/** A constant that hundreds of nodes read would have all of them looked at again whenever one leaves. */
const fewReaders = 4

export function live(draft: Draft, constantAround: (name: string) => Tensor | undefined): Live {
  /** Each node with its place in the order, which what replaces it inherits. */
  const nodes = new Map<Node, number>()
  const producers = new Map<string, Node>()
  const readers = new Map<string, Set<Node>>()
  const reads = new Map<string, number>()
  const inputs = new Set(draft.inputs.map(value => value.name))
  const outputs = new Set(draft.outputs.map(value => value.name))
  const uses = (name: string) => (reads.get(name) ?? 0) + (outputs.has(name) ? 1 : 0)

  function add(node: Node, place: number) {
    nodes.set(node, place)
    for (const name of node.outputs) if (name !== '') producers.set(name, node)
    for (const name of readsOf(node)) {
      reads.set(name, (reads.get(name) ?? 0) + 1)
      const known = readers.get(name)
      if (known) known.add(node)
      else readers.set(name, new Set([node]))
    }
  }

  function remove(node: Node) {
    nodes.delete(node)
    for (const name of node.outputs) if (producers.get(name) === node) producers.delete(name)
    for (const name of readsOf(node)) {
      reads.set(name, reads.get(name)! - 1)
      readers.get(name)!.delete(node)
    }
  }

  function swap(old: Node, replacement: Node) {
    const place = nodes.get(old)!
    remove(old)
    add(replacement, place)
  }

  /** Removes what nothing reads, going up from the names given. Returns the nodes removed. */
  function sweep(names: Iterable<string>): readonly Node[] {
    const removed: Node[] = []
    const open = [...names]
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const node = producers.get(name)
      if (!node || node.outputs.some(output => uses(output) > 0)) continue
      open.push(...readsOf(node))
      remove(node)
      removed.push(node)
    }
    return removed
  }

  function replace(root: Node, made: Made): ReturnType<Live['replace']> {
    const placed = settleNames(root, made)
    if ('refused' in placed) return placed
    const { renames, aliases } = placed
    const rename = (name: string) => renames.get(name) ?? aliases.get(name) ?? name
    const renamed = (node: Node): Node => ({
      ...renameReads(node, rename),
      outputs: node.outputs.map(name => renames.get(name) ?? name),
    })
    // An existing value that takes over an output's name: its maker and all its readers learn the new one.
    const taken = [...renames.keys()].filter(name => producers.has(name))
    const changed = new Set([...aliases.keys(), ...taken].flatMap(name => [...(readers.get(name) ?? [])]))
    for (const name of taken) changed.add(producers.get(name)!)
    changed.delete(root)

    const place = nodes.get(root)!
    remove(root)
    for (const [name, value] of made.constants) draft.initializers.set(rename(name), value)
    const touched = new Set<Node>()
    for (const node of changed) {
      const after = renamed(node)
      swap(node, after)
      touched.add(after)
    }
    const added = made.nodes.map(renamed)
    for (const node of added) add(node, place)

    const removed = [root, ...sweep(readsOf(root))]
    for (const node of nameAfter(added, removed)) touched.add(node)
    for (const gone of removed) {
      for (const name of readsOf(gone)) {
        // To one of few readers it matters that there is one less: some rules want a value for themselves.
        const left = readers.get(name)
        if (left && left.size <= fewReaders) for (const reader of left) touched.add(reader)
      }
    }
    for (const node of touched) if (!nodes.has(node)) touched.delete(node)
    return { touched }
  }

  /** Under which names the results stand: made values take the outputs' names, readers go over to existing values. */
  function settleNames(root: Node, made: Made): Placement | Refusal {
    const fresh = new Set([...made.constants.keys(), ...made.nodes.flatMap(node => node.outputs)])
    const renames = new Map<string, string>()
    const aliases = new Map<string, string>()
    for (const [i, output] of root.outputs.entries()) {
      const result = made.results[i] ?? null
      if (output === '') continue
      if (result === null) {
        if (uses(output) > 0) return { refused: `its output '${output}' is read, and nothing would stand for it` }
      } else if (fresh.has(result) && !renames.has(result)) {
        renames.set(result, output)
      } else if (result === output) {
        return { refused: 'nothing would change' }
      } else if (outputs.has(output)) {
        const producer = producers.get(result)
        if (!producer || producer === root || outputs.has(result) || renames.has(result)) {
          return { refused: `'${output}' is an output of the graph and must keep its name` }
        }
        renames.set(result, output)
      } else {
        aliases.set(output, result)
      }
    }
    for (const [output, result] of aliases) aliases.set(output, renames.get(result) ?? result)
    return { renames, aliases }
  }

  /** New nodes go by the names of removed ones of the same operator, whose places they take. */
  function nameAfter(added: readonly Node[], removed: readonly Node[]): readonly Node[] {
    const namesakes = new Set(removed.filter(node => node.name !== ''))
    return added.map(node => {
      const namesake = [...namesakes].find(other => keyOf(other) === keyOf(node))
      if (!namesake) return node
      namesakes.delete(namesake)
      const named = { ...node, name: namesake.name }
      swap(node, named)
      return named
    })
  }

  for (const node of draft.nodes()) add(node, nodes.size)
  const original = new Set(nodes.keys())
  return {
    has: node => nodes.has(node),
    nodes: () => [...nodes.keys()],
    producer: name => producers.get(name),
    readers: name => readers.get(name) ?? [],
    uses,
    constant(name) {
      if (inputs.has(name)) return undefined
      const known = draft.initializers.get(name)
      if (known) return known
      const producer = producers.get(name)
      return producer ? constantOf(producer) : constantAround(name)
    },
    swap,
    replace,
    finish() {
      if (nodes.size === original.size && [...original].every(node => nodes.has(node))) return
      for (const node of original) draft.remove(node)
      const inOrder = [...nodes].sort(([, a], [, b]) => a - b)
      draft.add(...inOrder.map(([node]) => node))
    },
  }
}
