import { SinterError } from '../base/errors.ts'
import type { ValueType } from '../base/shape.ts'
import { dropUnused } from '../graph/edit.ts'
import { type Graph, type Node, readsOf, requiredInputs, type Value } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { infer, type Types } from '../read/infer.ts'
import { valuesNamed } from './names.ts'

/** A value goes by its own name, or by that of the node that makes it and nothing else. */
export interface ExtractOptions {
  /** Values that become the inputs; if left out, those of the graph's own inputs that the outputs depend on. */
  readonly inputs?: readonly string[]
  /** Values that become the outputs; the graph's own if left out. */
  readonly outputs?: readonly string[]
}

/**
 * The part of a graph between some of its values: the nodes that the outputs depend on, back to the inputs. Types of
 * new inputs and outputs are inferred. Bodies of If, Loop and Scan go whole with their nodes.
 * @throws SinterError as `valuesNamed` does for names; `invalid-argument` for an input that no output depends on, for
 *   outputs that also need inputs that are not named, and for an output that is an input; `not-supported` for inputs whose
 *   element type is not known.
 */
export function extract(graph: Graph, options: ExtractOptions): Graph {
  const ends = valuesNamed(graph, options.outputs ?? graph.outputs.map(({ name }) => name), 'output')
  const inputs = options.inputs && valuesNamed(graph, options.inputs, 'input')
  const starts = new Set(inputs ?? graph.inputs.map(({ name }) => name))
  const through = ends.find(name => starts.has(name))
  if (through !== undefined)
    throw new SinterError('invalid-argument', `'${through}' is an input and an output: nothing is between.`, {
      name: through,
    })
  const { nodes, reached } = between(graph, starts, ends)
  if (inputs) refuseStrays(graph, inputs, reached)
  const fed = new Set(inputs ?? graph.inputs.filter(({ name }) => reached.has(name)).map(({ name }) => name))
  const types = infer(graph)
  const left = withoutKeys(graph.initializers, inputs ? fed : new Set())
  const part: Graph = {
    ...graph,
    inputs: [...fed].map(name => asInput(valueNamed(graph, name, types))),
    outputs: ends.map(name => valueNamed(graph, name, types)),
    nodes: graph.nodes.filter(node => nodes.has(node)),
    initializers: left,
    types: withoutKeys(graph.types, new Set([...fed, ...ends])),
  }
  return dropUnused(part)
}

/** The nodes that some values depend on, going back no further than others, and all values on the way. */
export function between(
  graph: Graph,
  starts: ReadonlySet<string>,
  ends: readonly string[],
): { readonly nodes: ReadonlySet<Node>; readonly reached: ReadonlySet<string> } {
  const { producer } = view(graph)
  const nodes = new Set<Node>()
  const reached = new Set(ends)
  for (const name of reached) {
    const node = starts.has(name) ? undefined : producer(name)
    if (!node || nodes.has(node)) continue
    nodes.add(node)
    for (const read of readsOf(node)) reached.add(read)
  }
  return { nodes, reached }
}

function refuseStrays(graph: Graph, inputs: readonly string[], reached: ReadonlySet<string>): void {
  const idle = inputs.find(name => !reached.has(name))
  if (idle !== undefined)
    throw new SinterError('invalid-argument', `No output depends on the input '${idle}'; leave it out.`, { name: idle })
  const missing = requiredInputs(graph)
    .map(({ name }) => name)
    .filter(name => reached.has(name) && !inputs.includes(name))
  if (missing.length === 0) return
  const names = missing.map(name => `'${name}'`).join(', ')
  throw new SinterError(
    'invalid-argument',
    `The outputs also depend on the graph's ${missing.length === 1 ? 'input' : 'inputs'} ${names}; name ${missing.length === 1 ? 'it' : 'them'} among the inputs, or values nearer to the outputs.`,
    { missing },
  )
}

/** A value with what is known of its type: as the graph states it, or as it is inferred. */
export function valueNamed(graph: Graph, name: string, types: Types): Value {
  const stated = [...graph.inputs, ...graph.outputs].find(value => value.name === name)
  return { ...stated, name, type: plain(types.get(name)) ?? stated?.type }
}

/** @throws SinterError `not-supported` for a value that could not be fed. */
function asInput(value: Value): Value {
  if (value.type) return value
  const message = `The type of '${value.name}' cannot be inferred, so it cannot be an input; name a value before it.`
  throw new SinterError('not-supported', message, { name: value.name })
}

/** A type without what inference also knows of the contents. */
function plain(type: ValueType | undefined): ValueType | undefined {
  return type && 'dtype' in type ? { dtype: type.dtype, shape: type.shape } : type
}

function withoutKeys<T>(map: ReadonlyMap<string, T>, keys: ReadonlySet<string>): ReadonlyMap<string, T> {
  return new Map([...map].filter(([name]) => !keys.has(name)))
}
