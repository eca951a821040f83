import type { Random } from '../base/random.ts'
import { elementCount } from '../base/shape.ts'
import { allocate } from '../base/tensor.ts'

/**
 * Makes a parameter's first values from its shape: [out, in / groups, ...kernel] for a convolution's weights, [out, in]
 * for a linear layer's. A bias is given the shape of the weights it belongs to as `weights`.
 */
export type Initializer = (shape: readonly number[], random: Random, weights?: readonly number[]) => Float32Array

export const zeros: Initializer = constant(0)
export const ones: Initializer = constant(1)

export function constant(value: number): Initializer {
  return shape => allocate('float32', elementCount(shape)).fill(value)
}

/** Normal around 0. */
export function normal(deviation = 1): Initializer {
  return (shape, random) => filled(shape, () => deviation * random.normal())
}

/** Uniform in [-bound, bound). */
export function uniform(bound: number): Initializer {
  return (shape, random) => filled(shape, () => bound * (2 * random.uniform() - 1))
}

/** Which side's variance is kept: the activations' going forward, or the gradients' going back. */
export type Fan = 'in' | 'out'

export interface KaimingOptions {
  /** `in` if left out. */
  readonly fan?: Fan
  /** The negative side's slope of the rectifier that follows: 0 for ReLU. */
  readonly slope?: number
}

/** Normal with variance 2 / ((1 + slope^2) fan), for rectifiers (He et al. 2015, arXiv:1502.01852, eq. 10 and 14). */
export function kaimingNormal(options: KaimingOptions = {}): Initializer {
  return (shape, random) => normal(rectifierDeviation(shape, options))(shape, random)
}

/** As `kaimingNormal`, but uniform with the same variance. */
export function kaimingUniform(options: KaimingOptions = {}): Initializer {
  return (shape, random) => uniform(Math.sqrt(3) * rectifierDeviation(shape, options))(shape, random)
}

/** Normal with variance 2 / (fan in + fan out), for tanh and sigmoid (Glorot and Bengio 2010, eq. 12). */
export const xavierNormal: Initializer = (shape, random) => normal(balancedDeviation(shape))(shape, random)

/** As `xavierNormal`, but uniform with the same variance (eq. 16). */
export const xavierUniform: Initializer = (shape, random) =>
  uniform(Math.sqrt(3) * balancedDeviation(shape))(shape, random)

/**
 * What PyTorch starts convolutions and linear layers with: uniform in +-1 / sqrt(fan in), for weights and biases alike
 * (there written as Kaiming uniform with slope sqrt(5)).
 */
export const fanInUniform: Initializer = (shape, random, weights = shape) =>
  uniform(1 / Math.sqrt(fansOf(weights).in))(shape, random)

/** How many values each output is summed from, and each input goes into. */
function fansOf([out = 1, into = 1, ...kernel]: readonly number[]): { readonly in: number; readonly out: number } {
  const taps = elementCount(kernel)
  return { in: into * taps, out: out * taps }
}

function rectifierDeviation(shape: readonly number[], { fan = 'in', slope = 0 }: KaimingOptions): number {
  return Math.sqrt(2 / ((1 + slope ** 2) * fansOf(shape)[fan]))
}

function balancedDeviation(shape: readonly number[]): number {
  const fans = fansOf(shape)
  return Math.sqrt(2 / (fans.in + fans.out))
}

function filled(shape: readonly number[], draw: () => number): Float32Array {
  const values = allocate('float32', elementCount(shape))
  for (let i = 0; i < values.length; i++) values[i] = draw()
  return values
}
