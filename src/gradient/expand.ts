import type { Graph } from '../graph/graph.ts'
import { callOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { extend } from '../read/extend.ts'
import { infer, scopeOf } from '../read/infer.ts'

/** The graph with its operators in the form that an engine runs, and runs fastest. Shapes must be fixed. */
export function expand(graph: Graph): Graph {
  const scope = scopeOf(graph, infer(graph))
  const expanded = extend(graph, (op, draft) => {
    const replaced = new Map<string, string>()
    for (const node of graph.nodes) {
      const form = operatorOf(node)?.expand ?? 'same'
      if (form === 'same') continue
      const { attributes } = callOf(node, scope)
      const x = node.inputs.map(name => replaced.get(name) ?? name)
      const outputs = form({ node, attributes, op: op.within(`${node.name || node.op}/`), x })
      if (!outputs) continue
      draft.remove(node)
      node.outputs.forEach((name, i) => {
        if (name === '' || outputs[i] === undefined) return
        replaced.set(name, outputs[i])
        draft.redirect(name, outputs[i], { outputs: true })
      })
    }
  })
  const domains = new Set(expanded.nodes.map(node => node.domain))
  const missing = [...domains].filter(domain => expanded.opset[domain] === undefined)
  if (missing.length === 0) return expanded
  return { ...expanded, opset: { ...expanded.opset, ...Object.fromEntries(missing.map(domain => [domain, 1])) } }
}
