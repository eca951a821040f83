import { type DType, isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { elementCount, formatType, isFixed, isTensorType } from '../base/shape.ts'
import { fromNumbers, type Tensor } from '../base/tensor.ts'
import type { Value } from '../graph/graph.ts'
import { bindShape } from '../read/infer.ts'
import type { Feeds } from '../runtime/backend.ts'

export interface RandomFeedsOptions {
  readonly random: Random
  /** Sizes of symbolic dimensions, by symbol; those not named are 1. */
  readonly bind?: Readonly<Record<string, number>>
}

/**
 * A tensor for each input: normal numbers where it is of floating point, whole numbers of 0 and 1 else, which are also
 * valid as indices and masks. An input's values depend on its name and the seed alone.
 * @throws SinterError `not-supported` for an input whose rank is not known, or that is no tensor of numbers.
 */
export function randomFeeds(inputs: readonly Value[], { random, bind = {} }: RandomFeedsOptions): Feeds {
  return Object.fromEntries(inputs.map(value => [value.name, randomTensor(value, bind, random.fork(value.name))]))
}

function randomTensor({ name, type }: Value, bind: Readonly<Record<string, number>>, random: Random): Tensor {
  const shape = isTensorType(type) && type.shape ? bindShape(type.shape, { '*': 1, ...bind }) : undefined
  if (!isTensorType(type) || type.dtype === 'string' || !isFixed(shape))
    throw new SinterError('not-supported', `There are no random values for '${name}', which is ${formatType(type)}.`, {
      input: name,
    })
  const draw = drawerOf(type.dtype, random)
  return fromNumbers(type.dtype, shape, Array.from({ length: elementCount(shape) }, draw))
}

function drawerOf(dtype: DType, random: Random): () => number {
  return isFloat(dtype) ? () => random.normal() : () => random.integer(2)
}
