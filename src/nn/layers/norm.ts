import { SinterError } from '../../base/errors.ts'
import { formatShape } from '../../base/shape.ts'
import type { Ref } from '../../ops/build.ts'
import { type Initializer, ones, zeros } from '../initializers.ts'
import { channelsOf, type Module } from '../module.ts'

export interface NormOptions {
  readonly name?: string
  /** Added to the variance; 1e-5 if left out. */
  readonly epsilon?: number
  /** What the scale begins with; ones if left out. Zeros at the end of a residual branch make it begin as the identity. */
  readonly scale?: Initializer
}

export interface BatchNormOptions extends NormOptions {
  /** The part of the running statistics that a training step keeps; 0.9 if left out (PyTorch writes it as 0.1). */
  readonly momentum?: number
}

/**
 * Batch normalisation over axis 1 (Ioffe and Szegedy 2015), as inference runs it: by the running statistics, which are
 * parameters like the scale and the shift. Training puts the batch's own in their place.
 */
export function norm(parent: Module, options: BatchNormOptions = {}): (x: Ref) => Ref {
  const { name, epsilon = 1e-5, momentum = 0.9, scale = ones } = options
  const own = parent.child('norm', name)
  return x => {
    const shape = [channelsOf(own, x).channels]
    const parameters = [
      own.parameter('weight', shape, scale),
      own.parameter('bias', shape, zeros),
      own.parameter('running_mean', shape, zeros),
      own.parameter('running_var', shape, ones),
    ]
    return own.op.BatchNormalization([x, ...parameters], { epsilon, momentum })
  }
}

/** Layer normalisation over the last axis (Ba et al. 2016). */
export function layerNorm(parent: Module, options: NormOptions = {}): (x: Ref) => Ref {
  const { name, epsilon = 1e-5, scale = ones } = options
  const own = parent.child('norm', name)
  return x => {
    const { shape } = own.op.type(x)
    const width = shape?.at(-1)
    if (typeof width !== 'number')
      throw new SinterError(
        'invalid-argument',
        `'${own.path}' is applied to ${formatShape(shape)}; it needs a last axis of known size.`,
        { layer: own.path, shape },
      )
    const parameters = [own.parameter('weight', [width], scale), own.parameter('bias', [width], zeros)]
    return own.op.LayerNormalization([x, ...parameters], { axis: -1, epsilon })
  }
}
