import { messageOf, SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { type Dim, isTensorType, shapeOf, type ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { mapBodies, namesOf } from '../graph/edit.ts'
import { freshNames } from '../graph/fresh-names.ts'
import { type Body, describe, type Graph, type Node, readsOf, type Value } from '../graph/graph.ts'
import { mapDims } from '../graph/merge.ts'
import { countedAxis } from '../ops/axes.ts'
import { inferNode, type Scope } from '../ops/call.ts'
import { infer, scopeOf } from '../read/infer.ts'
import { refit } from './refit.ts'

/** One dimension of one input, and what it becomes: a size, or a symbol. */
export interface DimChange {
  readonly input: string
  /** Counted from the end if negative. */
  readonly axis: number
  readonly to: Dim
}

export interface DimsSet {
  readonly graph: Graph
  /** Nodes whose constants were fitted to it: a Reshape whose target held the old size. */
  readonly refitted: readonly string[]
}

/**
 * Gives dimensions of inputs other sizes or symbols: a batch of 1 becomes `N`, or `N` becomes 8. A symbol is one wherever
 * it stands, so changing it in one input changes it in all. What the file states of shapes in between is inferred anew,
 * and targets of Reshape into which an old size was burnt are fitted where the elements keep their order by that.
 * @throws SinterError `not-found` for an input that there is not; `invalid-argument` for an axis that it has not;
 *   `not-supported` where nodes stand in the way: `details.nodes` lists them.
 */
export function setDims(graph: Graph, changes: readonly DimChange[]): DimsSet {
  if (changes.length === 0) throw new SinterError('invalid-argument', 'Name a dimension to set.')
  const changed = withInputs(graph, changes)
  const before = infer(graph)
  const { graph: fitted, refitted, obstacles } = fit(changed, graph, name => shapeOf(before.get(name)))
  const found = obstacles.length > 0 ? obstacles : contradictions(fitted, changes)
  if (found.length > 0) {
    const shown = found.slice(0, 5).map(({ node, why }) => `${node}: ${why}`)
    const more = found.length > shown.length ? ` And ${found.length - shown.length} more.` : ''
    const advice = 'Where other inputs have that size too, set it in all of them; else it is written into the model.'
    throw new SinterError('not-supported', `Nodes stand in the way. ${shown.join('. ')}.${more} ${advice}`, {
      nodes: found,
    })
  }
  const types = infer(fitted)
  const outputs = fitted.outputs.map(({ name, ...rest }): Value => ({ ...rest, name, type: plain(types.get(name)) }))
  return { graph: { ...fitted, outputs }, refitted }
}

/** The graph with new types of its inputs, and without the shapes that it states of other values. */
function withInputs(graph: Graph, changes: readonly DimChange[]): Graph {
  const symbols = new Map<string, Dim>()
  const sizes = new Map<string, Map<number, Dim>>()
  for (const { input, axis, to } of changes) {
    const { shape, at } = dimOf(graph, input, axis)
    const dim = shape[at]!
    const known = typeof dim === 'string' && dim !== '' ? symbols.get(dim) : sizes.get(input)?.get(at)
    if (known !== undefined && known !== to)
      throw new SinterError('invalid-argument', `'${input}', axis ${axis}, is to be ${known} and ${to} at once.`, {
        input,
      })
    if (typeof dim === 'string' && dim !== '') symbols.set(dim, to)
    else sizes.set(input, (sizes.get(input) ?? new Map<number, Dim>()).set(at, to))
  }
  const renamed = mapDims(graph, dim => symbols.get(dim as string) ?? dim)
  const inputs = renamed.inputs.map(({ name, type, ...rest }): Value => {
    const own = sizes.get(name)
    if (!own || !isTensorType(type) || !type.shape) return { name, type, ...rest }
    return { ...rest, name, type: { ...type, shape: type.shape.map((dim, axis) => own.get(axis) ?? dim) } }
  })
  return withoutStated({ ...renamed, inputs })
}

/** @throws SinterError where there is no such dimension. */
function dimOf(graph: Graph, input: string, axis: number): { readonly shape: readonly Dim[]; readonly at: number } {
  const value = graph.inputs.find(({ name }) => name === input)
  const names = graph.inputs.map(({ name }) => name)
  if (!value)
    throw new SinterError('not-found', `The graph has no input '${input}'. ${suggestion(input, names)}`, { input })
  const shape = shapeOf(value.type)
  const at = countedAxis(axis, shape?.length ?? 0)
  if (shape && at >= 0 && at < shape.length) return { shape, at }
  const rank = shape ? `has ${shape.length} dimensions` : 'states no shape'
  throw new SinterError('invalid-argument', `The input '${input}' ${rank}; there is no axis ${axis}.`, { input, axis })
}

/** A body without the shapes that it states for values in between and outputs: they may hold old sizes. */
function withoutStated<B extends Body>(body: B): B {
  const bare = (type: ValueType | undefined) => (isTensorType(type) ? { dtype: type.dtype, shape: undefined } : type)
  return {
    ...body,
    types: new Map(),
    outputs: body.outputs.map(value => ({ ...value, type: bare(value.type) })),
    nodes: body.nodes.map(node => {
      const attributes = mapBodies(node, withoutStated)
      return attributes === node.attributes ? node : { ...node, attributes }
    }),
  }
}

interface Obstacle {
  readonly node: string
  readonly why: string
}

interface Fitted {
  readonly graph: Graph
  readonly refitted: readonly string[]
  readonly obstacles: readonly Obstacle[]
}

/** Goes through the nodes with their new types, and fits those whose constants hold what was before. */
function fit(changed: Graph, graph: Graph, before: (name: string) => readonly Dim[] | undefined): Fitted {
  const types = new Map<string, ValueType>()
  for (const { name, type } of changed.inputs) if (type) types.set(name, type)
  const constants = new Map<string, Tensor>()
  const initial = infer({ ...changed, nodes: [] })
  for (const [name, type] of initial) types.set(name, type)
  const around = scopeOf(changed, types)
  const scope: Scope = { ...around, constant: name => constants.get(name) ?? around.constant(name) }
  const fresh = freshNames(namesOf(graph))
  const refitted: string[] = []
  const replaced = new Set<string>()
  const obstacles: Obstacle[] = []
  const nodes = changed.nodes.map((node): Node => {
    const fitting = refit(node, scope, before)
    let current = node
    if (fitting && 'why' in fitting) obstacles.push({ node: describe(node), why: fitting.why })
    else if (fitting) {
      const old = node.inputs[fitting.input]!
      const name = fresh(`${old}_fitted`)
      replaced.add(old)
      constants.set(name, fitting.value)
      types.set(name, { dtype: fitting.value.dtype, shape: fitting.value.shape })
      current = { ...node, inputs: node.inputs.with(fitting.input, name) }
      refitted.push(describe(node))
    }
    try {
      inferNode(current, scope).forEach((type, i) => {
        const name = node.outputs[i]
        if (name && type) types.set(name, type)
      })
    } catch (error) {
      if (!(error instanceof SinterError)) throw error
      obstacles.push({ node: describe(node), why: withoutNode(messageOf(error), node) })
    }
    return current
  })
  const initializers = new Map([...changed.initializers, ...constants])
  return { graph: withoutIdle({ ...changed, nodes, initializers }, replaced), refitted, obstacles }
}

/** The graph without constants among some names that nothing reads any more. */
function withoutIdle(graph: Graph, names: ReadonlySet<string>): Graph {
  if (names.size === 0) return graph
  const read = new Set(graph.nodes.flatMap(readsOf))
  for (const { name } of [...graph.inputs, ...graph.outputs]) read.add(name)
  const idle = (name: string) => names.has(name) && !read.has(name)
  return {
    ...graph,
    nodes: graph.nodes.filter(node => !(node.inputs.length === 0 && idle(node.outputs[0] ?? ''))),
    initializers: new Map([...graph.initializers].filter(([name]) => !idle(name))),
  }
}

/** Two sizes that no model has on purpose, so that what only fits one of them shows. */
const probes = [{ '*': 7 }, { '*': 11 }]

/** What does not fit once symbols have sizes: inference is strict about numbers only. */
function contradictions(graph: Graph, changes: readonly DimChange[]): readonly Obstacle[] {
  const failures = probes.map(bind => {
    try {
      infer(graph, { bind })
      return undefined
    } catch (error) {
      if (error instanceof SinterError) return error
      throw error
    }
  })
  // A size that is only too small or too large for the graph fails in one way; what is burnt in fails for every size.
  if (failures.some(failure => failure === undefined)) return []
  const [node = '', why = ''] = splitMessage(failures[0]!.message)
  const symbols = new Set(changes.flatMap(({ to }) => (typeof to === 'string' ? [to] : [])))
  const tried = symbols.size > 0 ? `when ${[...symbols].join(', ')} is ${probes[0]!['*']}, say` : 'whatever is open'
  return [{ node, why: `${why}, ${tried}` }]
}

function splitMessage(message: string): readonly string[] {
  const at = message.indexOf(': ')
  return at < 0 ? ['', message] : [message.slice(0, at), message.slice(at + 2).replace(/\.$/, '')]
}

function withoutNode(message: string, node: Node): string {
  const start = `${describe(node)}: `
  return (message.startsWith(start) ? message.slice(start.length) : message).replace(/\.$/, '')
}

function plain(type: ValueType | undefined): ValueType | undefined {
  return isTensorType(type) ? { dtype: type.dtype, shape: type.shape } : type
}
