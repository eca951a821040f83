import { SinterError } from '../../base/errors.ts'
import type { Ref } from '../../ops/build.ts'
import { fanInUniform, type Initializer } from '../initializers.ts'
import { channelsOf, type Module } from '../module.ts'
import { type Size, type WindowOptions, windowAttributes } from './window.ts'

export interface ConvOptions extends WindowOptions {
  readonly name?: string
  /** Input and output channels fall into this many groups that do not see each other; 1 if left out. */
  readonly groups?: number
  /** Whether there is a bias, or what it begins with; on if left out. Superfluous in front of a norm. */
  readonly bias?: boolean | Initializer
  readonly weight?: Initializer
}

/** Convolution over [N, C, ...spatial] with 1, 2 or 3 spatial axes, as the input has them. */
export function conv(parent: Module, channels: number, kernel: Size, options: ConvOptions = {}): (x: Ref) => Ref {
  const { name, groups = 1, bias = true, weight = fanInUniform, ...window } = options
  const own = parent.child('conv', name)
  return x => {
    const { channels: inputs, rank } = channelsOf(own, x)
    if (inputs % groups !== 0 || channels % groups !== 0)
      throw new SinterError(
        'invalid-argument',
        `'${own.path}' has ${inputs} channels in and ${channels} out; ${groups} groups must divide both.`,
        { layer: own.path, inputs, channels, groups },
      )
    const attributes = windowAttributes(rank - 2, kernel, window)
    const shape = [channels, inputs / groups, ...attributes.kernel_shape]
    const weights = own.parameter('weight', shape, weight)
    const initial = bias === true ? fanInUniform : bias
    const shift = initial ? own.parameter('bias', [channels], initial, shape) : undefined
    return own.op.Conv([x, weights, shift], { ...attributes, group: groups })
  }
}
