import { isInteger } from '../base/dtype.ts'
import { type Dim, elementCount, isTensorType } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import { type Body, bodiesOf, type Graph, requiredInputs } from '../graph/graph.ts'
import { constantOf } from '../ops/generate.ts'

/**
 * Integer scalars that stand beside an input in some node, by input: a graph that asks whether its rate is 16000 should
 * be fed that.
 */
export function neighbouringConstants(graph: Graph): ReadonlyMap<string, readonly Tensor[]> {
  const inputs = new Map(
    requiredInputs(graph).flatMap(({ name, type }) =>
      isTensorType(type) && isInteger(type.dtype) && isOne(type.shape) ? [[name, type] as const] : [],
    ),
  )
  const found = new Map<string, Map<number, Tensor>>()
  const visit = (body: Body, around: (name: string) => Tensor | undefined) => {
    const constants = new Map(
      body.nodes.flatMap(node => {
        const value = constantOf(node)
        return value ? [[node.outputs[0]!, value] as const] : []
      }),
    )
    const constant = (name: string) => body.initializers.get(name) ?? constants.get(name) ?? around(name)
    for (const node of body.nodes) {
      for (const input of node.inputs) {
        const type = inputs.get(input)
        if (!type) continue
        for (const other of node.inputs) {
          const value = other === input ? undefined : constant(other)
          if (value?.dtype !== type.dtype || elementCount(value.shape) !== 1) continue
          const list = found.get(input) ?? new Map<number, Tensor>()
          found.set(input, list.set(numbers(value)[0]!, value))
        }
      }
      for (const inner of bodiesOf(node)) visit(inner, constant)
    }
  }
  if (inputs.size > 0) visit(graph, () => undefined)
  return new Map([...found].map(([name, values]) => [name, [...values.values()]]))
}

function isOne(shape: readonly Dim[] | undefined): boolean {
  return shape?.every(dim => dim === 1) ?? false
}
