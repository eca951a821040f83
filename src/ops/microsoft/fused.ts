import { dialect } from '../../graph/graph.ts'
import { type Call, free, type InferredType, no, type Operator, operator } from '../operator.ts'
import { type AttributesOf, attributesOf, type OpName } from '../spec.ts'

// Operators of onnxruntime's own (com.microsoft): what its optimizers and quantizers write. They are read so that
// optimized files can be checked, counted and run; what changes a network belongs before that.

const answers = {
  gradient: no("it is one of onnxruntime's own, made by optimizing or quantizing: train the graph that it was made of"),
  coupling: no("it is one of onnxruntime's own, made by optimizing or quantizing: prune the graph that it was made of"),
  evaluate: no('left to the runtime'),
  cost: free,
} as const

type Fused<K extends OpName> = Pick<Operator<K>, 'infer'> & Partial<Operator<K>>

/** The record of an operator of onnxruntime's own: refuses what is not said. */
export function fused<K extends OpName>(type: K, row: Fused<K>): Operator<K> {
  return operator<K>(type, { ...answers, ...row })
}

/** The type of a tensor like another. */
export function like({ dtype, shape }: InferredType): InferredType {
  return { dtype, shape }
}

/** The record of an operator whose one output is like one of its inputs. */
export function unary<K extends OpName>(type: K, row: Partial<Operator<K>> = {}, input = 0): Operator<K> {
  return fused(type, { infer: ({ inputs }) => [like(inputs[input]!)], ...row })
}

/**
 * The types that a standard operator's rule infers, given some of a node's inputs and other attributes; its own defaults
 * where these say nothing.
 */
export function inferAs<K extends OpName>(
  record: Operator<K>,
  call: Pick<Call, 'node' | 'inputs' | 'inputTypes' | 'constant' | 'inferBody'>,
  attributes: Partial<AttributesOf[K]>,
  places: readonly number[] = call.inputs.map((_, i) => i),
): readonly InferredType[] {
  // Under its own name, so that refusals are about the node that stands there.
  const node = { ...call.node, inputs: places.map(i => call.node.inputs[i] ?? '') }
  const standard = attributesOf({ ...node, op: record.type, domain: '', attributes: {} }, dialect)
  const stated = Object.entries(attributes).filter(([, value]) => value !== undefined)
  return record.infer({
    node,
    opset: dialect,
    attributes: { ...standard, ...Object.fromEntries(stated) } as unknown as AttributesOf[K],
    inputs: places.map(i => call.inputs[i]),
    inputTypes: places.map(i => call.inputTypes[i]),
    constant: i => call.constant(places[i]!),
    inferBody: call.inferBody,
  }) as readonly InferredType[]
}
