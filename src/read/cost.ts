import { byteLength, type DType, isFloat, isInteger } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount, isFixed, isTensorType, type ValueType } from '../base/shape.ts'
import { type Tensor, tensorBytes } from '../base/tensor.ts'
import { type Body, bodiesOf, type Graph, type Node, readsOf } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { type Scope, typedCallOf } from '../ops/call.ts'
import { constantOf } from '../ops/generate.ts'
import { operatorOf } from '../ops/index.ts'
import { infer, scopeInside, scopeOf } from './infer.ts'

export interface CostOptions {
  /** Sizes of symbolic dimensions, by symbol. Those not named are 1: costs are those of one example. */
  readonly bind?: Readonly<Record<string, number>>
}

export interface NodeCost {
  readonly node: Node
  /** Multiply-accumulates; 0 where they are not known. */
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
  readonly parameterBytes: number
  /** The most bytes that inputs, outputs and values in between take at any one time; NaN where a size is not known. */
  readonly peakActivationBytes: number
  readonly nodes: readonly NodeCost[]
  /** Nodes, in bodies too, whose multiply-accumulates are not known: no record, or a size that is open. */
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
 * freed after its last reader, in the order of the nodes, and that nothing is computed in place. Where symbols of 1 are
 * too small for the graph (an image's height), those of inner axes stay open, and what depends on them is not counted.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator.
 */
export function cost(graph: Graph, { bind = {} }: CostOptions = {}): GraphCost {
  const sizes = { '*': 1, ...bind }
  const scope = scopeFor(graph, sizes)
  const uncounted: Node[] = []
  const nodes = graph.nodes.map((node): NodeCost => {
    const read = new Set(readsOf(node).flatMap(name => parameterAt(name, scope) ?? []))
    return {
      node,
      macs: macsOf(node, graph, scope, sizes, uncounted),
      parameters: sumOver(read, t => elementCount(t.shape)),
      outputBytes: sumOver(node.outputs, name => (name === '' ? 0 : bytesOfType(scope.type(name)))),
    }
  })
  const parameters = parametersOf(graph)
  return {
    macs: sumOver(nodes, ({ macs }) => macs),
    parameters: sumOver(parameters, t => elementCount(t.shape)),
    parameterBytes: sumOver(parameters, tensorBytes),
    peakActivationBytes: peakOf(graph, scope),
    nodes,
    uncounted,
  }
}

/** Types with sizes for the symbols; without those of inner axes where they are too small for what is done with them. */
function scopeFor(graph: Graph, sizes: Readonly<Record<string, number>>): Scope {
  try {
    return scopeOf(graph, infer(graph, { bind: sizes }), sizes)
  } catch (error) {
    if (!(error instanceof SinterError)) throw error
    const { '*': one, ...named } = sizes
    const examples = graph.inputs.map(({ type }) => (isTensorType(type) ? type.shape?.[0] : undefined))
    const batch = Object.fromEntries(examples.flatMap(dim => (typeof dim === 'string' ? [[dim, one!]] : [])))
    const bind = { ...batch, ...named }
    return scopeOf(graph, infer(graph, { bind }), bind)
  }
}

/** Multiply-accumulates of a node and the bodies inside of it. Nodes whose own are not known are listed. */
function macsOf(
  node: Node,
  graph: Graph,
  scope: Scope,
  sizes: Readonly<Record<string, number>>,
  uncounted: Node[],
): number {
  const bodies = bodiesOf(node).map(body => {
    const inner = scopeInside(graph, body, scope, sizes)
    return sumOver(body.nodes, one => macsOf(one, graph, inner, sizes, uncounted))
  })
  const own = operatorOf(node)?.cost(typedCallOf(node, scope)).macs ?? Number.NaN
  if (Number.isNaN(own)) uncounted.push(node)
  return (own || 0) + Math.max(0, ...bodies)
}

/** The parameters that the nodes of a body, and of the bodies inside of it, read. A tensor under two names counts once. */
function parametersOf(graph: Graph): Set<Tensor> {
  const found = new Set<Tensor>()
  const visit = (body: Body, around: Scope['constant']) => {
    const { producer } = view(body)
    const constant = (name: string) => body.initializers.get(name) ?? constantOf(producer(name)) ?? around(name)
    for (const node of body.nodes) {
      for (const name of node.inputs) {
        const value = name === '' ? undefined : constant(name)
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
