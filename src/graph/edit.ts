import { SinterError } from '../base/errors.ts'
import type { ValueType } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { freshNames } from './fresh-names.ts'
import { type Attribute, type Body, bodiesOf, definedBy, describe, type Node, type Value } from './graph.ts'
import { reachable, sortNodes } from './view.ts'

/** A node as one writes it: everything but the operator has a default. */
export interface NewNode {
  readonly op: string
  readonly domain?: string
  readonly name?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, Attribute>>
}

export function node({ op, domain = '', name = '', inputs, outputs, attributes = {} }: NewNode): Node {
  return { op, domain, name, inputs, outputs, attributes }
}

function isWhole(one: Node | NewNode): one is Node {
  return one.domain !== undefined && one.name !== undefined && one.attributes !== undefined
}

/** A body being changed, inside `edit` only. */
export interface Draft {
  readonly inputs: Value[]
  readonly outputs: Value[]
  readonly initializers: Map<string, Tensor>
  readonly types: Map<string, ValueType>
  /** The nodes as they stand, in no particular order: `edit` sorts them at the end. */
  nodes(): Iterable<Node>
  add(...nodes: readonly (Node | NewNode)[]): void
  /** Takes a node out, whether it is given as it stands or as it was before redirections; no error if it is not there. */
  remove(node: Node): void
  /**
   * Puts one node in another's place. What the file says beside the meaning (`extra`) stays unless the replacement is a
   * whole node, which brings its own.
   */
  replace(old: Node, replacement: Node | NewNode): void
  /**
   * Everything that reads `from` now, the graph's outputs included if `outputs` is true, reads `to` instead. Names inside
   * of bodies too. Nodes added later are not concerned.
   */
  redirect(from: string, to: string, options?: { readonly outputs?: boolean }): void
  /** Adds an initializer under a new name like the one given, and returns its name. */
  constant(hint: string, value: Tensor): string
  /** A name not used yet, like the one given. */
  fresh(hint: string): string
}

/**
 * Applies changes to a copy of a graph and returns it, its nodes in order. What nothing reads any more goes
 * (`keepUnused` keeps it). The graph given is untouched; if `change` changes nothing, it is returned itself.
 */
export function edit<B extends Body>(
  body: B,
  change: (draft: Draft) => void,
  options: { readonly keepUnused?: boolean } = {},
): B {
  // A Map keeps the order of its keys when a value changes: what takes another's place stands where that one stood.
  const nodes = new Map<number, Node>(body.nodes.entries())
  const placeOf = new Map<Node, number>()
  for (const [place, one] of nodes) placeOf.set(one, place)
  let places = nodes.size
  let touched = false
  let pending = redirections()
  /** What has become of nodes that redirections changed. */
  const successors = new Map<Node, Node>()
  const taken = namesOf(body)
  const draft: Draft = {
    inputs: [...body.inputs],
    outputs: [...body.outputs],
    initializers: new Map(body.initializers),
    types: new Map(body.types),
    nodes: () => {
      settle()
      return nodes.values()
    },
    add(...added) {
      settle()
      for (const one of added) {
        touched = true
        const made = isWhole(one) ? one : node(one)
        stand(places++, made)
        take(made)
      }
    },
    remove(old) {
      settle()
      const found = standing(old)
      const place = placeOf.get(found)
      if (place === undefined) return
      touched = true
      nodes.delete(place)
      placeOf.delete(found)
    },
    replace(old, replacement) {
      settle()
      const found = standing(old)
      const place = placeOf.get(found)
      if (place === undefined) {
        const message = `${describe(old)} is not in the graph (any more), so nothing can take its place.`
        throw new SinterError('invalid-argument', message, { node: old.name })
      }
      touched = true
      const kept = found.extra ? { extra: found.extra } : {}
      const made = isWhole(replacement) ? replacement : { ...node(replacement), ...kept }
      placeOf.delete(found)
      stand(place, made)
      take(made)
    },
    redirect(from, to, { outputs = false } = {}) {
      pending.add(from, to)
      if (outputs) {
        draft.outputs.forEach((value, i) => {
          if (value.name === from) draft.outputs[i] = { ...value, name: to }
        })
      }
    },
    constant(hint, value) {
      const name = draft.fresh(hint)
      draft.initializers.set(name, value)
      return name
    },
    // Initializers may be put into the draft past `constant`.
    fresh: freshNames({
      has: name => taken.has(name) || draft.initializers.has(name),
      add: name => taken.add(name),
    }),
  }
  // Redirections gather until the nodes are looked at, so that many of them cost one walk.
  function settle() {
    if (pending.isEmpty()) return
    const { target } = pending
    pending = redirections()
    for (const [place, n] of nodes) {
      const renamed = renameReads(n, target)
      if (renamed === n) continue
      touched = true
      successors.set(n, renamed)
      placeOf.delete(n)
      stand(place, renamed)
    }
  }
  function stand(place: number, one: Node) {
    if (placeOf.has(one)) return
    nodes.set(place, one)
    placeOf.set(one, place)
  }
  function standing(old: Node): Node {
    let current = old
    for (let next: Node | undefined = old; next; next = successors.get(current)) current = next
    return current
  }
  function take(made: Node) {
    taken.add(made.name)
    for (const name of made.outputs) taken.add(name)
    for (const inner of bodiesOf(made)) for (const name of namesOf(inner)) taken.add(name)
  }
  change(draft)
  settle()
  const same =
    !touched &&
    sameList(draft.inputs, body.inputs) &&
    sameList(draft.outputs, body.outputs) &&
    sameMap(draft.initializers, body.initializers) &&
    sameMap(draft.types, body.types)
  if (same) return body
  const { inputs, outputs, initializers, types } = draft
  const changed: B = { ...body, inputs, outputs, initializers, types, nodes: sortNodes([...nodes.values()]) }
  return options.keepUnused ? changed : dropUnused(changed)
}

