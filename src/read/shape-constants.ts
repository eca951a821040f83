import { isInteger } from '../base/dtype.ts'
import type { ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { attribute } from '../graph/attributes.ts'
import { mapBodies } from '../graph/edit.ts'
import type { Body, Graph, Node } from '../graph/graph.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import { typeOfConstant } from '../ops/contents.ts'
import { constantOf } from '../ops/generate.ts'
import { evaluateNode } from './evaluate.ts'

/** More than any shape, pads or scales have. */
const maxElements = 64

/**
 * The graph with a Constant in the place of each node, in bodies too, that computes small integers from constants alone.
 * Exporters write shapes and pads as such chains, some of them through matrices, which inference does not follow. Every
 * other node stays, and each in its place.
 */
export function withShapeConstants(graph: Graph): Graph {
  return foldIn(graph, graph, () => undefined)
}

function foldIn<B extends Body>(body: B, graph: Graph, around: (name: string) => Tensor | undefined): B {
  const local = new Map<string, Tensor>()
  const fed = new Set(body.inputs.map(({ name }) => name))
  const constant = (name: string) =>
    (fed.has(name) ? undefined : (local.get(name) ?? body.initializers.get(name))) ?? around(name)
  const types = new Map<string, ValueType | undefined>()
  const scope: Scope = {
    opset: domain => graph.opset[domain] ?? 1,
    type(name) {
      const value = constant(name)
      return value ? typeOfConstant(value) : types.get(name)
    },
    constant,
    inferBody: inner => inner.outputs.map(() => undefined),
  }
  const nodes = body.nodes.map((node): Node => {
    const value = constantOf(node)
    if (value) {
      local.set(node.outputs[0]!, value)
      return node
    }
    const made = evaluated(node, scope, types)
    if (made) {
      local.set(node.outputs[0]!, made)
      return { ...node, op: 'Constant', domain: '', inputs: [], attributes: { value: attribute.tensor(made) } }
    }
    const attributes = mapBodies(node, inner => foldIn(inner, graph, constant))
    return attributes === node.attributes ? node : { ...node, attributes }
  })
  return nodes.every((node, i) => node === body.nodes[i]) ? body : { ...body, nodes }
}

function evaluated(node: Node, scope: Scope, types: Map<string, ValueType | undefined>): Tensor | undefined {
  if (node.outputs.length !== 1 || node.inputs.length === 0) return undefined
  if (!node.inputs.every(name => name === '' || scope.constant(name) !== undefined)) return undefined
  // Whether the result is small is known from its type alone.
  const [type] = inferNode(node, scope)
  types.set(node.outputs[0]!, type)
  const [made] = evaluateNode(node, scope, maxElements) ?? []
  return made && (isInteger(made.dtype) || made.dtype === 'bool') ? made : undefined
}
