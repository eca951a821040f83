import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mapBodies } from '../graph/edit.ts'
import { freshNames } from '../graph/fresh-names.ts'
import { type Body, bodiesOf, definedBy, type Graph, type Node, readsOf } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { decode } from '../onnx/decode.ts'
import type { Backend, Feeds } from './backend.ts'
import { nodeFinder } from './engine-names.ts'
import { type ProfileOptions, profileGraph } from './profile-graph.ts'

/** What one node of the graph took, by itself or as the end of those that the engine fused with it. Times are per run. */
export interface LayerTime {
  readonly node: Node
  /** Microseconds; a node with bodies includes what they took. */
  readonly time: number
  /** What the engine ran for it: operators, the engine's own among them. */
  readonly kernels: readonly string[]
  /** The other nodes whose work is in it. */
  readonly fused: readonly Node[]
}

export interface LayerTimes {
  /** Runs that were measured. */
  readonly runs: number
  /** Mean microseconds of a run. */
  readonly run: number
  /** Slowest first. */
  readonly layers: readonly LayerTime[]
  /** What the engine ran that stands for no node of the graph: conversions between layouts, copies. */
  readonly unmapped: readonly { readonly name: string; readonly kernel: string; readonly time: number }[]
  /** Of a run, what no node took: the engine's own work between nodes. */
  readonly between: number
}

/**
 * Runs a graph under the engine's profiler and gives its times to the graph's nodes. The engine first rewrites the graph:
 * what it runs is found again by the values that it makes, or by its name; nodes whose values no longer exist have been
 * fused into the node that followed from them.
 * @throws SinterError as `profileGraph` does.
 */
