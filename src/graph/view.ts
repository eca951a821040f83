import { SinterError } from '../base/errors.ts'
import { type Body, type Node, readsOf } from './graph.ts'

/** Look-ups over a body, computed once and shared: a body never changes. */
export interface View {
  /** The node that makes a value; undefined for inputs, initializers and captured names. */
  producer(name: string): Node | undefined
  /** The nodes that read a value, in order; a node that reads it twice stands once. */
  consumers(name: string): readonly Node[]
  isInput(name: string): boolean
  isOutput(name: string): boolean
  /** Whether a node makes it, or it is an input or an initializer. */
  defines(name: string): boolean
}

const views = new WeakMap<Body, View>()

export function view(body: Body): View {
  const known = views.get(body)
  if (known) return known
  const producers = new Map<string, Node>()
  for (const node of body.nodes) for (const name of node.outputs) if (name !== '') producers.set(name, node)
  let consumers: ReadonlyMap<string, readonly Node[]> | undefined
  const inputs = new Set(body.inputs.map(value => value.name))
  const outputs = new Set(body.outputs.map(value => value.name))
  const made: View = {
    producer: name => producers.get(name),
    consumers(name) {
      consumers ??= readersIn(body)
      return consumers.get(name) ?? []
    },
    isInput: name => inputs.has(name),
    isOutput: name => outputs.has(name),
    defines: name =>
      producers.has(name) ||
      inputs.has(name) ||
      body.initializers.has(name) ||
      (body.sparseInitializers?.has(name) ?? false),
  }
  views.set(body, made)
  return made
}

/** Many that look a body over ask for makers alone: who reads is found when that is asked for. */
function readersIn(body: Body): ReadonlyMap<string, readonly Node[]> {
  const consumers = new Map<string, Node[]>()
  for (const node of body.nodes) {
    for (const name of readsOf(node)) {
      const readers = consumers.get(name)
      if (!readers) consumers.set(name, [node])
      else if (readers.at(-1) !== node) readers.push(node)
    }
  }
  return consumers
}

/**
 * The nodes in an order in which every value is made before it is read; the order given is kept where it already is.
 * @throws SinterError `invalid-graph` if there is a cycle.
 */
export function sortNodes(nodes: readonly Node[]): readonly Node[] {
  const producers = new Map<string, Node>()
  for (const node of nodes) for (const name of node.outputs) if (name !== '') producers.set(name, node)
  const state = new Map<Node, 'open' | 'done'>()
  const sorted: Node[] = []
  for (const root of nodes) {
    // Depth first with an explicit stack: models are deeper than the call stack.
    const stack: { node: Node; reads: readonly string[]; next: number }[] = []
    const open = (node: Node) => {
      state.set(node, 'open')
      stack.push({ node, reads: readsOf(node), next: 0 })
    }
    if (!state.has(root)) open(root)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const name = top.reads[top.next++]
      if (name === undefined) {
        stack.pop()
        state.set(top.node, 'done')
        sorted.push(top.node)
        continue
      }
      const producer = producers.get(name)
      if (!producer || state.get(producer) === 'done') continue
      if (state.get(producer) === 'open')
        throw new SinterError('invalid-graph', `The graph has a cycle through the value '${name}'.`, { value: name })
      open(producer)
    }
  }
  return sorted
}

/** Names that the outputs depend on, going back from them (nodes' outputs, initializers and inputs). */
export function reachable(body: Body, from: readonly string[]): ReadonlySet<string> {
  const { producer } = view(body)
  const seen = new Set<string>(from)
  const open = [...from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = producer(name)
    if (!node) continue
    for (const read of readsOf(node)) {
      if (!seen.has(read)) {
        seen.add(read)
        open.push(read)
      }
    }
  }
  return seen
}
