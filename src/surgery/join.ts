import { SinterError } from '../base/errors.ts'
import { suggestion } from '../base/near-names.ts'
import { formatType, isTensorType, type ValueType } from '../base/shape.ts'
import { dropUnused, mapBodies, namesOf } from '../graph/edit.ts'
import { freshNames } from '../graph/fresh-names.ts'
import { type Body, dialect, type Graph, type Node, requiredInputs, type Value } from '../graph/graph.ts'
import { mapDims, mergeOpsets } from '../graph/merge.ts'
import { renameValues } from '../graph/rename.ts'
import { type SizeClasses, sizeClasses } from '../graph/size-classes.ts'
import { infer } from '../read/infer.ts'
import { upgrade } from '../read/upgrade.ts'

export interface JoinOptions {
  /**
   * Inputs of the second by the outputs of the first that go into them. If left out, those of equal names; where there are
   * none, the only output and the only input.
   */
  readonly map?: Readonly<Record<string, string>>
  /** Before every name of the first, or of the second. */
  readonly prefixA?: string
  readonly prefixB?: string
  /** Whether outputs that go into the second model stay outputs. */
  readonly keepOutputs?: boolean
}

/**
 * Two graphs as one: outputs of the first go into inputs of the second. Inputs and outputs that are not connected are
 * those of the whole. Names within the second that the first has too become new ones; dimensions that are equal by the
 * connection become one symbol or size. Opsets are made equal by upgrading the older graph.
 * @throws SinterError `not-found` for a name in `map` that is no output or input, `invalid-argument` where nothing is
 *   connected, types do not go together, or both have an input or output of one name; `not-supported` where operator sets
 *   cannot be made equal.
 */
export function join(a: Graph, b: Graph, options: JoinOptions = {}): Graph {
  const links = linksOf(a, b, options.map)
  const [first, second] = sameOpsets(a, b)
  const left = named(first, options.prefixA ?? '', new Map())
  const start = options.prefixA ?? ''
  // Inputs of the second go by the names of what they are given.
  const given = new Map([...links].map(([input, output]) => [input, start + output]))
  const right = withoutClashes(named(second, options.prefixB ?? '', given), left, given)
  const settle = connect(left, right, given)
  const [front, back] = [mapDims(left, dim => settle(0, dim)), mapDims(right, dim => settle(1, dim))]
  const fed = new Set(given.values())
  const inputs = [...front.inputs, ...back.inputs.filter(({ name }) => !fed.has(name))]
  const outputs = [...front.outputs.filter(({ name }) => options.keepOutputs || !fed.has(name)), ...back.outputs]
  refuseTwice(inputs, 'input')
  refuseTwice(outputs, 'output')
  const sparse = [...(front.sparseInitializers ?? []), ...(back.sparseInitializers ?? [])]
  return dropUnused({
    ...front,
    name: [front.name, back.name].filter(name => name !== '').join('+'),
    inputs,
    outputs,
    nodes: [...front.nodes, ...back.nodes],
    // A default of an input that is given now has no say any more.
    initializers: new Map([...front.initializers, ...[...back.initializers].filter(([name]) => !fed.has(name))]),
    types: new Map([...front.types, ...back.types]),
    ...(sparse.length > 0 ? { sparseInitializers: new Map(sparse) } : {}),
    opset: mergeOpsets([front, back], ['the first model', 'the second']),
    metadata: { ...back.metadata, ...front.metadata },
  })
}

/** Inputs of the second, each with the output of the first that goes into it. */
function linksOf(a: Graph, b: Graph, map: JoinOptions['map']): ReadonlyMap<string, string> {
  const [outputs, inputs] = [a.outputs.map(({ name }) => name), b.inputs.map(({ name }) => name)]
  if (map === undefined) {
    const equal = inputs.filter(name => outputs.includes(name))
    if (equal.length > 0) return new Map(equal.map(name => [name, name]))
    const fed = requiredInputs(b).map(({ name }) => name)
    if (outputs.length === 1 && fed.length === 1) return new Map([[fed[0]!, outputs[0]!]])
    throw new SinterError(
      'invalid-argument',
      `No output of the first model (${outputs.join(', ')}) has the name of an input of the second (${fed.join(', ')}); say which goes where.`,
      { outputs, inputs: fed },
    )
  }
  const links = new Map<string, string>()
  for (const [output, input] of Object.entries(map)) {
    if (!outputs.includes(output))
      throw new SinterError('not-found', `The first model has no output '${output}'. ${suggestion(output, outputs)}`, {
        output,
      })
    if (!inputs.includes(input))
      throw new SinterError('not-found', `The second model has no input '${input}'. ${suggestion(input, inputs)}`, {
        input,
      })
    if (links.has(input))
      throw new SinterError('invalid-argument', `Two outputs go into the input '${input}'.`, { input })
    links.set(input, output)
  }
  if (links.size === 0) throw new SinterError('invalid-argument', 'Nothing is connected: the map is empty.')
  return links
}

