import { byteLength } from '../../base/dtype.ts'
import { SinterError } from '../../base/errors.ts'
import { elementCount, isFixed, isTensorType } from '../../base/shape.ts'
import { type Tensor, tensorBytes } from '../../base/tensor.ts'
import { attribute } from '../../graph/attributes.ts'
import { dropUnused, node as toNode } from '../../graph/edit.ts'
import { type Body, bodiesOf, type Graph, type Node, readsOf } from '../../graph/graph.ts'
import { constantOf } from '../../ops/generate.ts'
import { withoutDefaults } from '../../read/evaluate.ts'
import { infer, type Types } from '../../read/infer.ts'
import { isRepeatable } from '../../rewrite/share-equal.ts'
import type { Backend } from '../../runtime/backend.ts'
import type { Settings } from '../settings.ts'

/**
 * Folds what an engine can compute before the graph runs: everything that depends on constants alone, in one session over
 * all of it, whose results become initializers under the same names. For what `simplify` leaves: convolutions, resizes and
 * whatever else no record evaluates. What must grow beyond `maxGrowth` bytes stays as it is, and so does what draws random
 * numbers; where the engine refuses a part, that part stays too.
 * @returns The graph itself if nothing can be folded.
 */
export async function foldWithBackend(
  graph: Graph,
  backend: Backend,
  { maxGrowth }: Pick<Settings, 'maxGrowth'>,
): Promise<Graph> {
  const nodes = constantNodes(graph)
  if (nodes.size === 0) return graph
  const wanted = wantedOf(graph, nodes, infer(withoutDefaults(graph)), maxGrowth)
  if (wanted.length === 0) return graph
  const budget = bytesBehind(graph, nodes)
  const values = new Map<string, Tensor>()
  let left = maxGrowth
  await compute(graph, nodes, wanted, backend, (name, value) => {
    const growth = Math.max(0, bytesIn(value) - budget(name))
    if (growth > left) return
    left -= growth
    values.set(name, value)
  })
  return values.size === 0 ? graph : withValues(graph, nodes, values)
}

/**
 * What engines look for: weights that are stored in 8 bits and made floats by a node go into integer kernels together with
 * that node. Folded, they would take four times the room, and be left out of them.
 */
const keptForEngines: ReadonlySet<string> = new Set(['DequantizeLinear'])

/** The nodes that depend on nothing that is fed or drawn. */
function constantNodes(graph: Graph): ReadonlySet<Node> {
  const fed = new Set(graph.inputs.map(({ name }) => name))
  const known = new Set([...graph.initializers.keys()].filter(name => !fed.has(name)))
  const nodes = new Set<Node>()
  for (const node of graph.nodes) {
    if (keptForEngines.has(node.op) || !isRepeatableDeep(node, graph) || !readsOf(node).every(name => known.has(name)))
      continue
    nodes.add(node)
    for (const name of node.outputs) known.add(name)
  }
  return nodes
}

function isRepeatableDeep(node: Node, graph: Graph): boolean {
  const inner = (body: Body): boolean => body.nodes.every(one => isRepeatableDeep(one, graph))
  return isRepeatable(node, graph.opset) && bodiesOf(node).every(inner)
}

/** What the rest of the graph reads of them, tensors that are not known to be too large. */
function wantedOf(graph: Graph, nodes: ReadonlySet<Node>, types: Types, maxGrowth: number): readonly string[] {
  const read = readOutside(graph, nodes)
  const budget = bytesBehind(graph, nodes)
  return [...nodes].flatMap(node => {
    // A Constant that is an output says already what it gives.
    if (constantOf(node)) return []
    return node.outputs.filter(name => {
      const type = types.get(name)
      if (!read.has(name) || !isTensorType(type)) return false
      return !isFixed(type.shape) || byteLength(type.dtype, elementCount(type.shape)) <= budget(name) + maxGrowth
    })
  })
}

/** Bytes of the initializers that a value is made of, as far as nothing else needs them. */
function bytesBehind(graph: Graph, nodes: ReadonlySet<Node>): (name: string) => number {
  const shared = readOutside(graph, nodes)
  const bytes = new Map<string, number>()
  for (const [name, value] of graph.initializers) bytes.set(name, shared.has(name) ? 0 : bytesIn(value))
  for (const node of nodes) {
    const sum = readsOf(node).reduce((total, name) => total + (bytes.get(name) ?? 0), 0)
    for (const name of node.outputs) bytes.set(name, sum)
  }
  return name => bytes.get(name) ?? 0
}

function bytesIn(value: Tensor): number {
  return value.dtype === 'string' ? tensorBytes(value) : byteLength(value.dtype, elementCount(value.shape))
}

/** Runs what makes the values in one session; where the engine refuses, halves of it, until what it refuses stands alone. */
async function compute(
  graph: Graph,
  nodes: ReadonlySet<Node>,
  wanted: readonly string[],
  backend: Backend,
  accept: (name: string, value: Tensor) => void,
): Promise<void> {
  const part: Graph = dropUnused({
    ...graph,
    inputs: [],
    outputs: wanted.map(name => ({ name, type: undefined })),
    nodes: [...nodes],
    types: new Map(),
  })
  try {
    await using session = await backend.open(part)
    const results = await session.run({})
    for (const name of wanted) accept(name, results[name]!)
  } catch (error) {
    if (!(error instanceof SinterError) || error.code === 'runtime-missing') throw error
    if (wanted.length === 1) return
    const middle = wanted.length >> 1
    await compute(graph, nodes, wanted.slice(0, middle), backend, accept)
    await compute(graph, nodes, wanted.slice(middle), backend, accept)
  }
}

function withValues(graph: Graph, nodes: ReadonlySet<Node>, values: ReadonlyMap<string, Tensor>): Graph {
  const given = new Set(graph.outputs.map(({ name }) => name))
  const read = readOutside(graph, nodes)
  const initializers = new Map(graph.initializers)
  const left = graph.nodes.flatMap(node => {
    const made = node.outputs.filter(name => values.has(name))
    // A node goes as a whole: where one of its outputs stays, it stays.
    if (made.length === 0 || node.outputs.some(name => read.has(name) && !values.has(name))) return [node]
    return made.flatMap(name => {
      const value = values.get(name)!
      if (!given.has(name)) initializers.set(name, value)
      const attributes = { value: attribute.tensor(value) }
      return given.has(name) ? [toNode({ op: 'Constant', inputs: [], outputs: [name], attributes })] : []
    })
  })
  return dropUnused({ ...graph, nodes: left, initializers })
}

/** What is read of the graph beside some of its nodes, and what it puts out. */
function readOutside(graph: Graph, nodes: ReadonlySet<Node>): ReadonlySet<string> {
  const read = new Set(graph.outputs.map(({ name }) => name))
  for (const node of graph.nodes) if (!nodes.has(node)) for (const name of readsOf(node)) read.add(name)
  return read
}
