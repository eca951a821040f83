import { edit } from '../../graph/edit.ts'
import { requiredInputs } from '../../graph/graph.ts'
import { pass } from '../../rewrite/pass.ts'

/**
 * Takes initializers off the graph's inputs. An initializer that is also an input is only a default that a caller may
 * override, so that neither Sinter nor an engine can fold or prepack it. Files of old exporters list all their weights
 * that way, without meaning it.
 */
export const dropOverridable = pass('drop-overridable', graph =>
  edit(
    graph,
    draft => {
      const required = requiredInputs(graph)
      if (required.length < draft.inputs.length) draft.inputs.splice(0, draft.inputs.length, ...required)
    },
    { keepUnused: true },
  ),
)