function sameOpsets(a: Graph, b: Graph): readonly [Graph, Graph] {
  const [x, y] = [a.opset[''] ?? 1, b.opset[''] ?? 1]
  if (x === y || Math.min(x, y) >= dialect) return [a, b]
  const to = Math.max(x, y, dialect)
  return [raised(a, to, 'first'), raised(b, to, 'second')]
}

function raised(graph: Graph, to: number, which: string): Graph {
  const { graph: made, refused } = upgrade(graph, to)
  if (refused.length === 0) return made
  const reasons = refused.slice(0, 3).map(({ node, why }) => `${node}: ${why}`)
  throw new SinterError(
    'not-supported',
    `The opsets of the two models differ, and the ${which} cannot be upgraded to ${to}. ${reasons.join('; ')}.`,
    { refused },
  )
}

function named(graph: Graph, start: string, given: ReadonlyMap<string, string>): Graph {
  const renamed = renameValues(graph, name => given.get(name) ?? start + name)
  return start === ''
    ? renamed
    : mapNodes(renamed, node => (node.name === '' ? node : { ...node, name: start + node.name }))
}

/** The second graph with new names for what only it can see and the first has by the same name. */
function withoutClashes(graph: Graph, other: Graph, given: ReadonlyMap<string, string>): Graph {
  const taken = namesOf(other)
  const connected = new Set(given.values())
  const outside = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name))
  const own = namesOf(graph)
  const fresh = freshNames(new Set([...taken, ...own]))
  const changed = new Map<string, string>()
  for (const name of own) {
    if (name !== '' && taken.has(name) && !connected.has(name) && !outside.has(name)) changed.set(name, fresh(name))
  }
  const nodeNames = new Set<string>()
  const collect = (body: Body) => {
    for (const node of body.nodes) {
      nodeNames.add(node.name)
      mapBodies(node, inner => {
        collect(inner)
        return inner
      })
    }
  }
  collect(other)
  const before = new Set(nodeNames)
  const freshNode = freshNames(nodeNames)
  const renamed = changed.size === 0 ? graph : renameValues(graph, name => changed.get(name) ?? name)
  return mapNodes(renamed, node =>
    node.name !== '' && before.has(node.name) ? { ...node, name: freshNode(node.name) } : node,
  )
}

function mapNodes<B extends Body>(body: B, change: (node: Node) => Node): B {
  const nodes = body.nodes.map(node => {
    const attributes = mapBodies(node, inner => mapNodes(inner, change))
    return change(attributes === node.attributes ? node : { ...node, attributes })
  })
  return { ...body, nodes }
}

/** Makes the dimensions of what is connected equal; returns what each graph's dimensions are then called. */
function connect(a: Graph, b: Graph, given: ReadonlyMap<string, string>): SizeClasses['name'] {
  const sizes = sizeClasses()
  const types = infer(a)
  const inputs = new Map(b.inputs.map(value => [value.name, value.type]))
  for (const [input, output] of given) {
    const from = types.get(output) ?? a.outputs.find(({ name }) => name === output)?.type
    const to = inputs.get(output)
    if (fits(from, to, sizes)) continue
    throw new SinterError(
      'invalid-argument',
      `'${output}' of the first model is ${formatType(from)}, but the input '${input}' of the second takes ${formatType(to)}.`,
      { output, input },
    )
  }
  return (graph, dim) => sizes.name(graph, dim)
}

function fits(from: ValueType | undefined, to: ValueType | undefined, sizes: SizeClasses): boolean {
  if (!from || !to) return true
  if (!isTensorType(from) || !isTensorType(to)) return formatType(from) === formatType(to)
  if (from.dtype !== to.dtype) return false
  const [x, y] = [from.shape, to.shape]
  return !x || !y || (x.length === y.length && x.every((dim, axis) => sizes.join([0, dim], [1, y[axis]!])))
}

function refuseTwice(values: readonly Value[], what: string): void {
  const seen = new Set<string>()
  for (const { name } of values) {
    if (seen.has(name))
      throw new SinterError('invalid-argument', `Both models have an ${what} '${name}'; give one of them a prefix.`, {
        name,
      })
    seen.add(name)
  }
}
