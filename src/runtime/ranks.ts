import { isTensorType } from '../base/shape.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { Feeds } from './backend.ts'

/** The tensor inputs of which not even the rank is stated. */
export function unrankedInputs(inputs: readonly Value[]): readonly string[] {
  return inputs.filter(({ type }) => isTensorType(type) && !type.shape).map(({ name }) => name)
}

/** The graph with the ranks that the feeds have stated for its unranked inputs; sizes stay open. */
export function withRanks(graph: Graph, unranked: readonly string[], feeds: Feeds): Graph {
  const inputs = graph.inputs.map(value => {
    if (!unranked.includes(value.name) || !isTensorType(value.type)) return value
    const shape = feeds[value.name]?.shape.map((_, axis) => `${value.name}:${axis}`)
    return { ...value, type: { dtype: value.type.dtype, shape } }
  })
  return { ...graph, inputs }
}
