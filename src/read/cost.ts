import { byteLength, type DType, isFloat, isInteger } from '../base/dtype.ts'
import { elementCount, isTensorType } from '../base/shape.ts'
import { type Tensor, tensorBytes } from '../base/tensor.ts'
import { type Body, bodiesOf, type Graph, type Node, readsOf } from '../graph/graph.ts'
import { assertNesting } from '../graph/nesting.ts'
import { view } from '../graph/view.ts'
import { asked, type Scope, typedCallOf } from '../ops/call.ts'
import { constantOf } from '../ops/generate.ts'
import { operatorOf } from '../ops/index.ts'
import { type Cost, free } from '../ops/operator.ts'
import { activationPeak, bytesOfType } from './activation-peak.ts'
import { bodyScopes } from './body-scopes.ts'
import { withShapeConstants } from './shape-constants.ts'
import { sized } from './sized.ts'

export interface CostOptions {
  /**
   * Sizes of symbolic dimensions, by symbol, unnamed ones by their input and axis (`x:0`). Those not named are 1, so that
   * costs are those of one example, or as small as the graph can work on.
   */
  readonly bind?: Readonly<Record<string, number>>
}

/** What a node takes, the bodies inside of it included. */
export interface NodeCost {
  readonly node: Node
  /** Multiply-accumulates; 0 where they are not known. */
  readonly macs: number
  /** Elements of the parameters that it reads. */
  readonly parameters: number
  /** Bytes of all that it reads, parameters and what its bodies capture included, each value once and whole. */
  readonly bytesRead: number
  /** Bytes of its outputs. */
  readonly bytesWritten: number
  /** Values that it reads or writes whose size is not known: they are in neither. */
  readonly unsized: number
}

export interface GraphCost {
  /** Multiply-accumulates of one run. Nodes in `uncounted` are left out. */
  readonly macs: number
  /** Elements of the parameters, each counted once. */
  readonly parameters: number
  /** Bytes of the parameters, as a file holds them. */
  readonly parameterBytes: number
  /** Bytes that all nodes read and write, each its own. */
  readonly bytesRead: number
  readonly bytesWritten: number
  /** The most bytes that inputs, outputs and values in between take at any one time. Those in `unsized` are left out. */
  readonly peakActivationBytes: number
  /** The node at which that is; undefined in a graph without nodes. */
  readonly peakNode: Node | undefined
  readonly nodes: readonly NodeCost[]
  /** Nodes, in bodies too, whose multiply-accumulates are not known: no record, or a size that is open. */
  readonly uncounted: readonly Node[]
  /** Nodes that run their bodies a number of times that is not known: once is counted. */
  readonly countedOnce: readonly Node[]
  /** Values, in bodies too, whose size is not known. */
  readonly unsized: number
  /** Sizes that were taken for the symbols of the inputs. */
  readonly sizes: Readonly<Record<string, number>>
  /** Symbols of the inputs that are larger than 1, as that is too small for them; all have one size. */
  readonly fitted: readonly string[]
  /** Symbols of the inputs that stay open: no size was found that fits them. */
  readonly open: readonly string[]
}

/** The scopes inside of a node's bodies. */
type Inside = (node: Node, around: Scope) => ReadonlyMap<Body, Scope>

/**
 * What running a graph takes.
 *
 * Multiply-accumulates are counted as the literature does: those of convolutions and matrix products, a bias, a
 * normalization and everything elementwise for nothing. Of an If the dearer branch counts, of a Loop or Scan one
 * iteration times their number where that is known. Parameters are what an inference must carry: the initializers and
 * constants that nodes read, of floating point or, as quantized weights are, of at most 8 bits an element; the running
 * statistics of a BatchNormalization are among them (PyTorch counts them apart, as buffers), shapes and indices are not.
 * Bytes read and written take every operand for whole, whatever part of it an operator looks at, and no cache for given.
 * The peak is that of `activationPeak`. Where symbols of 1 are too small for the graph (an image's height), they are as
 * `sized` finds them; if it finds none, what depends on them is not counted: all numbers are then at least so much.
 * @throws SinterError `invalid-graph` where a node's inputs do not fit its operator, `not-supported` for bodies nested
 *   deeper than a file can hold.
 */
