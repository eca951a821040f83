import { type Shape, shapeOf, type ValueType } from '../base/shape.ts'
import { type Body, bodiesOf, type Graph, type Node, requiredInputs, type Value } from '../graph/graph.ts'
import { constantOf } from '../ops/generate.ts'
import { keyOf } from '../ops/spec.ts'
import { type CostOptions, cost } from './cost.ts'
import { infer } from './infer.ts'
import { operatorTable } from './table.ts'

/** One node of the graph, as a line of a table. */
export interface Layer {
  /** The node's name, or its first output's where it has none. */
  readonly name: string
  readonly operator: string
  /** Of its first output; undefined where not even the rank is known. */
  readonly shape: Shape | undefined
  readonly parameters: number
  readonly macs: number
}

/** What cannot be done with the nodes of one operator. */
export interface OperatorRefusal {
  readonly operator: string
  readonly nodes: number
  readonly column: 'gradient' | 'coupling' | 'cost'
  readonly why: string
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
  /** The most that values in between take at one time; NaN where a size is open. */
  readonly peakActivationBytes: number
  /** Nodes that compute something: those in bodies included, those that only hold a constant not. */
  readonly nodes: number
  /** How many nodes each operator has, the most frequent first. */
  readonly operators: ReadonlyMap<string, number>
  readonly layers: readonly Layer[]
  readonly refusals: readonly OperatorRefusal[]
  /** Nodes whose multiply-accumulates are not known and so not in `macs`. */
  readonly uncounted: number
}

/**
 * What a graph is made of, costs, and what cannot be done with it.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function summarize(graph: Graph, options: CostOptions = {}): Summary {
  const costs = cost(graph, options)
  const types = infer(graph)
  const operators = countOperators(graph)
  return {
    name: graph.name,
    opset: graph.opset,
    inputs: requiredInputs(graph),
    outputs: graph.outputs.map(value => ({ ...value, type: types.get(value.name) ?? value.type })),
    parameters: costs.parameters,
    macs: costs.macs,
    parameterBytes: costs.parameterBytes,
    peakActivationBytes: costs.peakActivationBytes,
    nodes: countNodes(graph),
    operators,
    layers: costs.nodes.map(({ node, parameters, macs }) => layerOf(node, types, parameters, macs)),
    refusals: refusalsOf(operators, new Set(costs.uncounted.map(keyOf))),
    uncounted: costs.uncounted.length,
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

function layerOf(node: Node, types: ReadonlyMap<string, ValueType>, parameters: number, macs: number): Layer {
  const output = node.outputs.find(name => name !== '') ?? ''
  return {
    name: node.name === '' ? output : node.name,
    operator: keyOf(node),
    shape: shapeOf(types.get(output)),
    parameters,
    macs,
  }
}

/** By operator, what its record refuses; its cost only where that left a node uncounted. */
function refusalsOf(
  operators: ReadonlyMap<string, number>,
  uncounted: ReadonlySet<string>,
): readonly OperatorRefusal[] {
  const rows = new Map(operatorTable().map(row => [row.operator, row.columns]))
  return [...operators].flatMap(([operator, nodes]) => {
    const why = (column: OperatorRefusal['column']) => {
      const answer = rows.get(operator)?.[column] ?? { yes: false, why: 'an operator that Sinter has no record of' }
      return answer.yes ? undefined : answer.why
    }
    const cost = uncounted.has(operator) ? (why('cost') ?? 'it depends on a size that is not known') : undefined
    const reasons = { gradient: why('gradient'), coupling: why('coupling'), cost }
    return Object.entries(reasons).flatMap(([column, reason]) =>
      reason === undefined ? [] : [{ operator, nodes, column: column as OperatorRefusal['column'], why: reason }],
    )
  })
}
