import { messageOf, SinterError } from '../base/errors.ts'
import { formatShape, isTensorType, type ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { type Body, describe, type Node } from '../graph/graph.ts'
import { withFollowed } from './follow.ts'
import { operatorOf } from './index.ts'
import type { Call, InferredType, TypedCall } from './operator.ts'
import { attributesOf, keyOf, type OpName } from './spec.ts'
import { typesBySchema } from './types-by-schema.ts'

/** What surrounds a node: types and constants by name. */
export interface Scope {
  /** The opset of a domain. */
  opset(domain: string): number
  type(name: string): ValueType | InferredType | undefined
  constant(name: string): Tensor | undefined
  inferBody(body: Body, inputs: readonly (ValueType | undefined)[]): readonly (ValueType | undefined)[]
}

/** The node as its operator's rules see it. */
export function callOf<K extends OpName>(node: Node, scope: Scope): Call<K> {
  const opset = scope.opset(node.domain)
  const inputTypes = node.inputs.map(name => (name === '' ? undefined : scope.type(name)))
  return {
    node,
    opset,
    attributes: attributesOf(node, opset) as unknown as Call<K>['attributes'],
    inputTypes,
    inputs: inputTypes.map(type => (isTensorType(type) ? type : undefined)),
    constant: input => {
      const name = node.inputs[input]
      return name ? scope.constant(name) : undefined
    },
    inferBody: scope.inferBody,
  }
}

/** The node as the rules see it that run after inference: with the types of its outputs. */
export function typedCallOf<K extends OpName>(node: Node, scope: Scope): TypedCall<K> {
  const outputs = node.outputs.map(name => {
    const type = name === '' ? undefined : scope.type(name)
    return isTensorType(type) ? (type as InferredType) : undefined
  })
  return { ...callOf<K>(node, scope), outputs }
}

/**
 * The types of a node's outputs. Where there is no record of the operator, or an input's type is not known, they are what
 * its schema tells; undefined where that is nothing.
 * @throws SinterError `invalid-graph` if the inputs do not fit the operator.
 */
export function inferNode(node: Node, scope: Scope): readonly (InferredType | ValueType | undefined)[] {
  const operator = operatorOf(node)
  const call = callOf(node, scope)
  const bySchema = () => typesBySchema(node, call.opset, call.inputTypes)
  if (!operator) return bySchema()
  const untyped = node.inputs.some((name, i) => name !== '' && !isTensorType(call.inputTypes[i]))
  if (untyped && operator.accepts !== 'any') return bySchema()
  return asked(node, () => withFollowed(operator, call, operator.infer(call)).map(withSizes))
}

/** Refuses sizes below 0, which no engine can make; those that numbers cannot tell apart are not known. */
function withSizes<T extends ValueType | undefined>(type: T): T {
  if (!isTensorType(type) || !type.shape?.some(dim => typeof dim === 'number' && !isSize(dim))) return type
  if (type.shape.some(dim => typeof dim === 'number' && dim < 0))
    throw new Error(`its output would have the shape ${formatShape(type.shape)}`)
  return { ...type, shape: type.shape.map(dim => (typeof dim === 'string' || isSize(dim) ? dim : '')) }
}

function isSize(dim: number): boolean {
  return Number.isSafeInteger(dim) && dim >= 0
}

/**
 * A record's answer for a node. Records read what their operators' rules promise, so what goes wrong in one is the node's.
 * @throws SinterError `invalid-graph` in the place of any other error.
 */
export function asked<T>(node: Node, answer: () => T): T {
  try {
    return answer()
  } catch (error) {
    if (error instanceof SinterError) throw error
    throw new SinterError(
      'invalid-graph',
      `${describe(node)}: its inputs do not fit (${messageOf(error)}).`,
      { op: keyOf(node) },
      error,
    )
  }
}
