import { SinterError } from '../base/errors.ts'
import { isTensorType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { assertValid } from '../read/check.ts'
import type { Feeds } from './backend.ts'
import { followedFeeds, hazardousInputs } from './fed-values.ts'

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

/** At most this many feeds that passed are remembered. */
const mostPassed = 4096

/**
 * Checks what feeds make of a graph where it left ranks open, where dimensions that it left open have come to nothing, and
 * where values that are fed are divided by or measure what an engine does: of these engines do not always take note before
 * they end over them. Each combination of shapes and such values is looked at once. Values are followed as inference does,
 * through a thousand elements and the arithmetic of shapes; what is computed otherwise is not seen before it runs.
 */
export function feedChecker(graph: Graph, inputs: readonly Value[]): (feeds: Feeds) => void {
  const open = inputs.filter(({ type }) => isTensorType(type) && !type.shape?.every(dim => typeof dim === 'number'))
  const unranked = open.some(({ type }) => isTensorType(type) && !type.shape)
  const hazardous = hazardousInputs(graph)
  const passed = new Set<string>()
  return feeds => {
    const values = followedFeeds(hazardous, feeds)
    if (!unranked && values.size === 0 && !open.some(({ name }) => feeds[name]!.shape.includes(0))) return
    const shapesFed = open.map(({ name }) => feeds[name]!.shape.join()).join(';')
    const key = [shapesFed, ...Array.from(values, ([, { data }]) => data.join())].join('|')
    if (passed.has(key)) return
    try {
      assertValid(withFeeds(graph, feeds, values))
    } catch (error) {
      if (!(error instanceof SinterError)) throw error
      const shapes = inputs
        .map(({ name }) => `'${name}' [${feeds[name]!.shape}]`)
        .slice(0, 8)
        .join(', ')
      throw new SinterError(
        'invalid-argument',
        `The feeds do not fit: ${shapes}. ${error.message}`,
        error.details,
        error,
      )
    }
    if (passed.size === mostPassed) passed.clear()
    passed.add(key)
  }
}

/** The graph for inputs of exactly the shapes that are fed, and for some of exactly the values. */
function withFeeds(graph: Graph, feeds: Feeds, values: ReadonlyMap<string, Tensor>): Graph {
  const inputs = graph.inputs.map(value => {
    const fed = feeds[value.name]
    return fed ? { ...value, type: { dtype: fed.dtype, shape: fed.shape } } : value
  })
  return { ...graph, inputs, initializers: new Map([...graph.initializers, ...values]) }
}
