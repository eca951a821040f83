import type { Ref } from '../../ops/build.ts'
import { constant } from '../initializers.ts'
import { channelsOf, type Module } from '../module.ts'

export const activations = ['relu', 'leakyRelu', 'prelu', 'gelu', 'silu', 'hardSwish', 'sigmoid', 'tanh'] as const
export type Activation = (typeof activations)[number]

/** x * sigmoid(x), also known as Swish. */
export function silu({ op }: Module, x: Ref): Ref {
  return op.Mul([x, op.Sigmoid([x])])
}

export interface PreluOptions {
  readonly name?: string
  /** What the slopes begin with; 0.25 if left out (He et al. 2015). */
  readonly slope?: number
}

/** ReLU whose negative side has a learned slope for each channel. */
export function prelu(parent: Module, { name, slope = 0.25 }: PreluOptions = {}): (x: Ref) => Ref {
  const own = parent.child('prelu', name)
  return x => {
    const { channels, rank } = channelsOf(own, x)
    const shape = [channels, ...new Array<number>(rank - 2).fill(1)]
    return own.op.PRelu([x, own.parameter('weight', shape, constant(slope))])
  }
}
