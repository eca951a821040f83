import { byteLength, type DType, isFloat, isInteger } from '../base/dtype.ts'
import { elementCount, isFixed, isTensorType, type ValueType } from '../base/shape.ts'
import { type Tensor, tensorBytes } from '../base/tensor.ts'
import { type Body, bodiesOf, type Graph, type Node, readsOf } from '../graph/graph.ts'
import { type Scope, typedCallOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { infer, scopeOf, scopeWithin } from './infer.ts'

export interface CostOptions {
  /** Sizes of symbolic dimensions, by symbol; those not named are 1, so that costs are those of one example. */
  readonly bind?: Readonly<Record<string, number>>
}

export interface NodeCost {
  readonly node: Node
  /** Multiply-accumulates; NaN where they are not known. */
  readonly macs: number
  /** Elements of the parameters that it reads. */
  readonly parameters: number
  /** Bytes of its outputs; NaN where a size is not known. */
  readonly outputBytes: number
}

export interface GraphCost {
  /** Multiply-accumulates of one run. Nodes in `uncounted` are left out. */
  readonly macs: number
  /** Elements of the parameters, each counted once. */
  readonly parameters: number
  /** Bytes of the parameters, as a file holds them. */
  readonly bytes: number
  /** The most bytes that inputs, outputs and values in between take at any one time; NaN where a size is not known. */
  readonly peakActivationBytes: number
  readonly nodes: readonly NodeCost[]
  /** Nodes whose multiply-accumulates are not known: no record, or a size that depends on the data. */
  readonly uncounted: readonly Node[]
}

/**
 * What running a graph takes.
 *
 * Multiply-accumulates are counted as the literature does: those of convolutions and matrix products, a bias, a
 * normalization and everything elementwise for nothing. Of an If the dearer branch counts, of a Loop or Scan one
 * iteration. Parameters are what an inference must carry: the initializers and constants that nodes read, of floating
 * point or, as quantized weights are, of at most 8 bits an element; the running statistics of a BatchNormalization are
 * among them (PyTorch counts them apart, as buffers), shapes and indices are not. The peak assumes that each value is
 * freed after its last reader, in the order of the nodes, and that nothing is computed in place.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function cost(graph: Graph, { bind = {} }: CostOptions = {}): GraphCost {
  const sizes = { '*': 1, ...bind }
  const scope = scopeOf(graph, infer(graph, { bind: sizes }), sizes)
  const nodes = graph.nodes.map(node => nodeCost(node, graph, scope, sizes))
  const parameters = parametersOf(graph, scope)
  return {
    macs: nodes.reduce((sum, { macs }) => sum + (Number.isNaN(macs) ? 0 : macs), 0),
    parameters: sumOver(parameters, t => elementCount(t.shape)),
    bytes: sumOver(parameters, tensorBytes),
    peakActivationBytes: peakOf(graph, scope),
    nodes,
    uncounted: nodes.filter(({ macs }) => Number.isNaN(macs)).map(({ node }) => node),
  }
}

function nodeCost(node: Node, graph: Graph, scope: Scope, bind: Readonly<Record<string, number>>): NodeCost {
  const bodies = bodiesOf(node).map(body => {
    const inner = scopeWithin(graph, body, [], scope, bind)
    return body.nodes.reduce((sum, one) => sum + nodeCost(one, graph, inner, bind).macs, 0)
  })
  const own = operatorOf(node)?.cost(typedCallOf(node, scope)).macs ?? Number.NaN
  const read = new Set(readsOf(node).flatMap(name => parameterAt(name, scope) ?? []))
  return {
    node,
    macs: own + Math.max(0, ...bodies),
    parameters: sumOver(read, t => elementCount(t.shape)),
    outputBytes: node.outputs.reduce((sum, name) => sum + (name === '' ? 0 : bytesOfType(scope.type(name))), 0),
  }
}

/** The parameters that the nodes of a body, and of the bodies inside of it, read. A tensor under two names counts once. */
function parametersOf(graph: Graph, scope: Scope): Set<Tensor> {
  const found = new Set<Tensor>()
  const visit = (body: Body, around: Scope['constant']) => {
    const constant = (name: string) => body.initializers.get(name) ?? around(name)
    for (const node of body.nodes) {
      for (const name of node.inputs) {
        const value = name === '' ? undefined : (constant(name) ?? scope.constant(name))
        if (value && isParameter(value.dtype)) found.add(value)
      }
      for (const inner of bodiesOf(node)) visit(inner, constant)
    }
  }
  visit(graph, () => undefined)
  return found
}

function parameterAt(name: string, scope: Scope): Tensor | undefined {
  const value = scope.constant(name)
  return value && isParameter(value.dtype) ? value : undefined
}

function isParameter(dtype: DType): boolean {
  return isFloat(dtype) || (isInteger(dtype) && byteLength(dtype, 1) === 1)
}

function sumOver<T>(items: Iterable<T>, size: (item: T) => number): number {
  let sum = 0
  for (const item of items) sum += size(item)
  return sum
}

function bytesOfType(type: ValueType | undefined): number {
  return isTensorType(type) && isFixed(type.shape) ? byteLength(type.dtype, elementCount(type.shape)) : Number.NaN
}

function peakOf(graph: Graph, scope: Scope): number {
  const end = graph.nodes.length
  const last = new Map<string, number>()
  graph.nodes.forEach((node, i) => {
    for (const name of [...readsOf(node), ...node.outputs]) last.set(name, i)
  })
  for (const { name } of graph.outputs) last.set(name, end)
  const isActivation = (name: string) => name !== '' && scope.constant(name) === undefined
  const freed = new Map<number, number>()
  let live = 0
  let peak = 0
  const hold = (name: string) => {
    if (!isActivation(name)) return
    const bytes = bytesOfType(scope.type(name))
    const at = last.get(name) ?? end
    freed.set(at, (freed.get(at) ?? 0) + bytes)
    live += bytes
  }
  for (const { name } of graph.inputs) hold(name)
  graph.nodes.forEach((node, i) => {
    for (const name of node.outputs) hold(name)
    peak = Math.max(peak, live)
    live -= freed.get(i) ?? 0
  })
  return Math.max(peak, live)
}