export function cost(graph: Graph, { bind = {} }: CostOptions = {}): GraphCost {
  assertNesting(graph)
  // Nodes keep their places, so that costs go by the nodes given.
  const plain = withShapeConstants(graph)
  const { scope, sizes, fitted, open } = sized(plain, bind)
  const inside = remembered((node, around) => bodyScopes(plain, node, around, sizes))
  const uncounted: Node[] = []
  const countedOnce: Node[] = []
  const nodes = graph.nodes.map((node, i): NodeCost => {
    const work = workOf(plain.nodes[i]!, scope, inside, uncounted, countedOnce)
    const read = new Set(readsOf(node).flatMap(name => parameterAt(name, scope) ?? []))
    return { node, ...work, parameters: sumOver(read, t => elementCount(t.shape)) }
  })
  const parameters = parametersOf(graph)
  const peak = activationPeak(plain, scope, inside)
  return {
    macs: sumOver(nodes, ({ macs }) => macs),
    parameters: sumOver(parameters, t => elementCount(t.shape)),
    parameterBytes: sumOver(parameters, tensorBytes),
    bytesRead: sumOver(nodes, ({ bytesRead }) => bytesRead),
    bytesWritten: sumOver(nodes, ({ bytesWritten }) => bytesWritten),
    peakActivationBytes: peak.bytes,
    peakNode: peak.node && graph.nodes[plain.nodes.indexOf(peak.node)],
    nodes,
    uncounted,
    countedOnce,
    unsized: peak.unsized,
    sizes,
    fitted,
    open,
  }
}

interface Work {
  readonly macs: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly unsized: number
}

/**
 * What a node and the bodies inside of it do. Nodes whose own multiply-accumulates are not known are listed. What bodies
 * read and write is part of what the node does; the node's own operands are counted beside it.
 */
function workOf(node: Node, scope: Scope, inside: Inside, uncounted: Node[], countedOnce: Node[]): Work {
  const own = ownCost(node, scope)
  if (Number.isNaN(own.macs)) uncounted.push(node)
  const bodies = Array.from(bodiesOf(node).length > 0 ? inside(node, scope) : [], ([body, within]) =>
    body.nodes.map(one => workOf(one, within, inside, uncounted, countedOnce)).reduce(together, nothing),
  )
  const dearest = bodies.reduce(
    (a, b) => (b.macs > a.macs || (b.macs === a.macs && moved(b) > moved(a)) ? b : a),
    nothing,
  )
  const times = own.iterations ?? 1
  // Bodies that are given something are gone through again and again.
  if (own.iterations === undefined && bodiesOf(node).some(({ inputs }) => inputs.length > 0)) countedOnce.push(node)
  const [read, written] = [operands(node.inputs, scope), operands(node.outputs, scope)]
  return together(
    {
      macs: own.macs || 0,
      bytesRead: read.bytes,
      bytesWritten: written.bytes,
      unsized: read.unsized + written.unsized,
    },
    {
      ...dearest,
      macs: dearest.macs * times,
      bytesRead: dearest.bytesRead * times,
      bytesWritten: dearest.bytesWritten * times,
    },
  )
}

/** A node's cost by its record; what its rule would read must be there. */
function ownCost(node: Node, scope: Scope): Cost {
  const operator = operatorOf(node)
  if (!operator) return { macs: Number.NaN }
  const untyped = node.inputs.some(name => name !== '' && !isTensorType(scope.type(name)))
  if (untyped && operator.accepts !== 'any' && operator.cost !== free) return { macs: Number.NaN }
  return asked(node, () => operator.cost(typedCallOf(node, scope)))
}

const nothing: Work = { macs: 0, bytesRead: 0, bytesWritten: 0, unsized: 0 }

function together(a: Work, b: Work): Work {
  return {
    macs: a.macs + b.macs,
    bytesRead: a.bytesRead + b.bytesRead,
    bytesWritten: a.bytesWritten + b.bytesWritten,
    unsized: a.unsized + b.unsized,
  }
}

const moved = ({ bytesRead, bytesWritten }: Work) => bytesRead + bytesWritten

function operands(names: readonly string[], scope: Scope): { readonly bytes: number; readonly unsized: number } {
  let [bytes, unsized] = [0, 0]
  for (const name of new Set(names)) {
    if (name === '') continue
    const size = bytesOfType(scope.type(name))
    if (size === undefined) unsized++
    else bytes += size
  }
  return { bytes, unsized }
}

/** Bodies are inferred once for each scope around them. */
function remembered(inside: Inside): Inside {
  const known = new WeakMap<Scope, Map<Node, ReadonlyMap<Body, Scope>>>()
  return (node, around) => {
    const nodes = known.get(around) ?? new Map<Node, ReadonlyMap<Body, Scope>>()
    known.set(around, nodes)
    const found = nodes.get(node) ?? inside(node, around)
    nodes.set(node, found)
    return found
  }
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

/** Whether a constant's elements are weights: of floating point, or quantized to at most 8 bits. */
export function isParameter(dtype: DType): boolean {
  return isFloat(dtype) || (isInteger(dtype) && byteLength(dtype, 1) === 1)
}

function sumOver<T>(items: Iterable<T>, size: (item: T) => number): number {
  let sum = 0
  for (const item of items) sum += size(item)
  return sum
}
