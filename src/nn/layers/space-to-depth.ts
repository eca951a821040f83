import { SinterError } from '../../base/errors.ts'
import { formatShape } from '../../base/shape.ts'
import type { Ref } from '../../ops/build.ts'
import type { Module } from '../module.ts'

/** [N, C, H, W] -> [N, C b^2, ceil(H/b), ceil(W/b)]. A convolution of kernel b and stride b is this and one of kernel 1. */
export function spaceToDepth({ op }: Module, block: number): (x: Ref) => Ref {
  return x => {
    const { shape } = op.type(x)
    const [, , height, width] = shape ?? []
    if (shape?.length !== 4 || typeof height !== 'number' || typeof width !== 'number')
      throw new SinterError(
        'invalid-argument',
        `Space to depth needs [N, C, H, W] of known height and width, not ${formatShape(shape)}.`,
        { shape },
      )
    const missing = [height, width].map(size => Math.ceil(size / block) * block - size)
    const before = missing.map(count => Math.floor(count / 2))
    const after = missing.map((count, axis) => count - before[axis]!)
    const whole = missing.some(count => count > 0) ? op.Pad([x, op.ints([0, 0, ...before, 0, 0, ...after])]) : x
    return op.SpaceToDepth([whole], { blocksize: block })
  }
}
