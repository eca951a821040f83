import { elementCount, isFixed, isTensorType } from '../base/shape.ts'
import { fromNumbers, type Tensor } from '../base/tensor.ts'
import { bodiesOf, type Graph, type Node } from '../graph/graph.ts'
import { callOf, type Scope } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { type InferredType, isNo } from '../ops/operator.ts'
import { infer, scopeOf } from './infer.ts'

export interface EvaluateOptions {
  /** Values with more elements are left alone; 1024 if left out. */
  readonly maxElements?: number
}

/**
 * The values that nodes of a graph compute and that are constant whatever it is fed: of constants, by the operators'
 * records, or of fixed sizes, as inference followed them. Large ones are left alone, as are those that a record has no
 * evaluation for; initializers that are inputs too can be fed, and are no constants.
 * @returns Tensors by name, in the order of the nodes.
 */
export function evaluate(graph: Graph, { maxElements = 1024 }: EvaluateOptions = {}): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>()
  const fixed = withoutDefaults(graph)
  const around = scopeOf(fixed, infer(fixed))
  const scope: Scope = { ...around, constant: name => values.get(name) ?? around.constant(name) }
  for (const node of graph.nodes) {
    const known = node.outputs.map(name => followed(scope.type(name)))
    const made = known.every(value => value !== undefined) ? known : evaluateNode(node, scope, maxElements)
    made?.forEach((value, i) => {
      const name = node.outputs[i]
      if (name && value && elementCount(value.shape) <= maxElements) values.set(name, value)
    })
  }
  return values
}

/** The graph without initializers that can be fed instead; inference would follow them. The graph itself if it has none. */
export function withoutDefaults(graph: Graph): Graph {
  if (!graph.inputs.some(({ name }) => graph.initializers.has(name))) return graph
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  return { ...graph, initializers: new Map([...graph.initializers].filter(([name]) => !inputs.has(name))) }
}

/** A value's contents, if inference knows all of them. */
export function followed(type: ReturnType<Scope['type']>): Tensor | undefined {
  if (!isTensorType(type) || !isFixed(type.shape)) return undefined
  const { value } = type as InferredType
  // Beyond 2^53 a number is not the integer that it stands for.
  if (!value?.every(dim => typeof dim === 'number' && Math.abs(dim) <= Number.MAX_SAFE_INTEGER)) return undefined
  return fromNumbers(type.dtype, type.shape, value as readonly number[])
}

/** What a node computes of constants by its record; undefined where it does not, or where that is for the runtime. */
export function evaluateNode(node: Node, scope: Scope, maxElements: number): readonly Tensor[] | undefined {
  const rule = operatorOf(node)?.evaluate
  if (!rule || isNo(rule) || bodiesOf(node).length > 0) return undefined
  const small = (name: string) => {
    const type = name === '' ? undefined : scope.type(name)
    return name === '' || (isTensorType(type) && isFixed(type.shape) && elementCount(type.shape) <= maxElements)
  }
  if (![...node.inputs, ...node.outputs].every(small)) return undefined
  const inputs = node.inputs.map(name => (name === '' ? undefined : scope.constant(name)))
  if (inputs.some((value, i) => value === undefined && node.inputs[i] !== '')) return undefined
  try {
    const made = rule(callOf(node, scope), inputs)
    // Beside an axis of no elements another may come out longer than any that can be written down.
    return made.every(({ shape }) => shape.every(Number.isSafeInteger)) ? made : undefined
  } catch {
    // What cannot be evaluated here (a division by zero, a type without arithmetic) is left for the runtime to judge.
    return undefined
  }
}
