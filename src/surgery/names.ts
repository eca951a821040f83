import { SinterError } from '../base/errors.ts'
import { type Body, bodiesOf, definedBy, describe } from '../graph/graph.ts'
import { suggestion } from '../graph/near-names.ts'

/**
 * Makes sure that a graph has some values at its top level.
 * @throws SinterError `not-found` for the first that it has not, with names like it; or says in which node's body it is.
 */
export function checkValues(
  graph: Body,
  names: readonly string[],
  known: ReadonlySet<string> = definedBy(graph),
): void {
  for (const name of names) {
    if (known.has(name)) continue
    const inside = graph.nodes.find(node => bodiesOf(node).some(body => holds(body, name)))
    if (inside) {
      const message = `'${name}' is a value in a body of ${describe(inside)}; only values of the graph itself can be named.`
      throw new SinterError('not-supported', message, { name })
    }
    const all = [...known].filter(one => one !== '')
    throw new SinterError('not-found', `The graph has no value '${name}'. ${suggestion(name, all)}`, { name })
  }
}

/** @throws SinterError `invalid-argument` where a list is empty or names something twice. */
export function checkList(names: readonly string[], what: string): void {
  if (names.length === 0) throw new SinterError('invalid-argument', `Name at least one ${what}.`)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new SinterError('invalid-argument', `The ${what} '${twice}' is named twice; once is enough.`, { name: twice })
}

function holds(body: Body, name: string): boolean {
  return definedBy(body).has(name) || body.nodes.some(node => bodiesOf(node).some(inner => holds(inner, name)))
}
