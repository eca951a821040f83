import { edit } from '../../graph/edit.ts'
import { constantOf } from '../../ops/generate.ts'
import { pass } from '../../rewrite/pass.ts'

/**
 * Makes initializers of what Constant nodes hold, under the same names: some exporters write all weights that way. What is
 * a node cannot be trained, and not every engine prepacks it. Sparse constants stay, and so do those that the graph gives
 * back.
 */
export const liftConstants = pass('lift-constants', graph =>
  edit(
    graph,
    draft => {
      const given = new Set(graph.outputs.map(({ name }) => name))
      for (const node of graph.nodes) {
        const value = constantOf(node)
        const [name] = node.outputs
        if (!value || !name || given.has(name)) continue
        draft.remove(node)
        draft.initializers.set(name, value)
      }
    },
    { keepUnused: true },
  ),
)
