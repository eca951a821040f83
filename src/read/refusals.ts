import { isFloat } from '../base/dtype.ts'
import { isTensorType } from '../base/shape.ts'
import { type Body, bodiesOf, type Graph, type Node } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import type { Scope } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { int8Form } from '../ops/int8-forms.ts'
import { isNo } from '../ops/operator.ts'
import { keyOf } from '../ops/spec.ts'
import { bodyScopes } from './body-scopes.ts'
import { infer, scopeOf } from './infer.ts'

/** What cannot be done with the nodes of one operator. */
export interface OperatorRefusal {
  readonly operator: string
  readonly nodes: number
  /** Training through it, pruning its channels, running it in 8 bits, counting what it costs. */
  readonly column: RefusalColumn
  readonly why: string
}

export const refusalColumns = ['gradient', 'coupling', 'quantization', 'cost'] as const
export type RefusalColumn = (typeof refusalColumns)[number]

const unknownOperator = 'an operator that Sinter has no record of'

/**
 * What cannot be differentiated, pruned, quantized or counted in a graph and the bodies inside of it, by operator. Only
 * nodes in whose way that would be: a gradient goes through nodes that floats go into, and out of which floats or the
 * graph's outputs come; shapes and constants are nobody's obstacle.
 * @param uncounted nodes whose multiply-accumulates are not known.
 */
export function refusalsOf(graph: Graph, uncounted: readonly Node[] = []): readonly OperatorRefusal[] {
  const found = new Map<string, { operator: string; column: RefusalColumn; why: string; nodes: number }>()
  const refuse = (node: Node, column: RefusalColumn, why: string) => {
    const operator = keyOf(node)
    const key = JSON.stringify([operator, column, why])
    const entry = found.get(key) ?? { operator, column, why, nodes: 0 }
    entry.nodes++
    found.set(key, entry)
  }
  const visit = (body: Body, scope: Scope) => {
    const { isOutput } = view(body)
    for (const node of body.nodes) {
      if (isConstant(node, scope)) continue
      const [reads, makes] = [hasFloats(node.inputs, scope, true), hasFloats(node.outputs, scope, false)]
      const record = operatorOf(node)
      const answers = record ?? { gradient: { no: unknownOperator }, coupling: { no: unknownOperator } }
      if (reads && (makes || node.outputs.some(isOutput)) && isNo(answers.gradient))
        refuse(node, 'gradient', answers.gradient.no)
      if (makes && isNo(answers.coupling)) refuse(node, 'coupling', answers.coupling.no)
      const inner = bodiesOf(node)
      if (reads && makes && inner.length === 0 && int8Form(node) === undefined)
        refuse(node, 'quantization', 'no 8-bit kernel for CPUs in onnxruntime; stays in floating point')
      if (inner.length > 0) for (const [one, within] of bodyScopes(graph, node, scope)) visit(one, within)
    }
  }
  visit(graph, scopeOf(graph, infer(graph)))
  for (const node of uncounted)
    refuse(node, 'cost', operatorOf(node) ? 'it depends on a size that is not known' : unknownOperator)
  const order = (column: RefusalColumn) => refusalColumns.indexOf(column)
  return [...found.values()].sort((a, b) => order(a.column) - order(b.column) || b.nodes - a.nodes)
}

/** Whether all that a node reads is fixed. */
function isConstant(node: Node, scope: Scope): boolean {
  return bodiesOf(node).length === 0 && node.inputs.every(name => name === '' || scope.constant(name) !== undefined)
}

/** Whether some of the values may be floats: a type that is not known may be. */
function hasFloats(names: readonly string[], scope: Scope, constants: boolean): boolean {
  return names.some(name => {
    if (name === '' || (constants && scope.constant(name) !== undefined)) return false
    const type = scope.type(name)
    return !isTensorType(type) || isFloat(type.dtype)
  })
}
