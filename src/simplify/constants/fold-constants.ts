import { byteLength } from '../../base/dtype.ts'
import { elementCount, isFixed, isTensorType, type ValueType } from '../../base/shape.ts'
import { isLazy, lazyTensor, type Tensor, tensorBytes } from '../../base/tensor.ts'
import { attribute } from '../../graph/attributes.ts'
import { mapBodies, node as toNode } from '../../graph/edit.ts'
import { type Body, bodiesOf, type Graph, type Node, readsOf } from '../../graph/graph.ts'
import { inferNode, type Scope } from '../../ops/call.ts'
import { typeOfConstant } from '../../ops/contents.ts'
import { constantOf } from '../../ops/generate.ts'
import { keyOf } from '../../ops/spec.ts'
import { bodyScopes } from '../../read/body-scopes.ts'
import { evaluateNode, followed, withoutDefaults } from '../../read/evaluate.ts'
import { infer, scopeOf } from '../../read/infer.ts'
import { type Pass, pass } from '../../rewrite/pass.ts'
import type { Settings } from '../settings.ts'

/**
 * Elements up to which nodes are evaluated here: by records that move data or compute in one walk over typed arrays, and
 * by the others. What is larger is for a backend.
 */
const mostElements = { quick: 2 ** 24, others: 2 ** 14 }

const quick: ReadonlySet<string> = new Set(
  `Transpose Reshape Flatten Squeeze Unsqueeze Slice Split Concat Gather Cast CastLike Identity Expand Tile ConstantOfShape
   Add Sub Mul Div Neg Abs Sqrt Exp Log Reciprocal Pow Max Min Sum Clip`.split(/\s+/),
)

/** Values of up to this many elements are computed even where they may not stay: what is made of them may be small. */
const passing = 2 ** 20

/**
 * Puts what nodes compute in their place where it is known before the graph runs: of constants, by the operators' own
 * evaluation, and the sizes that inference follows where inputs are not constant. In bodies too. What must grow beyond
 * `maxGrowth` bytes to be written down stays a node, and so does what draws random numbers, which no record evaluates.
 */
export const foldConstants = ({ maxGrowth }: Pick<Settings, 'maxGrowth'>): Pass =>
  pass('fold-constants', graph => {
    const fixed = withoutDefaults(graph)
    return foldIn(graph, graph, scopeOf(fixed, infer(fixed)), maxGrowth)
  })

function foldIn<B extends Body>(body: B, graph: Graph, around: Scope, maxGrowth: number): B {
  const fed = new Set(body.inputs.map(({ name }) => name))
  const folded = foldable(body, around, fed, maxGrowth)
  const kept = worthKeeping(body, folded, maxGrowth)
  const scope = folded.values.size === 0 ? around : folded.scope
  let changed = kept.size > 0
  const given = new Set(body.outputs.map(({ name }) => name))
  const initializers = new Map(body.initializers)
  const nodes: Node[] = []
  for (const node of body.nodes) {
    const made = node.outputs.filter(name => kept.has(name))
    if (made.length > 0) {
      for (const name of made) {
        const value = kept.get(name)!
        if (given.has(name)) nodes.push(asNode(name, value))
        else initializers.set(name, value)
      }
      continue
    }
    const attributes = bodiesOf(node).length === 0 ? node.attributes : foldBodies(node, graph, scope, maxGrowth)
    changed ||= attributes !== node.attributes
    nodes.push(attributes === node.attributes ? node : { ...node, attributes })
  }
  return changed ? { ...body, nodes, initializers } : body
}

/** An output keeps a node that makes it. */
function asNode(name: string, value: Tensor): Node {
  return toNode({ op: 'Constant', inputs: [], outputs: [name], attributes: { value: attribute.tensor(value) } })
}

function foldBodies(node: Node, graph: Graph, around: Scope, maxGrowth: number): Node['attributes'] {
  const scopes = bodyScopes(graph, node, around)
  return mapBodies(node, inner => {
    const scope = scopes.get(inner)
    return scope ? foldIn(inner, graph, scope, maxGrowth) : inner
  })
}

interface Foldable {
  readonly values: ReadonlyMap<string, Tensor>
  /** Bytes of the initializers of this body that a value is made of, and that nothing else needs. */
  readonly madeOf: ReadonlyMap<string, number>
  /** What is known with the values as constants. */
  readonly scope: Scope
}

