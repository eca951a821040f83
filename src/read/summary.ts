import { type Shape, shapeOf, type ValueType } from '../base/shape.ts'
import { type Body, bodiesOf, type Graph, type Node, requiredInputs, type Value } from '../graph/graph.ts'
import { constantOf } from '../ops/generate.ts'
import { keyOf } from '../ops/spec.ts'
import { type CostOptions, cost, type NodeCost } from './cost.ts'
import { infer } from './infer.ts'
import { type OperatorRefusal, refusalsOf } from './refusals.ts'
import { type Storage, storageOf } from './storage.ts'

/** One node of the graph, as a line of a table. */
export interface Layer {
  /** The node's name, or its first output's where it has none. */
  readonly name: string
  readonly operator: string
  /** Of its first output; undefined where not even the rank is known. */
  readonly shape: Shape | undefined
  /** Elements of the parameters that it reads, and what it takes, its bodies included; see `cost`. */
  readonly parameters: number
  readonly macs: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** Bytes in the file of the tensors that it is the first to read. */
  readonly storedBytes: number
}

/** A graph at a glance. */
export interface Summary {
  readonly name: string
  readonly opset: Readonly<Record<string, number>>
  /** What a caller must feed. */
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Elements of the parameters. */
  readonly parameters: number
  /** Multiply-accumulates of one run, symbols bound. */
  readonly macs: number
  readonly parameterBytes: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** The most that values in between take at one time, and the layer at which they do. */
  readonly peakActivationBytes: number
  readonly peakLayer: string | undefined
  /** Nodes that compute something: those in bodies included, those that only hold a constant not. */
  readonly nodes: number
  /** How many nodes each operator has, the most frequent first. */
  readonly operators: ReadonlyMap<string, number>
  readonly layers: readonly Layer[]
  readonly refusals: readonly OperatorRefusal[]
  /** Nodes whose multiply-accumulates are not known and so not in `macs`. */
  readonly uncounted: number
  /** Nodes that run their bodies a number of times that is not known: once is counted. */
  readonly countedOnce: number
  /** Values whose size is not known: their bytes are in nothing above. */
  readonly unsized: number
  /** Sizes that were taken for the symbols of the inputs; symbols that 1 is too small for, and those that stay open. */
  readonly sizes: Readonly<Record<string, number>>
  readonly fitted: readonly string[]
  readonly open: readonly string[]
  readonly storage: Storage
}

/**
 * What a graph is made of, costs, and what cannot be done with it.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function summarize(graph: Graph, options: CostOptions = {}): Summary {
  const costs = cost(graph, options)
  const types = infer(graph)
  const storage = storageOf(graph)
  return {
    name: graph.name,
    opset: graph.opset,
    inputs: requiredInputs(graph),
    outputs: graph.outputs.map(value => ({ ...value, type: types.get(value.name) ?? value.type })),
    parameters: costs.parameters,
    macs: costs.macs,
    parameterBytes: costs.parameterBytes,
    bytesRead: costs.bytesRead,
    bytesWritten: costs.bytesWritten,
    peakActivationBytes: costs.peakActivationBytes,
    peakLayer: costs.peakNode && layerName(costs.peakNode),
    nodes: countNodes(graph),
    operators: countOperators(graph),
    layers: costs.nodes.map(of => layerOf(of, types, storage)),
    refusals: refusalsOf(graph, costs.uncounted),
    uncounted: costs.uncounted.length,
    countedOnce: costs.countedOnce.length,
    unsized: costs.unsized,
    sizes: costs.sizes,
    fitted: costs.fitted,
    open: costs.open,
    storage,
  }
}

/** Nodes that compute something: those in the bodies of If, Loop and Scan too, those that only hold a constant not. */
export function countNodes(body: Body): number {
  const ownOf = (node: Node) => (node.inputs.length === 0 && constantOf(node) ? 0 : 1)
  return body.nodes.reduce(
    (sum, node) => sum + ownOf(node) + bodiesOf(node).reduce((inner, one) => inner + countNodes(one), 0),
    0,
  )
}

/** Nodes by operator, the most frequent first; those in the bodies of If, Loop and Scan too. */
export function countOperators(graph: Body): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const visit = (body: Body) => {
    for (const node of body.nodes) {
      counts.set(keyOf(node), (counts.get(keyOf(node)) ?? 0) + 1)
      for (const inner of bodiesOf(node)) visit(inner)
    }
  }
  visit(graph)
  return new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)))
}

/** What a node is called: its name, or its first output's where it has none. */
export function layerName({ name, outputs }: Node): string {
  return name === '' ? (outputs.find(output => output !== '') ?? '') : name
}

function layerOf(costs: NodeCost, types: ReadonlyMap<string, ValueType>, storage: Storage): Layer {
  const { node, parameters, macs, bytesRead, bytesWritten } = costs
  return {
    name: layerName(node),
    operator: keyOf(node),
    shape: shapeOf(types.get(node.outputs.find(name => name !== '') ?? '')),
    parameters,
    macs,
    bytesRead,
    bytesWritten,
    storedBytes: storage.byNode.get(node) ?? 0,
  }
}
