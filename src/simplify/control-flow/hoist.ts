import { contentIds } from '../../base/content.ts'
import { isTensorType, type Shape, sameDim } from '../../base/shape.ts'
import { numbers } from '../../base/tensor.ts'
import { mapBodies, namesOf, renameReads, node as toNode } from '../../graph/edit.ts'
import { freshNames } from '../../graph/fresh-names.ts'
import { type Body, bodiesOf, definedBy, type Graph, type Node, readsOf } from '../../graph/graph.ts'
import type { Scope } from '../../ops/call.ts'
import { broadcasting, faulting, pointwise } from '../../ops/kinds.ts'
import { attributesOf, keyOf } from '../../ops/spec.ts'
import { withoutDefaults } from '../../read/evaluate.ts'
import { infer, scopeInside, scopeOf } from '../../read/infer.ts'
import { pass } from '../../rewrite/pass.ts'
import { keyFor } from '../../rewrite/share-equal.ts'

/**
 * Takes out of an If what both of its branches compute, and out of a Loop or Scan what is the same in every
 * iteration, if it surely runs once or nothing can be wrong with computing that in vain. An If whose branches come to the same value gives way to that value. What only one branch computes stays
 * in it: it may not be wanted, or not even be possible, on the other way.
 */
export const hoist = pass('hoist', graph => {
  if (!hasBodies(graph)) return graph
  const tools: Tools = { graph, fresh: freshNames(namesOf(graph)), idOf: contentIds() }
  return hoistIn(
    graph,
    tools,
    once(() => openScope(withoutDefaults(graph))),
  )
})

interface Tools {
  readonly graph: Graph
  fresh(hint: string): string
  readonly idOf: ReturnType<typeof contentIds>
}

function hasBodies(body: Body): boolean {
  return body.nodes.some(node => bodiesOf(node).length > 0)
}

/** What is known of values, worked out when it is first asked for. */
type Known = () => Scope

function once(make: Known): Known {
  let made: Scope | undefined
  return () => {
    made ??= make()
    return made
  }
}

const openScope = (graph: Graph) => scopeOf(graph, infer(graph))

function hoistIn<B extends Body>(body: B, tools: Tools, known: Known): B {
  let changed = false
  const nodes: Node[] = []
  for (const old of body.nodes) {
    if (bodiesOf(old).length === 0) {
      nodes.push(old)
      continue
    }
    const within = (inner: Body) => once(() => scopeInside(tools.graph, inner, known()))
    const attributes = mapBodies(old, inner => hoistIn(inner, tools, within(inner)))
    const node = attributes === old.attributes ? old : { ...old, attributes }
    const found = keyOf(node) === 'If' ? hoistFromBranches(node, tools) : hoistFromLoop(node, tools, known, within)
    if (found) nodes.push(...found)
    else nodes.push(node)
    changed ||= found !== undefined || node !== old
  }
  return changed ? { ...body, nodes } : body
}

/** A branch or a loop's body while nodes leave it. */
class Source {
  readonly body: Body
  readonly gone = new Set<Node>()
  /** What values that have left go by outside. */
  readonly outside = new Map<string, string>()
  readonly #local: ReadonlySet<string>

  constructor(body: Body) {
    this.body = body
    this.#local = definedBy(body)
  }

