import { contentIds } from '../base/content.ts'
import type { Tensor } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import type { Attribute, Graph, Node } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { keyOf, schemaOf } from '../ops/spec.ts'
import { pass } from './pass.ts'

/**
 * Computes once what several nodes would compute alike: same operator, same attributes, same inputs, where constants are
 * the same if their contents are (common subexpression elimination). Equal constants of nodes that stay apart stay apart
 * too: parameters that start out equal are not tied by that. Operators that draw random numbers, those of unknown sets,
 * and nodes with bodies are left alone.
 */
export const shareEqual = pass('share-equal', graph =>
  edit(graph, draft => {
    const { isInput, isOutput, consumers } = view(graph)
    const idOf = contentIds()
    const shared = new Map<string, string>()
    const input = (name: string) => {
      const constant = isInput(name) ? undefined : graph.initializers.get(name)
      return constant ? `#${idOf(constant)}` : `=${shared.get(name) ?? name}`
    }
    const first = new Map<string, Node>()
    for (const node of graph.nodes) {
      const attributes = attributesKey(node, idOf)
      if (attributes === undefined || !isRepeatable(node, graph)) continue
      const made = node.outputs.map(name => (name === '' ? 0 : 1))
      const key = [keyOf(node), node.overload ?? '', attributes, made, ...node.inputs.map(input)].join('\n')
      const twin = first.get(key)
      if (!twin) {
        first.set(key, node)
        continue
      }
      // Readers go over even where the node must stay, as the maker of an output of the graph.
      node.outputs.forEach((name, i) => {
        if (name === '') return
        shared.set(name, twin.outputs[i]!)
        if (consumers(name).length > 0) draft.redirect(name, twin.outputs[i]!)
      })
      if (!node.outputs.some(isOutput)) draft.remove(node)
    }
  }),
)

/** Whether equal inputs give equal outputs. By the standard, whatever draws random numbers has an attribute `seed`. */
function isRepeatable(node: Node, { opset }: Graph): boolean {
  const schema = schemaOf(node, opset[node.domain] ?? 1)
  return schema !== undefined && !('seed' in schema.attributes)
}

/** Text that is equal for equal attributes; undefined where they cannot be compared. */
function attributesKey({ attributes }: Node, idOf: (t: Tensor) => number): string | undefined {
  const parts: string[] = []
  for (const name of Object.keys(attributes).sort()) {
    const value = valueKey(attributes[name]!, idOf)
    if (value === undefined) return undefined
    parts.push(`${name}=${value}`)
  }
  return parts.join(';')
}

function valueKey(attribute: Attribute, idOf: (t: Tensor) => number): string | undefined {
  switch (attribute.type) {
    case 'int':
    case 'float':
      return numberKey(attribute.value)
    case 'ints':
    case 'floats':
      return (attribute.value as readonly (number | bigint)[]).map(numberKey).join()
    case 'string':
    case 'strings':
      return JSON.stringify(attribute.value)
    case 'tensor':
      return `#${idOf(attribute.value)}`
    default:
      return undefined
  }
}

function numberKey(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value)
}
