import { elementCount } from '../../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../../base/tensor.ts'
import type { Ops, Ref } from '../../ops/build.ts'
import type { Constant, Found } from '../../rewrite/pattern.ts'
import { allFinite, along, type Grid, gridOf, isAll } from './grid.ts'

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

/** The output channel that each weight, by its place in the array, contributes to. */
export function outputOf({ type, attributes }: LinearNode, shape: readonly number[]): (index: number) => number {
  const row = elementCount(shape.slice(1))
  if (type === 'Conv') return i => Math.floor(i / row)
  if (type === 'Gemm') return attributes.transB ? i => Math.floor(i / row) : i => i % row
  if (type === 'MatMul') return i => i % shape.at(-1)!
  // [inputs, outputs of one group, ...kernel]; each group of inputs has outputs of its own.
  const [inputs, outputs] = shape as [number, number]
  const kernel = elementCount(shape.slice(2))
  const inputsOfGroup = inputs / attributes.group
  return i => Math.floor(i / (row * inputsOfGroup)) * outputs + (Math.floor(i / kernel) % outputs)
}

/** The input channel that each weight, by its place in the array, is multiplied with. */
export function inputOf({ type, attributes }: LinearNode, shape: readonly number[]): (index: number) => number {
  const row = elementCount(shape.slice(1))
  if (type === 'ConvTranspose') return i => Math.floor(i / row)
  if (type === 'Gemm') return attributes.transB ? i => i % row : i => Math.floor(i / row)
  if (type === 'MatMul') return i => Math.floor(i / shape.at(-1)!) % shape.at(-2)!
  // [outputs, inputs of one group, ...kernel]
  const [outputs, inputs] = shape as [number, number]
  const kernel = elementCount(shape.slice(2))
  const rowsOfGroup = (row * outputs) / attributes.group
  return i => Math.floor(i / rowsOfGroup) * inputs + (Math.floor(i / kernel) % inputs)
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
export function scaled(w: Tensor, factor: PerChannel, channelOf: (index: number) => number): Tensor | undefined {
  const values = numbers(w)
  const result = new Float64Array(values.length)
  const uniform = isAll({ shape: [], values: factor }, factor[0]!) ? factor[0]! : undefined
  if (uniform !== undefined) for (let i = 0; i < result.length; i++) result[i] = values[i]! * uniform
  else for (let i = 0; i < result.length; i++) result[i] = values[i]! * factor[channelOf(i)]!
  return finite(fromNumbers(w.dtype, w.shape, result))
}

/** What constants `t`, one for each input channel, bring about in each output channel: sums of weights times them. */
export function throughWeights(linear: LinearNode, w: Tensor, t: PerChannel): Float64Array {
  const [from, to] = [inputOf(linear, w.shape), outputOf(linear, w.shape)]
  const values = numbers(w)
  const sums = new Float64Array(outputChannels(linear, w))
  for (let i = 0; i < values.length; i++) sums[to(i)]! += values[i]! * t[from(i)]!
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
