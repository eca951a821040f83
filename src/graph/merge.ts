import { SinterError } from '../base/errors.ts'
import { type Dim, formatType, isTensorType, type ValueType } from '../base/shape.ts'
import { mapBodies, namesOf } from './edit.ts'
import { type Body, dialect, type Graph, type Node, requiredInputs, type Value } from './graph.ts'
import { renameValues } from './rename.ts'
import { sizeClasses } from './size-classes.ts'

/**
 * The graph with a prefix before every name, of values and of nodes and within bodies, except for the inputs that a
 * caller feeds. Graphs with different prefixes can be merged.
 */
export function prefix(graph: Graph, start: string): Graph {
  const shared = new Set(requiredInputs(graph).map(value => value.name))
  const renamed = renameValues(graph, name => (shared.has(name) ? name : start + name))
  return prefixNodes(renamed, start)
}

function prefixNodes<B extends Body>(body: B, start: string): B {
  const nodes = body.nodes.map((node): Node => {
    const attributes = mapBodies(node, inner => prefixNodes(inner, start))
    return { ...node, attributes, name: node.name === '' ? '' : start + node.name }
  })
  return { ...body, nodes }
}

/**
 * Several graphs as one: inputs of the same name become one input, outputs stand one graph after the other. Dimensions
 * that must be equal for that (a symbol here, a size or another symbol there) become equal, and symbols that only happen
 * to have the same name do not. `names` call the graphs in messages.
 * @throws SinterError `invalid-argument` if inputs of one name do not go together, or another name stands in two graphs.
 * @throws SinterError `not-supported` if the graphs use versions of an operator set that may differ in meaning.
 */
export function merge(graphs: readonly Graph[], names: readonly string[] = graphs.map((_, i) => `graph ${i}`)): Graph {
  const first = graphs[0]
  if (!first) throw new SinterError('invalid-argument', 'There is no graph to merge.')
  refuseCollisions(graphs, names)
  const opset = mergeOpsets(graphs, names)
  const settle = unifyInputs(graphs, names)
  const parts = graphs.map((graph, i) => mapDims(graph, dim => settle(i, dim)))
  const inputs = new Map<string, Value>()
  for (const value of parts.flatMap(part => part.inputs)) {
    const known = inputs.get(value.name)
    inputs.set(value.name, known ? { ...known, type: bestOf(known.type, value.type) } : value)
  }
  const sparse = parts.flatMap(part => [...(part.sparseInitializers ?? [])])
  return {
    name: first.name,
    inputs: [...inputs.values()],
    outputs: parts.flatMap(part => part.outputs),
    nodes: parts.flatMap(part => part.nodes),
    initializers: new Map(parts.flatMap(part => [...part.initializers])),
    types: new Map(parts.flatMap(part => [...part.types])),
    ...(sparse.length > 0 ? { sparseInitializers: new Map(sparse) } : {}),
    opset,
    metadata: Object.assign({}, ...graphs.map(graph => graph.metadata).reverse()),
  }
}

function refuseCollisions(graphs: readonly Graph[], names: readonly string[]): void {
  const inputs = new Map<string, number>()
  graphs.forEach((graph, i) => {
    for (const { name } of requiredInputs(graph)) inputs.set(name, i)
  })
  const owners = new Map<string, number>()
  graphs.forEach((graph, i) => {
    const fed = new Set(requiredInputs(graph).map(value => value.name))
    for (const name of namesOf(graph)) {
      if (name === '' || fed.has(name)) continue
      const other = owners.get(name) ?? inputs.get(name)
      if (other !== undefined) {
        throw new SinterError(
          'invalid-argument',
          `The name '${name}' stands in ${names[other]} and in ${names[i]}; give each graph a prefix before merging.`,
          { name, graphs: [names[other], names[i]] },
        )
      }
    }
    for (const name of namesOf(graph)) if (name !== '' && !fed.has(name)) owners.set(name, i)
  })
}

/**
 * Opsets under which the nodes of all graphs mean what they did.
 * @throws SinterError `not-supported` where versions of an operator set may differ in meaning.
 */
export function mergeOpsets(graphs: readonly Graph[], names: readonly string[]): Graph['opset'] {
  const opset: Record<string, number> = {}
  const from: Record<string, number> = {}
  graphs.forEach((graph, i) => {
    for (const [domain, version] of Object.entries(graph.opset)) {
      const other = opset[domain]
      // From the dialect on, versions of ai.onnx add and do not change; of other sets that is not known.
      const additive = domain === '' && Math.min(version, other ?? version) >= dialect
      if (other !== undefined && other !== version && !additive) {
        const set = domain === '' ? 'ai.onnx' : domain
        const uses = `${names[from[domain]!]} uses version ${other} of ${set} and ${names[i]} version ${version}`
        throw new SinterError('not-supported', `${uses}; convert them to one version before merging.`, { domain })
      }
      if (other === undefined || version > other) {
        opset[domain] = version
        from[domain] = i
      }
    }
  })
  return opset
}

/** Makes inputs of one name agree, and returns what each graph's dimensions are then called. */
function unifyInputs(graphs: readonly Graph[], names: readonly string[]): (graph: number, dim: Dim) => Dim {
  const sizes = sizeClasses()
  const seen = new Map<string, { readonly graph: number; readonly type: ValueType | undefined }>()
  graphs.forEach((graph, i) => {
    for (const { name, type } of requiredInputs(graph)) {
      const other = seen.get(name)
      if (!other?.type) seen.set(name, { graph: i, type })
      else if (type && !agree(other.graph, other.type, i, type)) {
        throw new SinterError(
          'invalid-argument',
          `The input '${name}' is ${formatType(other.type)} in ${names[other.graph]} but ${formatType(type)} in ` +
            `${names[i]}; an input that graphs share must be of one type.`,
          { input: name, graphs: [names[other.graph], names[i]] },
        )
      }
    }
  })
  function agree(i: number, a: ValueType, j: number, b: ValueType): boolean {
    if (!isTensorType(a) || !isTensorType(b)) return formatType(a) === formatType(b)
    if (a.dtype !== b.dtype || (a.shape && b.shape && a.shape.length !== b.shape.length)) return false
    return (a.shape ?? []).every((dim, axis) => !b.shape || sizes.join([i, dim], [j, b.shape[axis]!]))
  }
  return sizes.name
}

/** A body with another dimension in the place of each that its types state, in the bodies of its nodes too. */
export function mapDims<B extends Body>(body: B, settle: (dim: Dim) => Dim): B {
  const type = <T extends ValueType | undefined>(of: T): T =>
    isTensorType(of) && of.shape ? { ...of, shape: of.shape.map(settle) } : of
  const value = (one: Value): Value => ({ ...one, type: type(one.type) })
  return {
    ...body,
    inputs: body.inputs.map(value),
    outputs: body.outputs.map(value),
    types: new Map([...body.types].map(([name, of]) => [name, type(of)])),
    nodes: body.nodes.map(node => {
      const attributes = mapBodies(node, inner => mapDims(inner, settle))
      return attributes === node.attributes ? node : { ...node, attributes }
    }),
  }
}

/** Of two types that agree, what each knows. */
function bestOf(a: ValueType | undefined, b: ValueType | undefined): ValueType | undefined {
  if (!isTensorType(a) || !isTensorType(b) || !b.shape) return a ?? b
  return { ...a, shape: a.shape?.map((dim, axis) => (dim === '' ? b.shape![axis]! : dim)) ?? b.shape }
}
