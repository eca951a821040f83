import { elementCount } from '../../base/shape.ts'
import { derivedTensor, fromNumbers, numbers, type Tensor } from '../../base/tensor.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import type { Constant, Found } from '../../rewrite/pattern.ts'
import { allFinite, along, type Grid, gridOf } from './grid.ts'

export type LinearNode = Found<'Conv'> | Found<'ConvTranspose'> | Found<'Gemm'> | Found<'MatMul'>

/** Numbers for the channels of one side of a linear node. */
export type PerChannel = ArrayLike<number>

/** Places of channels on the output's side: counted from the end, -1 being the last axis. */
export function channelAxis(linear: LinearNode, w: Tensor): number {
  return linear.type === 'Conv' || linear.type === 'ConvTranspose' ? 1 - w.shape.length : -1
}

/** Number of output channels. */
export function outputChannels({ type, attributes }: LinearNode, { shape }: Tensor): number {
  if (type === 'Conv') return shape[0]!
  if (type === 'ConvTranspose') return shape[1]! * attributes.group
  if (type === 'Gemm') return shape[attributes.transB ? 0 : 1]!
  return shape.at(-1)!
}

/** Number of input channels. */
export function inputChannels({ type, attributes }: LinearNode, { shape }: Tensor): number {
  if (type === 'Conv') return shape[1]! * attributes.group
  if (type === 'ConvTranspose') return shape[0]!
  if (type === 'Gemm') return shape[attributes.transB ? 1 : 0]!
  return shape.at(-2)!
}

/**
 * Where channels lie among weights: rows of `count` channels with `inner` weights each, the first channel of a row being
 * the `base(row)`-th of all (groups have channels of their own).
 */
export interface Lanes {
  readonly count: number
  readonly inner: number
  readonly base: (row: number) => number
}

const first = () => 0

/** The output channels that weights contribute to. */
export function outputLanes({ type, attributes }: LinearNode, shape: readonly number[]): Lanes {
  if (type === 'Conv' || (type === 'Gemm' && attributes.transB)) {
    return { count: shape[0]!, inner: elementCount(shape.slice(1)), base: first }
  }
  if (type !== 'ConvTranspose') return { count: shape.at(-1)!, inner: 1, base: first }
  // [inputs, outputs of one group, ...kernel]
  const [inputs, outputs] = shape as [number, number]
  const inputsOfGroup = inputs / attributes.group
  return {
    count: outputs,
    inner: elementCount(shape.slice(2)),
    base: input => Math.floor(input / inputsOfGroup) * outputs,
  }
}

/** The input channels that weights are multiplied with. */
export function inputLanes({ type, attributes }: LinearNode, shape: readonly number[]): Lanes {
  if (type === 'ConvTranspose') return { count: shape[0]!, inner: elementCount(shape.slice(1)), base: first }
  if (type === 'Gemm' && attributes.transB) return { count: shape[1]!, inner: 1, base: first }
  if (type !== 'Conv') return { count: shape.at(-2)!, inner: shape.at(-1)!, base: first }
  // [outputs, inputs of one group, ...kernel]
  const [outputs, inputs] = shape as [number, number]
  const outputsOfGroup = outputs / attributes.group
  return {
    count: inputs,
    inner: elementCount(shape.slice(2)),
    base: output => Math.floor(output / outputsOfGroup) * inputs,
  }
}

/**
 * What is added to each output channel, `beta` of a Gemm included; undefined if it differs within a channel.
 * @param rank of the output: an addend of more dimensions would change it.
 */
export function biasOf(linear: LinearNode, b: Tensor | null, channels: number, rank: number): Float64Array | undefined {
  if (!b) return new Float64Array(channels)
  const grid = gridOf(b)
  // A bias of a convolution is one-dimensional by definition; elsewhere it is broadcast.
  const convolution = linear.type === 'Conv' || linear.type === 'ConvTranspose'
  const values = along(grid, -1, convolution ? 1 : rank, channels)
  const beta = linear.type === 'Gemm' ? linear.attributes.beta : 1
  return beta === 1 ? values : values?.map(value => beta * value)
}

/** Weights times a factor for each channel, rounded once; undefined where that leaves what is not finite. */
export function scaled(w: Tensor, factor: PerChannel, lanes: Lanes): Tensor | undefined {
  return finite(derivedTensor(w.dtype, w.shape, [w], () => scaledData(w, factor, lanes)))
}

function scaledData(w: Tensor, factor: PerChannel, { count, inner, base }: Lanes): Tensor['data'] {
  const values = numbers(w)
  // Numbers written into a float32 array are rounded on the way.
  const float32 = w.dtype === 'float32' ? new Float32Array(values.length) : undefined
  const result = float32 ?? new Float64Array(values.length)
  for (let row = 0, i = 0; i < result.length; row++) {
    const from = base(row)
    for (let channel = from; channel < from + count; channel++) {
      const f = factor[channel]!
      for (const end = i + inner; i < end; i++) result[i] = values[i]! * f
    }
  }
  return float32 ?? fromNumbers(w.dtype, w.shape, result).data
}

/** What constants `t`, one for each input channel, bring about in each output channel: sums of weights times them. */
export function throughWeights(linear: LinearNode, w: Tensor, t: PerChannel): Float64Array {
  const [{ count, inner, base }, to] = [inputLanes(linear, w.shape), outputLanes(linear, w.shape)]
  const values = numbers(w)
  const sums = new Float64Array(outputChannels(linear, w))
  for (let row = 0, i = 0; i < values.length; row++) {
    const from = base(row)
    for (let channel = from; channel < from + count; channel++) {
      for (const end = i + inner; i < end; i++) {
        const lane = Math.floor(i / to.inner)
        sums[to.base(Math.floor(lane / to.count)) + (lane % to.count)]! += values[i]! * t[channel]!
      }
    }
  }
  return linear.type === 'Gemm' ? sums.map(sum => sum * linear.attributes.alpha) : sums
}

export function finite(t: Tensor): Tensor | undefined {
  return allFinite(numbers(t)) ? t : undefined
}

/** A linear node like the one found, with other weights and, where `bias` is given, that bias alone. */
export function rebuilt(op: Ops, linear: LinearNode, x: Ref, w: Ref, bias: Ref | null): Ref {
  if (linear.type === 'MatMul') {
    const product = op.MatMul([x, w])
    return bias === null ? product : op.Add([product, bias])
  }
  const stated = linear.type === 'Gemm' && bias !== null ? { ...linear.stated, beta: 1 } : linear.stated
  return op.many(linear.type, 1, [x, w, bias], stated)[0]!
}

/** The bias as a tensor of the weights' type. */
export function biasTensor(w: Constant, values: PerChannel): Tensor | undefined {
  return finite(fromNumbers(w.dtype, [values.length], values))
}

/** A grid as one number for each output channel. */
export function perOutput(grid: Grid, linear: LinearNode, w: Tensor, rank: number): Float64Array | undefined {
  return along(grid, channelAxis(linear, w), rank, outputChannels(linear, w))
}