/** All that could be folded in a body, node by node. */
function foldable(body: Body, around: Scope, fed: ReadonlySet<string>, maxGrowth: number): Foldable {
  const values = new Map<string, Tensor>()
  const types = new Map<string, ValueType>()
  const scope: Scope = {
    opset: around.opset,
    type(name) {
      const value = values.get(name)
      return value ? typeOfConstant(value) : (types.get(name) ?? around.type(name))
    },
    constant: name => (fed.has(name) ? undefined : (values.get(name) ?? around.constant(name))),
    inferBody: around.inferBody,
  }
  const madeOf = new Map<string, number>()
  const bytes = bytesFreed(body, scope, fed)
  for (const node of body.nodes) {
    if (constantOf(node) || bodiesOf(node).length > 0) continue
    const known = node.outputs.map(name => followed(scope.type(name)))
    let made: readonly (Tensor | undefined)[] | undefined
    const freed = node.inputs.reduce((sum, name) => sum + (madeOf.get(name) ?? bytes.get(name) ?? 0), 0)
    if (known.length > 0 && known.every(value => value !== undefined)) made = known
    else if (node.inputs.every(name => name === '' || scope.constant(name))) {
      learn(node, scope, types)
      if (isWorthwhile(node, scope, freed + maxGrowth)) made = evaluated(node, scope)
    }
    made?.forEach((value, i) => {
      const name = node.outputs[i]
      if (!name || !value) return
      values.set(name, value)
      madeOf.set(name, freed)
    })
  }
  return { values, madeOf, scope }
}

/** Bytes of each initializer that is read by nodes alone whose inputs are all constants. */
function bytesFreed(body: Body, scope: Scope, fed: ReadonlySet<string>): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>()
  for (const [name, value] of body.initializers) if (!fed.has(name)) bytes.set(name, sizeOf(value))
  for (const { name } of body.outputs) bytes.delete(name)
  const constant = new Set(bytes.keys())
  for (const node of body.nodes) {
    const isConstant = (name: string) => name === '' || constant.has(name) || scope.constant(name) !== undefined
    if (node.inputs.length > 0 && bodiesOf(node).length === 0 && node.inputs.every(isConstant)) {
      for (const name of node.outputs) constant.add(name)
    } else for (const name of readsOf(node)) bytes.delete(name)
  }
  return bytes
}

function sizeOf(value: Tensor): number {
  return value.dtype === 'string' ? tensorBytes(value) : byteLength(value.dtype, elementCount(value.shape))
}

/** Constants that were just made may say more of a node's outputs than was known before. */
function learn(node: Node, scope: Scope, types: Map<string, ValueType>): void {
  if (node.outputs.every(name => name === '' || isFixed(shapeIn(scope, name)))) return
  inferNode(node, scope).forEach((type, i) => {
    if (type && node.outputs[i]) types.set(node.outputs[i], type)
  })
}

function shapeIn(scope: Scope, name: string) {
  const type = scope.type(name)
  return isTensorType(type) ? type.shape : undefined
}

/** Whether outputs may stay as constants, or are small enough to be computed for what may come of them. */
function isWorthwhile(node: Node, scope: Scope, most: number): boolean {
  return node.outputs.every(name => {
    const type = scope.type(name)
    if (name === '') return true
    if (!isTensorType(type) || !isFixed(type.shape)) return false
    const count = elementCount(type.shape)
    return count <= passing || byteLength(type.dtype, count) <= most
  })
}

const before = new WeakMap<Node, { readonly given: readonly (Tensor | undefined)[]; readonly made: Evaluated }>()
type Evaluated = readonly Tensor[] | undefined

/** A node's outputs; what was computed of the same constants before, is not computed again. */
function evaluated(node: Node, scope: Scope): Evaluated {
  const given = node.inputs.map(name => (name === '' ? undefined : scope.constant(name)))
  const known = before.get(node)
  if (known && known.given.length === given.length && known.given.every((value, i) => value === given[i])) {
    return known.made
  }
  const key = keyOf(node)
  // Filling memory with one number takes no time to speak of.
  const fills = key === 'ConstantOfShape'
  const most = fills ? Number.POSITIVE_INFINITY : quick.has(key) ? mostElements.quick : mostElements.others
  let made: Evaluated = evaluateNode(node, scope, most)
  if (made && given.some(value => value && isLazy(value)))
    made = made.map((value, i) => readAgain(value, node, scope, i))
  before.set(node, { given, made })
  return made
}

/** What is made of a tensor that is not in memory is not kept there either, but made again when it is asked for. */
function readAgain(value: Tensor, node: Node, scope: Scope, output: number): Tensor {
  if (elementCount(value.shape) <= mostElements.others) return value
  const { dtype, shape } = value
  return lazyTensor(dtype, shape, () => evaluateNode(node, scope, Number.POSITIVE_INFINITY)![output]!.data)
}

/** The values that something else reads and that may be written down: the others go, or stay as nodes. */
function worthKeeping(body: Body, { values, madeOf }: Foldable, maxGrowth: number): ReadonlyMap<string, Tensor> {
  const kept = new Map<string, Tensor>()
  const needed = new Set(body.outputs.map(({ name }) => name))
  for (const node of body.nodes.toReversed()) {
    const read = node.outputs.filter(name => needed.has(name))
    const stays = read.some(name => {
      const value = values.get(name)
      return !value || sizeOf(value) > madeOf.get(name)! + maxGrowth
    })
    if (stays || (read.length === 0 && node.outputs.every(name => !values.has(name)))) {
      for (const name of readsOf(node)) needed.add(name)
    } else for (const name of read) kept.set(name, values.get(name)!)
  }
  return kept
}
