import { isFloat } from '../base/dtype.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { callOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { extend } from '../read/extend.ts'
import { infer, scopeOf } from '../read/infer.ts'

/** A parameter that training changes without a gradient (a running statistic), and the value that holds its next state. */
export interface StatisticUpdate {
  readonly name: string
  readonly next: string
}

/**
 * The graph as training runs it: batch statistics in place of running ones, dropout switched on. Outputs keep their order
 * (their names may change); the statistics' next values stand behind them as further outputs. Layers whose own parameters
 * are all frozen stay as they infer.
 */
export function trainingForm(
  graph: Graph,
  trained: ReadonlySet<string>,
): { graph: Graph; updates: readonly StatisticUpdate[] } {
  const updates: StatisticUpdate[] = []
  const scope = scopeOf(graph, infer(graph))
  // Constants of rank 0, such as a dropout's ratio, are nobody's parameters.
  const isParameter = (name: string) => {
    const value = graph.initializers.get(name)
    return value !== undefined && isFloat(value.dtype) && value.shape.length > 0
  }
  const frozen = (node: Node) => node.inputs.some(isParameter) && !node.inputs.some(name => trained.has(name))
  const changed = extend(graph, (op, draft) => {
    const replaced = new Map<string, string>()
    graph.nodes.forEach((node, seed) => {
      const form = operatorOf(node)?.training ?? 'same'
      if (form === 'same' || frozen(node)) return
      const { attributes, constant } = callOf(node, scope)
      const { outputs, updates: own = [] } = form({
        node,
        attributes,
        constant,
        op: op.within(`${node.name || node.op}/`),
        x: node.inputs.map(name => replaced.get(name) ?? name),
        seed,
      })
      draft.remove(node)
      node.outputs.forEach((name, i) => {
        if (name === '' || outputs[i] === undefined) return
        replaced.set(name, outputs[i])
        draft.redirect(name, outputs[i], { outputs: true })
      })
      for (const { input, value } of own) {
        updates.push({ name: node.inputs[input]!, next: value })
        draft.outputs.push({ name: value, type: op.type(value) })
      }
    })
  })
  return { graph: changed, updates }
}