  /** A node as it would stand outside, if all that it reads is there. */
  free(node: Node): Node | undefined {
    if (this.gone.has(node) || keyOf(node) === 'Identity' || keyOf(node) === 'Constant') return undefined
    if (readsOf(node).some(name => this.#local.has(name) && !this.outside.has(name))) return undefined
    return renameReads(node, name => this.outside.get(name) ?? name)
  }

  /** Takes a node out, whose outputs have those names outside. */
  take(node: Node, names: readonly string[]): void {
    this.gone.add(node)
    node.outputs.forEach((name, i) => {
      if (name !== '') this.outside.set(name, names[i]!)
    })
  }

  /** What is left. The body's own outputs are still made in it, as engines want them to be. */
  rest(): Body {
    const given = new Set(this.body.outputs.map(({ name }) => name))
    const copies = [...this.outside].flatMap(([name, source]) =>
      given.has(name) ? [toNode({ op: 'Identity', inputs: [source], outputs: [name] })] : [],
    )
    const inner = (name: string) => (given.has(name) ? name : (this.outside.get(name) ?? name))
    const nodes = this.body.nodes.filter(node => !this.gone.has(node)).map(node => renameReads(node, inner))
    return { ...this.body, nodes: [...copies, ...nodes] }
  }

  /** The value around the body that an output is a mere copy of. */
  copied(output: string): string | undefined {
    const maker = this.body.nodes.find(node => node.outputs.includes(output))
    const source = maker && keyOf(maker) === 'Identity' && !this.gone.has(maker) ? maker.inputs[0]! : undefined
    if (source === undefined) return this.outside.get(output)
    return this.#local.has(source) ? this.outside.get(source) : source
  }
}

function hoistFromBranches(node: Node, tools: Tools): readonly Node[] | undefined {
  const { then_branch: then, else_branch: otherwise } = node.attributes
  if (then?.type !== 'graph' || otherwise?.type !== 'graph') return undefined
  const [left, right] = [new Source(then.value), new Source(otherwise.value)]
  const hoisted: Node[] = []
  for (let progress = true; progress; ) {
    progress = false
    const twins = new Map<string, Node>()
    for (const one of right.body.nodes) {
      const key = keyWhereFree(one, right, tools)
      if (key !== undefined) twins.set(key, one)
    }
    if (twins.size === 0) break
    for (const one of left.body.nodes) {
      const key = keyWhereFree(one, left, tools)
      const twin = key === undefined ? undefined : twins.get(key)
      if (!twin || right.gone.has(twin)) continue
      const outputs = one.outputs.map(name => (name === '' ? '' : tools.fresh(name)))
      hoisted.push({ ...left.free(one)!, outputs, name: nameOutside(one, tools) })
      left.take(one, outputs)
      right.take(twin, outputs)
      progress = true
    }
  }
  // Outputs that are the same value on both ways.
  const copies: Node[] = []
  const outputs = node.outputs.map((name, i) => {
    const source = name === '' ? undefined : left.copied(left.body.outputs[i]!.name)
    if (source === undefined || source !== right.copied(right.body.outputs[i]!.name)) return name
    copies.push(toNode({ op: 'Identity', inputs: [source], outputs: [name] }))
    return ''
  })
  if (hoisted.length === 0 && copies.length === 0) return undefined
  if (copies.length === outputs.length) return [...hoisted, ...copies]
  const attributes = {
    ...node.attributes,
    then_branch: { ...then, value: left.rest() },
    else_branch: { ...otherwise, value: right.rest() },
  }
  return [...hoisted, { ...node, outputs, attributes }, ...copies]
}

/** Outside another node may have the name. */
const nameOutside = ({ name }: Node, tools: Tools) => (name === '' ? '' : tools.fresh(name))

function keyWhereFree(node: Node, source: Source, tools: Tools): string | undefined {
  const free = source.free(node)
  return free && keyFor(free, tools.graph.opset, tools.idOf, undefined)
}

const without = (names: Iterable<string>, others: readonly string[]) =>
  new Set([...names].filter(name => !others.includes(name)))

/** Operators that compute whatever they are given: one iteration too few does no harm to know their results. */
const total = without(
  [...pointwise, 'Shape', 'Size', 'Softmax', 'Transpose'],
  ['Cast', 'Clip', 'DequantizeLinear', 'QuantizeLinear'],
)

/** Operators that compute where their operands' shapes fit. */
const broadcasts = without(broadcasting, [...faulting, 'PRelu'])

/** Operators that may find fault with what they are given, which is right where the loop would come to it anyway. */
const partial = new Set(['Cast', 'Clip', 'Concat', 'Expand', 'Unsqueeze'])

/** Whether a node can be computed even where the loop that it stands in is never entered. */
function isSafe(node: Node, { type, constant }: Scope): boolean {
  const key = keyOf(node)
  if (total.has(key)) return true
  const types = node.inputs.map(name => (name === '' ? undefined : type(name)))
  const [x] = types
  if (broadcasts.has(key)) return types.every(isTensorType) && fit(types.map(type => type.shape))
  if (key === 'Clip') return types.slice(1).every(bound => !bound || (isTensorType(bound) && bound.shape?.length === 0))
  // Not every string is a number.
  if (key === 'Cast') return isTensorType(x) && x.dtype !== 'string'
  return key === 'Unsqueeze' && isTensorType(x) && x.shape !== undefined && constant(node.inputs[1]!) !== undefined
}

/** Whether shapes surely broadcast: along each axis all sizes that are not 1 are the same. */
function fit(shapes: readonly (Shape | undefined)[]): boolean {
  const [first, ...more] = shapes
  if (!first || more.includes(undefined)) return false
  return shapes.every((a, i) =>
    shapes.slice(i + 1).every(b => {
      const shared = Math.min(a!.length, b!.length)
      return a!.slice(a!.length - shared).every((dim, axis) => {
        const other = b![b!.length - shared + axis]!
        return dim === 1 || other === 1 || sameDim(dim, other)
      })
    }),
  )
}

/** Whether the body of a Loop or Scan is computed at least once. */
function surelyRuns(node: Node, { type, constant, opset }: Scope): boolean {
  const [trips = '', condition = ''] = node.inputs
  if (keyOf(node) === 'Loop') {
    const positive = (name: string) => {
      const value = name === '' ? undefined : constant(name)
      return name === '' || (value !== undefined && numbers(value)[0]! > 0)
    }
    return positive(trips) && positive(condition)
  }
  const { num_scan_inputs: count, scan_input_axes: axes } = attributesOf(node, opset('')) as unknown as ScanAttributes
  const scanned = node.inputs.slice(-count)
  return scanned.some((name, i) => {
    const known = type(name)
    const size = isTensorType(known) ? known.shape?.at(axes?.[i] ?? 0) : undefined
    return typeof size === 'number' && size > 0
  })
}

interface ScanAttributes {
  readonly num_scan_inputs: number
  readonly scan_input_axes?: readonly number[]
}

function hoistFromLoop(
  node: Node,
  tools: Tools,
  around: Known,
  within: (body: Body) => Known,
): readonly Node[] | undefined {
  const { body } = node.attributes
  if (body?.type !== 'graph' || (keyOf(node) !== 'Loop' && keyOf(node) !== 'Scan')) return undefined
  const source = new Source(body.value)
  const inside = within(body.value)
  const hoisted: Node[] = []
  let runs: boolean | undefined
  for (const one of body.value.nodes) {
    const key = keyOf(one)
    if (!total.has(key) && !broadcasts.has(key) && !partial.has(key)) continue
    if (keyWhereFree(one, source, tools) === undefined) continue
    runs ??= surelyRuns(node, around())
    if (!runs && !isSafe(one, inside())) continue
    const outputs = one.outputs.map(name => (name === '' ? '' : tools.fresh(name)))
    hoisted.push({ ...source.free(one)!, outputs, name: nameOutside(one, tools) })
    source.take(one, outputs)
  }
  if (hoisted.length === 0) return undefined
  return [...hoisted, { ...node, attributes: { ...node.attributes, body: { ...body, value: source.rest() } } }]
}