/** Redirections in the order in which they are asked for, as one renaming of what stood there before all of them. */
function redirections() {
  const targets = new Map<string, string>()
  const sources = new Map<string, string[]>()
  return {
    isEmpty: () => targets.size === 0,
    target: (name: string) => targets.get(name) ?? name,
    add(from: string, to: string) {
      if (from === to) return
      // Who reads `from` now: what was redirected to it before, and its own readers unless they have left.
      const moving = sources.get(from) ?? []
      if (!targets.has(from)) moving.push(from)
      sources.delete(from)
      for (const name of moving) targets.set(name, to)
      const there = sources.get(to)
      if (there) there.push(...moving)
      else sources.set(to, moving)
    },
  }
}

/** Nodes, initializers and types that no output depends on are left out. Inputs stay, and the initializers that are their defaults. */
export function dropUnused<B extends Body>(body: B): B {
  const used = reachable(
    body,
    body.outputs.map(value => value.name),
  )
  const nodes = body.nodes.filter(n => n.outputs.some(name => used.has(name)))
  const made = new Set(nodes.flatMap(n => n.outputs))
  const defaults = new Set(body.inputs.map(value => value.name))
  const initializers = new Map([...body.initializers].filter(([name]) => used.has(name) || defaults.has(name)))
  const types = new Map([...body.types].filter(([name]) => made.has(name)))
  const sparse =
    body.sparseInitializers &&
    new Map([...body.sparseInitializers].filter(([name]) => used.has(name) || defaults.has(name)))
  const unchanged =
    nodes.length === body.nodes.length &&
    initializers.size === body.initializers.size &&
    types.size === body.types.size &&
    sparse?.size === body.sparseInitializers?.size
  return unchanged ? body : { ...body, nodes, initializers, types, ...(sparse ? { sparseInitializers: sparse } : {}) }
}

/** A node whose reads, captured names in its bodies included, go by new names. Itself if none does. */
export function renameReads(n: Node, rename: (name: string) => string): Node {
  const inputs = n.inputs.map(name => (name === '' ? '' : rename(name)))
  const attributes = mapBodies(n, body => renameCaptures(body, rename))
  return attributes === n.attributes && sameList(inputs, n.inputs) ? n : { ...n, inputs, attributes }
}

/** A node's attributes with each body in them replaced; the same object if none changes. */
export function mapBodies(n: Node, change: (body: Body) => Body): Readonly<Record<string, Attribute>> {
  if (bodiesOf(n).length === 0) return n.attributes
  let changed = false
  const entries = Object.entries(n.attributes).map(([name, attribute]): [string, Attribute] => {
    if (attribute.type === 'graph') {
      const value = change(attribute.value)
      changed ||= value !== attribute.value
      return [name, { ...attribute, value }]
    }
    if (attribute.type === 'graphs') {
      const value = attribute.value.map(change)
      changed ||= value.some((body, i) => body !== attribute.value[i])
      return [name, { ...attribute, value }]
    }
    return [name, attribute]
  })
  return changed ? Object.fromEntries(entries) : n.attributes
}

function renameCaptures(body: Body, rename: (name: string) => string): Body {
  const local = definedBy(body)
  const inner = (name: string) => (local.has(name) ? name : rename(name))
  const nodes = body.nodes.map(n => renameReads(n, inner))
  const outputs = body.outputs.map(value => {
    const name = inner(value.name)
    return name === value.name ? value : { ...value, name }
  })
  return sameList(nodes, body.nodes) && sameList(outputs, body.outputs) ? body : { ...body, nodes, outputs }
}

/**
 * Every name in a body and in the bodies inside of it, of values and of nodes: a new node goes by its first output's name,
 * and engines refuse two nodes of one name.
 */
export function namesOf(body: Body): Set<string> {
  const names = new Set<string>([...body.initializers.keys(), ...(body.sparseInitializers?.keys() ?? [])])
  for (const value of [...body.inputs, ...body.outputs]) names.add(value.name)
  for (const n of body.nodes) {
    names.add(n.name)
    for (const name of n.outputs) names.add(name)
    for (const name of n.inputs) names.add(name)
    for (const inner of bodiesOf(n)) for (const name of namesOf(inner)) names.add(name)
  }
  names.add('')
  return names
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}

function sameMap<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}
