import { SinterError } from '../base/errors.ts'
import { random as randomStream } from '../base/random.ts'
import { elementCount } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import type { Graph } from '../graph/graph.ts'
import { view } from '../graph/view.ts'
import { schemaOf } from '../ops/spec.ts'
import { type ChannelGroup, type GroupAxis, indicesOf } from '../read/coupling.ts'
import { infer, scopeOf } from '../read/infer.ts'

/** Scores a group's slots, one number each, in order: the smallest leave first. Comparable across groups. */
export type Importance = (graph: Graph, group: ChannelGroup) => ArrayLike<number>

/**
 * The sum of the absolute weights that a channel lies on, as Li et al. ("Pruning Filters for Efficient ConvNets",
 * ICLR 2017) rank filters: over every weight of the group (those that make the channel and those that read it), each
 * divided by its layer's mean, averaged over the layers, as Torch-Pruning reduces and normalises.
 */
export const l1Norm: Importance = (graph, group) => magnitude(graph, group, Math.abs, sum => sum)

/** The Euclidean norm of the weights that a channel lies on; reduced and normalised as `l1Norm`. */
export const l2Norm: Importance = (graph, group) => magnitude(graph, group, w => w * w, Math.sqrt)

/**
 * The absolute scale of the normalisation that a channel passes (Liu et al., "Learning Efficient Convolutional Networks
 * through Network Slimming", ICCV 2017), averaged where there are several.
 * @throws SinterError `not-supported` for a group without a normalisation: fold it later, or choose another score.
 */
export const bnScale: Importance = (graph, group) => {
  const scales = parametersOf(graph, group).filter(({ axis }) => isScale(graph, axis.value))
  if (scales.length === 0) {
    throw new SinterError('not-supported', `The channels of '${group.name}' pass no normalisation with a scale.`, {
      group: group.name,
    })
  }
  return mean(scales.map(({ axis, value }) => normalise(sums(group, axis, value, Math.abs))))
}

/** Uniform scores: the baseline that any other should beat. */
export function randomImportance(seed: number): Importance {
  return (_, group) => {
    const stream = randomStream(seed).fork(group.name)
    return Float64Array.from({ length: group.slots }, () => stream.uniform())
  }
}

function magnitude(
  graph: Graph,
  group: ChannelGroup,
  term: (weight: number) => number,
  finish: (sum: number) => number,
): Float64Array {
  const all = parametersOf(graph, group)
  // Biases and statistics are not what a filter weighs, unless there is nothing else.
  const weights = all.filter(({ axis }) => axis.rank > 1)
  return mean(
    (weights.length > 0 ? weights : all).map(({ axis, value }) =>
      normalise(sums(group, axis, value, term).map(finish)),
    ),
  )
}

interface Parameter {
  readonly axis: GroupAxis
  readonly value: Tensor
}

function parametersOf(graph: Graph, group: ChannelGroup): Parameter[] {
  const { constant } = scopeOf(graph, infer(graph))
  return group.axes.flatMap(axis => {
    const value = axis.parameter ? constant(axis.value) : undefined
    return value ? [{ axis, value }] : []
  })
}

/** Sums a term over each slot's part of a parameter. */
function sums(group: ChannelGroup, axis: GroupAxis, value: Tensor, term: (weight: number) => number): Float64Array {
  const data = numbers(value)
  const inner = elementCount(value.shape.slice(axis.axis + 1))
  const outer = elementCount(value.shape.slice(0, axis.axis))
  const byIndex = new Float64Array(axis.size)
  let at = 0
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < axis.size; i++) {
      let sum = 0
      for (const end = at + inner; at < end; at++) sum += term(data[at]!)
      byIndex[i]! += sum
    }
  }
  return Float64Array.from({ length: group.slots }, (_, slot) => {
    let sum = 0
    for (const i of indicesOf(axis, slot)) sum += byIndex[i]!
    return sum
  })
}

function normalise(scores: Float64Array): Float64Array {
  const average = scores.reduce((sum, score) => sum + score, 0) / scores.length
  return average > 0 ? scores.map(score => score / average) : scores
}

function mean(layers: readonly Float64Array[]): Float64Array {
  return layers[0]!.map((_, slot) => layers.reduce((sum, layer) => sum + layer[slot]!, 0) / layers.length)
}

/** Whether a node reads the value where the standard has an input called `scale`. */
function isScale(graph: Graph, value: string): boolean {
  return view(graph)
    .consumers(value)
    .some(node => {
      const formal = schemaOf(node, graph.opset[node.domain] ?? 1)?.inputs
      return formal?.some(([name], i) => /^scale$/i.test(name) && node.inputs[i] === value)
    })
}
