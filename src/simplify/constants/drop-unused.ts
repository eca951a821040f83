import { dropUnused as dropFrom, mapBodies } from '../../graph/edit.ts'
import { type Body, bodiesOf, type Graph, type Node, readsOf } from '../../graph/graph.ts'
import { schemaOf } from '../../ops/spec.ts'
import { pass } from '../../rewrite/pass.ts'
import { dropResults } from './drop-results.ts'

/**
 * Takes out nodes and initializers that no output depends on, in the bodies of nodes too; optional outputs that nothing
 * reads (an engine need not compute them); and of If, Loop and Scan, the results that nothing reads with all in their
 * bodies that makes them.
 */
export const dropUnused = pass('drop-unused', graph => dropDeep(graph, graph))

function dropDeep<B extends Body>(body: B, graph: Graph): B {
  // What a body gives that nobody reads goes first, then what is inside of it for that, then what only that read outside.
  const read = readIn(body)
  let changed = false
  const nodes = body.nodes.map(old => {
    let node = dropOutputs(old, read, graph)
    if (bodiesOf(node).length > 0) {
      node = dropResults(node, read)
      const attributes = mapBodies(node, inner => dropDeep(inner, graph))
      if (attributes !== node.attributes) node = { ...node, attributes }
    }
    changed ||= node !== old
    return node
  })
  return dropFrom(changed ? { ...body, nodes } : body)
}

/** All names that are read in a body or put out by it. */
function readIn(body: Body): ReadonlySet<string> {
  const read = new Set(body.outputs.map(({ name }) => name))
  for (const node of body.nodes) {
    if (bodiesOf(node).length === 0) for (const name of node.inputs) read.add(name)
    else for (const name of readsOf(node)) read.add(name)
  }
  return read
}

/**
 * A node that leaves out the optional outputs that nothing reads. Only of the standard's operators: those of engines count
 * on outputs that their schemas call optional (EmbedLayerNormalization on the lengths of its masks, unless it is told).
 */
function dropOutputs(node: Node, read: ReadonlySet<string>, graph: Graph): Node {
  if (node.outputs.length < 2 || node.outputs.every(name => name === '' || read.has(name))) return node
  const schema = node.domain === '' ? schemaOf(node, graph.opset[''] ?? 1) : undefined
  if (!schema) return node
  const outputs = node.outputs.map((name, i) => (schema.outputs[i]?.[1] === 'optional' && !read.has(name) ? '' : name))
  while (outputs.at(-1) === '') outputs.pop()
  return outputs.length === 0 ||
    outputs.every((name, i) => name === node.outputs[i] && outputs.length === node.outputs.length)
    ? node
    : { ...node, outputs }
}
