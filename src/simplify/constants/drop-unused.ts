import { dropUnused as dropFrom, mapBodies } from '../../graph/edit.ts'
import type { Body } from '../../graph/graph.ts'
import { pass } from '../../rewrite/pass.ts'

/** Takes out nodes and initializers that no output depends on, in the bodies of nodes too. */
export const dropUnused = pass('drop-unused', dropDeep)

function dropDeep<B extends Body>(body: B): B {
  // Bodies first: what they no longer read may leave the graph around them unread.
  let changed = false
  const nodes = body.nodes.map(node => {
    const attributes = mapBodies(node, dropDeep)
    if (attributes === node.attributes) return node
    changed = true
    return { ...node, attributes }
  })
  return dropFrom(changed ? { ...body, nodes } : body)
}
