import { SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { type Body, bodiesOf, definedBy, describe, type Node } from '../graph/graph.ts'
import { constantOf } from '../ops/generate.ts'

/**
 * Values at the top level of a graph by the names that a user gave: their own, or that of the node that makes one.
 * @param what the values are to be, for messages.
 * @throws SinterError `invalid-argument` where there are none, one is named twice, or a node makes several, with their
 *   names; `not-found` for a name that the graph has not, with names like it; `not-supported` for what is in a body, with
 *   the node whose body it is.
 */
export function valuesNamed(graph: Body, names: readonly string[], what: string): readonly string[] {
  if (names.length === 0) throw new SinterError('invalid-argument', `Name at least one ${what}.`)
  const known = definedBy(graph)
  const nodes = new Map<string, readonly string[]>()
  const values = names.map(name => {
    if (name !== '' && known.has(name)) return name
    if (nodes.size === 0) collectOutputs(graph, nodes)
    const [value, ...others] = nodes.get(name) ?? []
    if (value === undefined) throw unknownName(graph, name, nodes)
    if (others.length === 0) return value
    const made = [value, ...others].map(one => `'${one}'`)
    const several = `${made.slice(0, -1).join(', ')} and ${made.at(-1)}`
    throw new SinterError('invalid-argument', `'${name}' is a node that makes ${several}; name one of these.`, {
      name,
      values: [value, ...others],
    })
  })
  const twice = values.find((name, i) => values.indexOf(name) !== i)
  if (twice !== undefined)
    throw new SinterError('invalid-argument', `The ${what} '${twice}' is named twice; once is enough.`, { name: twice })
  return values
}

/** What the nodes of each name make. */
function collectOutputs(graph: Body, found: Map<string, readonly string[]>): void {
  for (const { name, outputs } of graph.nodes) {
    if (name !== '') found.set(name, [...(found.get(name) ?? []), ...outputs.filter(output => output !== '')])
  }
}

function unknownName(graph: Body, name: string, nodes: ReadonlyMap<string, unknown>): SinterError {
  const inside = graph.nodes.find(node => bodiesOf(node).some(body => holds(body, name)))
  if (inside) {
    const message = `'${name}' is in a body of ${describe(inside)}; only values of the graph itself can be named.`
    return new SinterError('not-supported', message, { name })
  }
  const all = [...new Set([...computed(graph), ...nodes.keys(), ...definedBy(graph)])].filter(one => one !== '')
  return new SinterError('not-found', `The graph has no value '${name}'. ${suggestion(name, all)}`, { name })
}

/** What is likeliest meant, first: the graph's ends, and what its nodes compute; weights come later. */
function* computed(graph: Body): Iterable<string> {
  for (const { name } of graph.inputs) if (!graph.initializers.has(name)) yield name
  for (const { name } of graph.outputs) yield name
  for (const node of graph.nodes) if (!constantOf(node)) yield* node.outputs
}

function holds(body: Body, name: string): boolean {
  const has = (node: Node) => node.name === name || bodiesOf(node).some(inner => holds(inner, name))
  return definedBy(body).has(name) || body.nodes.some(has)
}
