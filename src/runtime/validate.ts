import { SinterError } from '../base/errors.ts'
import { isTensorType } from '../base/shape.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { assertValid } from '../read/check.ts'
import type { Feeds } from './backend.ts'

/** Graphs in which nothing was wrong; a graph never changes. */
const sound = new WeakSet<Graph>()

/**
 * Makes sure that nothing is wrong with a graph as far as Sinter can tell, by its structure and by its operators' rules:
 * engines may end the process over what is broken. A graph is looked at once.
 * @throws SinterError `invalid-graph` with `details.problems` if something is.
 */
export function assertSound(graph: Graph): void {
  if (sound.has(graph)) return
  assertValid(graph)
  sound.add(graph)
}

/**
 * Checks what feeds make of a graph where it left ranks open, or where dimensions that it left open have come to nothing:
 * of these engines do not always take note before they divide by them. Each combination of shapes is looked at once.
 */
export function feedChecker(graph: Graph, inputs: readonly Value[]): (feeds: Feeds) => void {
  const open = inputs.filter(({ type }) => isTensorType(type) && !type.shape?.every(dim => typeof dim === 'number'))
  const unranked = open.some(({ type }) => isTensorType(type) && !type.shape)
  const passed = new Set<string>()
  return feeds => {
    if (!unranked && !open.some(({ name }) => feeds[name]!.shape.includes(0))) return
    const key = open.map(({ name }) => feeds[name]!.shape.join()).join(';')
    if (passed.has(key)) return
    try {
      assertValid(withShapes(graph, feeds))
    } catch (error) {
      if (!(error instanceof SinterError)) throw error
      const shapes = open.map(({ name }) => `'${name}' [${feeds[name]!.shape}]`).join(', ')
      throw new SinterError(
        'invalid-argument',
        `The feeds do not fit: ${shapes}. ${error.message}`,
        error.details,
        error,
      )
    }
    passed.add(key)
  }
}

/** The graph for inputs of exactly the shapes that are fed. */
function withShapes(graph: Graph, feeds: Feeds): Graph {
  const inputs = graph.inputs.map(value => {
    const fed = feeds[value.name]
    return fed ? { ...value, type: { dtype: fed.dtype, shape: fed.shape } } : value
  })
  return { ...graph, inputs }
}
