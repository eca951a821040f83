import { tensorBytes } from '../../base/tensor.ts'
import { type Body, bodiesOf } from '../../graph/graph.ts'

/** Bytes of all the constants that a body holds: initializers and tensors in attributes, those of bodies inside too. */
export function constantBytes(body: Body): number {
  let sum = 0
  for (const value of body.initializers.values()) sum += tensorBytes(value)
  for (const node of body.nodes) {
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.type === 'tensor') sum += tensorBytes(attribute.value)
    }
    for (const inner of bodiesOf(node)) sum += constantBytes(inner)
  }
  return sum
}
