import type { Ops, Ref } from '../ops/build.ts'
import { type Activation, type PreluOptions, prelu, silu } from './layers/activation.ts'
import { type ConvOptions, conv } from './layers/conv.ts'
import { type EmbeddingOptions, embedding, type LinearOptions, linear } from './layers/linear.ts'
import { type BatchNormOptions, layerNorm, type NormOptions, norm } from './layers/norm.ts'
import { averagePool, maxPool, type PoolOptions } from './layers/pool.ts'
import { spaceToDepth } from './layers/space-to-depth.ts'
import type { Size } from './layers/window.ts'
import type { Module } from './module.ts'

/** Takes a value and returns what the layer makes of it. Its parameters are made when it is first applied, and shared after. */
export type Layer = (x: Ref) => Ref

export type ActivationChoice = Activation | ((nn: Layers) => Layer)

/** What networks are written with. Layers that have parameters are named, in PyTorch's way: `conv1.weight`, `fc.bias`. */
export interface Layers {
  /** The operators themselves, for what no layer says. */
  readonly op: Ops
  /** The same layers, named under a path: `within('layer1.0')`. */
  within(name: string): Layers
  /** A parameter of one's own, under this path. */
  readonly parameter: Module['parameter']
  /** One after the other. */
  sequential(...layers: readonly Layer[]): Layer
  /** x -> branch(x) + shortcut(x); the shortcut is x itself if left out. */
  residual(branch: Layer, shortcut?: Layer): Layer
  add(a: Ref, b: Ref): Ref
  /** Joins along an axis; along the channels if left out. */
  concat(parts: readonly Ref[], axis?: number): Ref
  /** [N, C, ...] -> [N, channels, ...]; pads to keep the size if no padding is given. */
  conv(channels: number, kernel: Size, options?: ConvOptions): Layer
  /** [..., inputs] -> [..., features]. */
  linear(features: number, options?: LinearOptions): Layer
  embedding(count: number, width: number, options?: EmbeddingOptions): Layer
  /** Batch normalisation over the channels. */
  norm(options?: BatchNormOptions): Layer
  /** Layer normalisation over the last axis. */
  layerNorm(options?: NormOptions): Layer
  maxPool(kernel: Size, options?: PoolOptions): Layer
  averagePool(kernel: Size, options?: PoolOptions): Layer
  /** The mean over all positions: [N, C, ...] -> [N, C]. */
  readonly globalPool: Layer
  /** [N, ...] -> [N, product of the rest]. */
  readonly flatten: Layer
  /** Zeroes this part of the values while training, and scales the rest up; nothing in inference. */
  dropout(ratio: number): Layer
  readonly relu: Layer
  /** 0.01 if no slope is given. */
  leakyRelu(slope?: number): Layer
  prelu(options?: PreluOptions): Layer
  readonly gelu: Layer
  readonly silu: Layer
  readonly hardSwish: Layer
  readonly sigmoid: Layer
  readonly tanh: Layer
  /** An activation by its name, with its defaults, or as a function of these layers: `nn => nn.leakyRelu(0.1)`. */
  activation(kind: ActivationChoice): Layer
  /** [N, C, H, W] -> [N, C b^2, H/b, W/b]: each block of b x b becomes one position. Zeros fill up odd sizes evenly. */
  spaceToDepth(block: number): Layer
}

export function layersOf(module: Module): Layers {
  const { op } = module
  const layers: Layers = {
    op,
    within: name => layersOf(module.child('', name)),
    parameter: module.parameter,
    sequential:
      (...parts) =>
      x =>
        parts.reduce((value, layer) => layer(value), x),
    residual: (branch, shortcut) => x => op.Add([branch(x), shortcut ? shortcut(x) : x]),
    add: (a, b) => op.Add([a, b]),
    concat: (parts, axis = 1) => op.Concat(parts, { axis }),
    conv: (channels, kernel, options) => conv(module, channels, kernel, options),
    linear: (features, options) => linear(module, features, options),
    embedding: (count, width, options) => embedding(module, count, width, options),
    norm: options => norm(module, options),
    layerNorm: options => layerNorm(module, options),
    maxPool: (kernel, options) => maxPool(module, kernel, options),
    averagePool: (kernel, options) => averagePool(module, kernel, options),
    globalPool: x => op.Flatten([op.GlobalAveragePool([x])], { axis: 1 }),
    flatten: x => op.Flatten([x], { axis: 1 }),
    dropout: ratio => x => op.Dropout([x, op.scalar(ratio)]),
    relu: x => op.Relu([x]),
    leakyRelu:
      (slope = 0.01) =>
      x =>
        op.LeakyRelu([x], { alpha: slope }),
    prelu: options => prelu(module, options),
    gelu: x => op.Gelu([x]),
    silu: x => silu(module, x),
    hardSwish: x => op.HardSwish([x]),
    sigmoid: x => op.Sigmoid([x]),
    tanh: x => op.Tanh([x]),
    activation(kind) {
      if (typeof kind === 'function') return kind(layers)
      if (kind === 'prelu') return layers.prelu()
      if (kind === 'leakyRelu') return layers.leakyRelu()
      return layers[kind]
    },
    spaceToDepth: block => spaceToDepth(module, block),
  }
  return layers
}
