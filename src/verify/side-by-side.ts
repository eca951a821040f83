import { dropUnused } from '../graph/edit.ts'
import type { Graph } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'
import { diff, type GraphDiff } from '../read/diff.ts'

/**
 * Two graphs that take the same feeds and give outputs of the same names: those of the first. Outputs that only one has
 * go; an input that only one has the other takes too, and does not look at it. Then `outputDifferences` compares them.
 * @param diff of the two, by which inputs and outputs go that differ in name alone.
 */
export function sideBySide(
  a: Graph,
  b: Graph,
  { inputs, outputs }: GraphDiff = diff(a, b),
): { readonly a: Graph; readonly b: Graph } {
  const names = new Map([...inputs.renamed, ...outputs.renamed].map(pair => [pair.b, pair.a]))
  const outside = [...b.inputs, ...b.outputs].map(({ name }) => name)
  const kept = new Set([...outside.map(name => names.get(name) ?? name), ...a.inputs.map(({ name }) => name)])
  const isOutside = new Set(outside)
  // Inside of the second, what has a name of the first's inputs or outputs stands aside.
  const second = renameValues(b, name => {
    const renamed = names.get(name)
    if (renamed !== undefined) return renamed
    return isOutside.has(name) || !kept.has(name) ? name : `${name}\u0001`
  })
  const common = new Set(a.outputs.map(({ name }) => name).filter(name => !outputs.removed.includes(name)))
  const both = (graph: Graph, other: Graph): Graph => {
    const own = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()])
    const fed = other.inputs.filter(({ name }) => !own.has(name) && !other.initializers.has(name))
    return dropUnused({
      ...graph,
      inputs: [...graph.inputs, ...fed],
      outputs: graph.outputs.filter(({ name }) => common.has(name)),
    })
  }
  return { a: both(a, second), b: both(second, a) }
}
