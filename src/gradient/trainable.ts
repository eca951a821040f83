import { isFloat } from '../base/dtype.ts'
import { isTensorType, sameShape } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { callOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { infer, scopeOf } from '../read/infer.ts'

/** Decides for each initializer whether something applies to it. */
export type TensorFilter = (name: string, value: Tensor) => boolean

/**
 * The initializers that training changes: floating-point tensors which the filter lets through, but not
 * - tensors of rank 0: constants of a formula, as exporters write them (a parameter of one element has a dimension), and
 * - the constants of a normalisation in front of the model: single constants, one number or one for each channel, applied
 *   to a floating-point input element by element before anything is multiplied and accumulated.
 */
export function trainable(graph: Graph, filter: TensorFilter = () => true): ReadonlySet<string> {
  const preprocessing = preprocessingConstants(graph)
  const names = new Set<string>()
  for (const [name, value] of graph.initializers) {
    if (isFloat(value.dtype) && value.shape.length > 0 && !preprocessing.has(name) && filter(name, value))
      names.add(name)
  }
  return names
}

function preprocessingConstants(graph: Graph): ReadonlySet<string> {
  const types = infer(graph)
  const scope = scopeOf(graph, types)
  const tensorType = (name: string) => {
    const type = types.get(name)
    return isTensorType(type) ? type : undefined
  }
  const raw = new Set<string>()
  for (const { name } of graph.inputs) {
    const dtype = tensorType(name)?.dtype
    if (dtype && isFloat(dtype) && !graph.initializers.has(name)) raw.add(name)
  }
  const constants = new Set<string>()
  for (const node of graph.nodes) {
    const data = node.inputs.filter(name => name !== '' && !graph.initializers.has(name))
    const [output] = node.outputs
    if (data.length !== 1 || !raw.has(data[0]!) || output === undefined) continue
    if (!sameShape(tensorType(data[0]!)?.shape, tensorType(output)?.shape) || accumulates(node)) continue
    const own = node.inputs.filter(name => graph.initializers.has(name))
    // More than one, or one for each position, is a layer that learns.
    if (own.length > 1 || own.some(name => graph.initializers.get(name)!.shape.filter(size => size > 1).length > 1))
      continue
    for (const name of own) constants.add(name)
    raw.add(output)
  }
  return constants

  function accumulates(node: Node): boolean {
    const row = operatorOf(node)
    if (!row) return true
    const outputs = node.outputs.map(tensorType)
    return row.cost({ ...callOf(node, scope), outputs }).macs > 0
  }
}
