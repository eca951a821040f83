import { SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { mapBodies, namesOf } from '../graph/edit.ts'
import type { Body, Graph, Node } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'

export interface Renaming {
  /** New names of values (inputs, outputs, initializers and those in between), by the old. */
  readonly values?: Readonly<Record<string, string>>
  /** New names of nodes, by the old. */
  readonly nodes?: Readonly<Record<string, string>>
}

/**
 * The graph under other names, in bodies too. Names can be exchanged; all are renamed at once.
 * @throws SinterError `not-found` for an old name that there is not, `invalid-argument` for a new one that is empty or
 *   taken.
 */
export function rename(graph: Graph, { values = {}, nodes = {} }: Renaming): Graph {
  const [taken, takenByNodes] = [namesOf(graph), nodeNames(graph)]
  taken.delete('')
  checkRenaming(values, taken, 'value')
  checkRenaming(nodes, takenByNodes, 'node')
  const named = Object.keys(values).length === 0 ? graph : renameValues(graph, name => values[name] ?? name)
  return Object.keys(nodes).length === 0 ? named : renameNodes(named, nodes)
}

function checkRenaming(map: Readonly<Record<string, string>>, known: ReadonlySet<string>, what: string): void {
  const made = new Set<string>()
  for (const [old, name] of Object.entries(map)) {
    if (!known.has(old))
      throw new SinterError('not-found', `The graph has no ${what} '${old}'. ${suggestion(old, [...known])}`, {
        name: old,
      })
    if (name === '') throw new SinterError('invalid-argument', `The new name of '${old}' is empty.`, { name: old })
    const stays = known.has(name) && !Object.hasOwn(map, name)
    if (stays || made.has(name))
      throw new SinterError('invalid-argument', `'${old}' cannot become '${name}': there is a ${what} of that name.`, {
        name: old,
        to: name,
      })
    made.add(name)
  }
}

/** The names of a graph's nodes, in bodies too. */
export function nodeNames(body: Body, found = new Set<string>()): ReadonlySet<string> {
  for (const node of body.nodes) {
    if (node.name !== '') found.add(node.name)
    mapBodies(node, inner => {
      nodeNames(inner, found)
      return inner
    })
  }
  return found
}

function renameNodes<B extends Body>(body: B, names: Readonly<Record<string, string>>): B {
  const nodes = body.nodes.map((node): Node => {
    const attributes = mapBodies(node, inner => renameNodes(inner, names))
    return { ...node, attributes, name: names[node.name] ?? node.name }
  })
  return { ...body, nodes }
}
