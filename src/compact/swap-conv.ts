import { SinterError } from '../base/errors.ts'
import { elementCount } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { edit } from '../graph/edit.ts'
import { describe, type Graph, type Node } from '../graph/graph.ts'
import type { AttributesOf } from '../ops/spec.generated.ts'
import { attributesOf, toAttributes } from '../ops/spec.ts'
import { infer, scopeOf } from '../read/infer.ts'
import { principalAxes } from './principal-axes.ts'

export interface SwapConvOptions {
  /**
   * - `pointwise`: a 1x1 convolution, k*k times fewer multiply-accumulates; its weights are the sums over each kernel, so
   *   that a map without detail gives what it gave
   * - `separable`: a depthwise k x k convolution and a 1x1 one behind it, about k*k times fewer where there are many
   *   channels; the weights are the best such approximation, channel by channel
   */
  readonly to: 'pointwise' | 'separable'
  /** Which convolutions; all that can be, if not given. */
  readonly only?: (conv: Node) => boolean
  /** Depthwise filters for each input channel of a separable one: 1 if not given; with k*k of them nothing is lost. */
  readonly rank?: number
}

export interface SwappedConvs {
  readonly graph: Graph
  readonly count: number
  /** Convolutions that stay, and why. */
  readonly declined: readonly { readonly node: string; readonly reason: string }[]
}

/**
 * Replaces convolutions by cheaper ones. Changes what the graph computes (unless `rank` is full): train it on afterwards.
 * Separable weights are found as in Guo et al., "Network Decoupling: From Regular to Depthwise Separable Convolutions"
 * (BMVC 2018): for each input channel, the leading singular vectors of its kernels.
 * @throws SinterError `invalid-argument` if `rank` is not a whole number from 1 on.
 */
export function swapConvs(graph: Graph, { to, only = () => true, rank = 1 }: SwapConvOptions): SwappedConvs {
  if (!(Number.isInteger(rank) && rank >= 1)) {
    throw new SinterError('invalid-argument', `The rank must be a whole number from 1 on, not ${rank}.`, { rank })
  }
  const { constant } = scopeOf(graph, infer(graph))
  const declined: { node: string; reason: string }[] = []
  const found: Conv[] = []
  for (const node of graph.nodes) {
    if (node.op !== 'Conv' || node.domain !== '' || !only(node)) continue
    const conv = { node, weights: constant(node.inputs[1]!), attributes: convAttributes(graph, node) }
    const reason = refusal(conv, to)
    if (reason === undefined) found.push(conv as Conv)
    else declined.push({ node: describe(node), reason })
  }
  const swapped = edit(graph, draft => {
    for (const { node, weights, attributes } of found) {
      const [x, name, ...bias] = node.inputs as [string, string, ...string[]]
      const write = (
        input: string,
        part: Tensor,
        hint: string,
        output: string,
        as: Partial<ConvAttributes>,
        b: string[],
      ) => ({
        ...node,
        inputs: [input, draft.constant(`${name}_${hint}`, part), ...b],
        outputs: [output],
        attributes: toAttributes('Conv', { ...as, kernel_shape: part.shape.slice(2) }),
      })
      const [output] = node.outputs as [string]
      if (to === 'pointwise') {
        const { group, strides } = attributes
        draft.replace(node, write(x, summed(weights), 'pointwise', output, { group, strides }, bias))
        continue
      }
      const { depthwise, pointwise } = separated(weights, rank)
      const between = draft.fresh(`${output}_depthwise`)
      const channels = weights.shape[1]!
      draft.replace(node, write(between, pointwise, 'pointwise', output, {}, bias))
      draft.add({
        ...write(x, depthwise, 'depthwise', between, { ...attributes, group: channels }, []),
        name: node.name && `${node.name}_depthwise`,
      })
    }
  })
  return { graph: swapped, count: found.length, declined }
}

type ConvAttributes = AttributesOf['Conv']

interface Conv {
  readonly node: Node
  /** [outputs, inputs / group, ...kernel] */
  readonly weights: Tensor
  readonly attributes: ConvAttributes
}

function convAttributes(graph: Graph, node: Node): ConvAttributes {
  return attributesOf(node, graph.opset[''] ?? 1) as unknown as ConvAttributes
}

/** Why a convolution stays as it is. */
function refusal(
  { weights, attributes }: Omit<Conv, 'weights'> & { weights: Tensor | undefined },
  to: SwapConvOptions['to'],
): string | undefined {
  if (!weights) return 'its weights are computed'
  const kernel = weights.shape.slice(2)
  if (elementCount(kernel) === 1) return 'its kernel is a single element already'
  if (to === 'separable') return attributes.group === 1 ? undefined : 'it has groups'
  const { auto_pad, pads = [], dilations = [] } = attributes
  if (auto_pad.startsWith('SAME')) return undefined
  const keeps = kernel.every((size, i) => {
    const padding = (pads[i] ?? 0) + (pads[i + kernel.length] ?? 0)
    return padding === (dilations[i] ?? 1) * (size - 1)
  })
  return keeps ? undefined : 'without its kernel the output would have another size: it is not padded by half of it'
}

/** [outputs, inputs, ...kernel] -> [outputs, inputs, 1, ...] */
function summed(weights: Tensor): Tensor {
  const [outputs, inputs, ...kernel] = weights.shape as [number, number, ...number[]]
  const size = elementCount(kernel)
  const data = numbers(weights)
  const sums = new Float64Array(outputs * inputs)
  for (let i = 0; i < data.length; i++) sums[Math.floor(i / size)]! += data[i]!
  return fromNumbers(weights.dtype, [outputs, inputs, ...kernel.map(() => 1)], sums)
}

/**
 * For each input channel the matrix [outputs, k*k] of its kernels, as the sum of `rank` products of a column (pointwise)
 * and a row (depthwise): depthwise [inputs * rank, 1, ...kernel], pointwise [outputs, inputs * rank, 1, ...].
 */
function separated(weights: Tensor, rank: number): { depthwise: Tensor; pointwise: Tensor } {
  const [outputs, inputs, ...kernel] = weights.shape as [number, number, ...number[]]
  const size = elementCount(kernel)
  const most = Math.min(rank, size)
  const data = numbers(weights)
  const depthwise = new Float64Array(inputs * most * size)
  const pointwise = new Float64Array(outputs * inputs * most)
  for (let input = 0; input < inputs; input++) {
    const kernelAt = (output: number) => (output * inputs + input) * size
    const gram = new Float64Array(size * size)
    for (let output = 0; output < outputs; output++) {
      const at = kernelAt(output)
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) gram[i * size + j]! += data[at + i]! * data[at + j]!
    }
    principalAxes(gram, size, most).forEach((row, r) => {
      const channel = input * most + r
      depthwise.set(row, channel * size)
      for (let output = 0; output < outputs; output++) {
        const at = kernelAt(output)
        pointwise[output * inputs * most + channel] = row.reduce((sum, value, i) => sum + value * data[at + i]!, 0)
      }
    })
  }
  return {
    depthwise: fromNumbers(weights.dtype, [inputs * most, 1, ...kernel], depthwise),
    pointwise: fromNumbers(weights.dtype, [outputs, inputs * most, ...kernel.map(() => 1)], pointwise),
  }
}
