import { sameContent } from '../../base/content.ts'
import type { Tensor } from '../../base/tensor.ts'
import { mapBodies, namesOf, renameReads } from '../../graph/edit.ts'
import { freshNames } from '../../graph/fresh-names.ts'
import { type Body, bodiesOf, type Graph, type Node } from '../../graph/graph.ts'
import { pass } from '../../rewrite/pass.ts'

/**
 * Keeps one copy of initializers that are equal in type, shape and every bit, wherever in the graph and in bodies they
 * stand; what several bodies hold alike moves to the graph around them. What is written once is read, prepacked and, by
 * the rules, compared once. This is right here, where the graph is only run: before a training it would tie parameters
 * that merely start out equal. Initializers that callers may override, and those that are outputs, stay as they are.
 */
export const tieConstants = tie('tie-constants', () => true)

/**
 * The same for scalars and vectors alone, before other steps: these then know equal operands by their names. Weights wait
 * until nothing more is folded into them, which could be done for each node that has weights of its own.
 */
export const tieVectors = tie('tie-vectors', ({ shape }) => shape.length <= 1)

function tie(title: string, isMeant: (value: Tensor) => boolean) {
  return pass(title, graph => tieEqual(graph, isMeant))
}

function tieEqual(graph: Graph, isMeant: (value: Tensor) => boolean): Graph {
  const found: Held[] = []
  collect(graph, isMeant, found)
  const groups = equalOnes(found)
  if (groups.length === 0) return graph
  const fresh = freshNames(namesOf(graph))
  const renames = new Map<Body, Map<string, string>>()
  const added = new Map<string, Tensor>()
  for (const group of groups) {
    const first = group[0]!
    // Bodies may use the same name for different values: what moves out of them needs one that none has.
    const name = first.body === graph ? first.name : fresh(first.name)
    if (first.body !== graph) added.set(name, first.value)
    for (const one of group) {
      if (one.body === graph && one.name === name) continue
      const known = renames.get(one.body)
      if (known) known.set(one.name, name)
      else renames.set(one.body, new Map([[one.name, name]]))
    }
  }
  const tied = tieIn(graph, renames)
  return added.size === 0 ? tied : { ...tied, initializers: new Map([...tied.initializers, ...added]) }
}

interface Held {
  readonly name: string
  readonly value: Tensor
  readonly body: Body
}

/** Initializers that never change, the graph's own first. */
function collect(body: Body, isMeant: (value: Tensor) => boolean, found: Held[]): void {
  const fixed = new Set([...body.inputs, ...body.outputs].map(({ name }) => name))
  for (const [name, value] of body.initializers)
    if (!fixed.has(name) && isMeant(value)) found.push({ name, value, body })
  for (const node of body.nodes) for (const inner of bodiesOf(node)) collect(inner, isMeant, found)
}

/** Those that are equal, two or more together. A tensor is read only where another has its type and shape. */
function equalOnes(found: readonly Held[]): readonly (readonly Held[])[] {
  const alike = grouped(found, ({ value: { dtype, shape } }) => `${dtype}[${shape}]`)
  return alike.flatMap(group => grouped(group, ({ value }) => sampleOf(value))).flatMap(splitByContent)
}

function grouped(list: readonly Held[], key: (one: Held) => string): readonly (readonly Held[])[] {
  const groups = new Map<string, Held[]>()
  for (const one of list) {
    const text = key(one)
    const group = groups.get(text)
    if (group) group.push(one)
    else groups.set(text, [one])
  }
  return [...groups.values()].filter(group => group.length > 1)
}

const samples = new WeakMap<Tensor, string>()

/** A few elements: enough to tell nearly all different tensors apart, kept so that no tensor is read for them twice. */
function sampleOf(value: Tensor): string {
  const known = samples.get(value)
  if (known !== undefined) return known
  const { data } = value
  const step = Math.max(1, Math.floor(data.length / 16))
  const sample = Array.from({ length: Math.min(16, data.length) }, (_, i) => String(data[i * step])).join()
  samples.set(value, sample)
  return sample
}

function splitByContent(group: readonly Held[]): readonly (readonly Held[])[] {
  const classes: Held[][] = []
  for (const one of group) {
    const equal = classes.find(([first]) => sameContent(first!.value, one.value))
    if (equal) equal.push(one)
    else classes.push([one])
  }
  return classes.filter(list => list.length > 1)
}

/** The body without the initializers that were renamed, in it and in the bodies inside, and all reads of them following. */
function tieIn<B extends Body>(body: B, renames: ReadonlyMap<Body, ReadonlyMap<string, string>>): B {
  const own = renames.get(body)
  let changed = own !== undefined
  const nodes = body.nodes.map((node): Node => {
    const attributes = mapBodies(node, inner => tieIn(inner, renames))
    const inside = attributes === node.attributes ? node : { ...node, attributes }
    const after = own ? renameReads(inside, name => own.get(name) ?? name) : inside
    changed ||= after !== node
    return after
  })
  if (!changed) return body
  const initializers = own ? new Map([...body.initializers].filter(([name]) => !own.has(name))) : body.initializers
  return { ...body, nodes, initializers }
}
