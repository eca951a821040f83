import { SinterError } from '../base/errors.ts'
import { type Random, random } from '../base/random.ts'
import { elementCount, sameShape } from '../base/shape.ts'
import { fromNumbers, type Tensor } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import { describe, type Graph, type Node, only, readsOf } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { type Scope, typedCallOf } from '../ops/call.ts'
import { operatorOf } from '../ops/index.ts'
import { isNo, type Link, type Port } from '../ops/operator.ts'
import { infer, scopeOf } from '../read/infer.ts'

export interface ReplaceHeadOptions {
  /** Channels of the output from now on: classes, for a classifier. */
  readonly channels: number
  /** Of the new weights. */
  readonly seed: number
  /** The output to change; may be left out where there is only one. */
  readonly output?: string
}

/**
 * Gives a network another number of outputs, for training it on another task: the last layer before an output (and the
 * bias behind it) is made anew, all before it stays. The output's channels are its axis 1. Values keep their names.
 *
 * New weights are uniform in +-1/sqrt(fan-in), PyTorch's default for its linear layers and convolutions; biases are zero.
 * @throws SinterError `not-found` if there is no such output; `not-supported` if no layer before it makes its channels.
 */
export function replaceHead(graph: Graph, { channels, seed, output }: ReplaceHeadOptions): Graph {
  if (!(Number.isInteger(channels) && channels >= 1)) {
    throw new SinterError('invalid-argument', `A head has a whole number of channels, not ${channels}.`, { channels })
  }
  const name = output ?? only(graph.outputs, 'output').name
  if (!graph.outputs.some(value => value.name === name)) {
    throw new SinterError('not-found', `The graph has no output '${name}'.`, { output: name })
  }
  const head = findHead(graph, name)
  const changed = behind(graph, head.at)
  const replaced = edit(graph, draft => {
    const stream = random(seed)
    for (const { value, axis } of head.parameters) {
      const old = graph.initializers.get(value)!
      draft.initializers.set(value, renewed(old, axis, channels, stream.fork(value)))
    }
    for (const value of changed) draft.types.delete(value)
    draft.outputs.forEach((value, i) => {
      if (changed.has(value.name)) draft.outputs[i] = { ...value, type: undefined }
    })
  })
  const types = infer(replaced)
  const outputs = replaced.outputs.map(value => ({ ...value, type: value.type ?? types.get(value.name) }))
  return { ...replaced, outputs }
}

/** The values that a node makes, and all that depend on them. */
function behind(graph: Graph, start: Node): ReadonlySet<string> {
  const values = new Set(start.outputs)
  for (const node of graph.nodes) {
    if (readsOf(node).some(name => values.has(name))) for (const name of node.outputs) values.add(name)
  }
  return values
}

interface Head {
  /** What to make anew, along which axis. */
  readonly parameters: readonly { readonly value: string; readonly axis: number }[]
  /** The layer that makes the channels. */
  readonly at: Node
}

/** Follows the output's channels back to the weights that make them. */
function findHead(graph: Graph, output: string): Head {
  const { producer, consumers, isOutput } = view(graph)
  const scope = scopeOf(graph, infer(graph))
  const parameters: { value: string; axis: number }[] = []
  let [value, axis] = [output, 1]
  for (;;) {
    const node = producer(value)
    if (!node) throw refusal(output, `it is followed back to '${value}', which no layer makes`)
    const sources = sourcesOf(node, value, axis, scope)
    const made = sources.filter(source => graph.initializers.has(source.value))
    for (const source of made) {
      const shared = consumers(source.value).length > 1 || isOutput(source.value)
      if (shared) throw refusal(output, `'${source.value}' is read by other nodes than ${describe(node)} too`)
    }
    parameters.push(...made)
    // Biases and scales come on the way; the weights have an axis that they sum over besides.
    if (made.some(source => graph.initializers.get(source.value)!.shape.length > 1)) return { parameters, at: node }
    const data = sources.filter(source => !graph.initializers.has(source.value))
    if (data.length !== 1) throw refusal(output, `${describe(node)} makes its channels of ${data.length} values`)
    ;({ value, axis } = data[0]!)
  }
}

/** The inputs of a node whose channels, one to one, are those of its output. */
function sourcesOf(node: Node, output: string, axis: number, scope: Scope): { value: string; axis: number }[] {
  const call = typedCallOf(node, scope)
  const coupling = operatorOf(node)?.coupling
  const links: readonly Link[] = coupling && !isNo(coupling) ? coupling(call) : []
  const here: Port = ['out', node.outputs.indexOf(output), axis]
  const linked = links.flatMap(({ from, to, map }) => {
    const [input, other] = from[0] === 'in' ? [from, to] : [to, from]
    return map === 'same' && input[0] === 'in' && `${other}` === `${here}`
      ? [{ value: node.inputs[input[1]]!, axis: input[2] }]
      : []
  })
  if (linked.length > 0) return linked
  // A softmax mixes channels, but has as many of them as its input.
  const type = call.outputs[here[1]]
  return node.inputs.flatMap((value, i) =>
    value !== '' && sameShape(call.inputs[i]?.shape, type?.shape) ? [{ value, axis }] : [],
  )
}

function renewed(old: Tensor, axis: number, channels: number, stream: Random): Tensor {
  const shape = old.shape.with(axis, channels)
  const count = elementCount(shape)
  const bound = old.shape.length > 1 ? 1 / Math.sqrt(count / channels) : 0
  return fromNumbers(
    old.dtype,
    shape,
    Float64Array.from({ length: count }, () => (2 * stream.uniform() - 1) * bound),
  )
}

function refusal(output: string, why: string): SinterError {
  return new SinterError('not-supported', `The head of '${output}' cannot be replaced: ${why}.`, { output })
}