export async function layerTimes(
  backend: Backend,
  graph: Graph,
  feeds: Feeds,
  options: ProfileOptions = {},
): Promise<LayerTimes> {
  const folder = await mkdtemp(join(tmpdir(), 'sinter-layers-'))
  try {
    const { named, original } = withNames(graph)
    const optimizedModelPath = join(folder, 'optimized.onnx')
    const profile = await profileGraph(backend, named, feeds, { ...options, optimizedModelPath })
    const optimized = await readFile(optimizedModelPath).then(
      bytes => decode(bytes),
      () => undefined, // Beyond 2 GB the engine cannot write it in one file; names tell most.
    )
    const find = finder(named, optimized)
    const layers = new Map<Node, { time: number; kernels: string[]; fused: ReadonlySet<Node> }>()
    const unmapped: { name: string; kernel: string; time: number }[] = []
    for (const { name, op, total } of profile.nodes) {
      const time = total / profile.runs
      const place = find(name)
      if (place === 'inside') continue // Its time is in that of the node around it.
      if (!place) {
        unmapped.push({ name, kernel: op, time })
        continue
      }
      const known = layers.get(place.node)
      if (known) {
        known.time += time
        known.kernels.push(op)
      } else layers.set(place.node, { time, kernels: [op], fused: place.fused })
    }
    const mapped = Array.from(layers, ([node, { time, kernels, fused }]): LayerTime => {
      return { node: original.get(node)!, time, kernels, fused: [...fused].map(one => original.get(one)!) }
    }).sort((a, b) => b.time - a.time)
    const all = [...mapped, ...unmapped].reduce((sum, { time }) => sum + time, 0)
    return { runs: profile.runs, run: profile.run, layers: mapped, unmapped, between: Math.max(0, profile.run - all) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Place {
  readonly node: Node
  readonly fused: ReadonlySet<Node>
}

/** The graph with a name of its own for every node, in bodies too, and the nodes that they were. */
function withNames(graph: Graph): { readonly named: Graph; readonly original: ReadonlyMap<Node, Node> } {
  const fresh = freshNames(new Set(['']))
  const original = new Map<Node, Node>()
  const name = <B extends Body>(body: B, top: boolean): B => ({
    ...body,
    nodes: body.nodes.map((node): Node => {
      const attributes = mapBodies(node, inner => name(inner, false))
      const made = { ...node, attributes, name: fresh(node.name || `${node.op}_${node.outputs[0] ?? ''}`) }
      if (top) original.set(made, node)
      return made
    }),
  })
  return { named: name(graph, true), original }
}

/** Finds the node that something stands for which the engine ran, with those fused into it. */
function finder(named: Graph, optimized: Graph | undefined): (engineName: string) => Place | 'inside' | undefined {
  const byName = nodeFinder(named)
  const { producer } = view(named)
  const inner = new Set<string>()
  const collect = (body: Body) => {
    for (const node of body.nodes) {
      inner.add(node.name)
      for (const one of bodiesOf(node)) collect(one)
    }
  }
  for (const graph of optimized ? [named, optimized] : [named])
    for (const node of graph.nodes) for (const body of bodiesOf(node)) collect(body)
  const ran = new Map(optimized?.nodes.map(node => [node.name, node]))
  const left = optimized && valuesLeft(optimized, producer, byName)
  const places = new Map<string, Place>()
  const live = dependents(named)

  /** From a node back to values that the engine still has: those between were fused into it. */
  function fusedInto(node: Node): ReadonlySet<Node> {
    const fused = new Set<Node>()
    if (!left) return fused
    const open = [node]
    for (let next = open.pop(); next; next = open.pop()) {
      for (const name of readsOf(next)) {
        const maker = left.has(name) ? undefined : producer(name)
        // What is computed from constants alone the engine has computed before the first run.
        if (!maker || fused.has(maker) || !live.has(maker)) continue
        fused.add(maker)
        open.push(maker)
      }
    }
    return fused
  }
  return engineName => {
    const known = places.get(engineName)
    if (known) return known
    const kernel = ran.get(engineName)
    const plain = plainName(engineName)
    const made = [...(kernel?.outputs ?? []).map(plainName), plain].map(producer).find(one => one !== undefined)
    const last = made ?? byName(engineName) ?? byName(plain)
    if (!last) return inner.has(engineName) ? 'inside' : undefined
    const all = [last, ...fusedInto(last)]
    // A FusedConv is the convolution's rather than the activation's behind it.
    const node = kernel
      ? (all.find(one => one.op === kernel.op) ?? all.find(one => kernel.op.endsWith(one.op)) ?? last)
      : last
    const place = { node, fused: new Set(all.filter(one => one !== node)) }
    places.set(engineName, place)
    return place
  }
}

/**
 * Values of the graph that the engine still makes, by their own names or, where its layouts have others, by those of its
 * nodes: it calls a node after the value that it makes, or after the node that it was.
 */
function valuesLeft(
  optimized: Graph,
  producer: (name: string) => Node | undefined,
  byName: (name: string) => Node | undefined,
): ReadonlySet<string> {
  const left = new Set([...definedBy(optimized)].map(plainName))
  for (const { name, outputs } of optimized.nodes) {
    if (outputs.some(output => producer(plainName(output)))) continue
    const plain = plainName(name)
    for (const value of (producer(plain) ?? byName(name) ?? byName(plain))?.outputs ?? []) left.add(value)
  }
  return left
}

/** A name without what the engine puts behind those that it makes of others. */
function plainName(name: string): string {
  return name.replace(/(_nchwc|_nhwc|_token_\d+|\/\w*Fusion\w*\/?|\/duplicated)+$/, '')
}

/** Nodes that depend on what a graph is fed. */
function dependents(graph: Graph): ReadonlySet<Node> {
  const fed = new Set(graph.inputs.map(({ name }) => name))
  const found = new Set<Node>()
  for (const node of graph.nodes) {
    if (!readsOf(node).some(name => fed.has(name))) continue
    found.add(node)
    for (const name of node.outputs) fed.add(name)
  }
  return found
}
