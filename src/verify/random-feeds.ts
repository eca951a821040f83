import { type DType, isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { type Random, random } from '../base/random.ts'
import { elementCount, formatType, isTensorType } from '../base/shape.ts'
import { fromNumbers, type Tensor, tensor } from '../base/tensor.ts'
import type { Value } from '../graph/graph.ts'
import type { Feeds } from '../runtime/backend.ts'

/** How random values are drawn, by the kind of element. */
export interface Ranges {
  /** Normal (mean 0, deviation 1), or uniform in [0, 1) for graphs that take roots and logarithms of their inputs. */
  readonly floats: 'normal' | 'positive'
  /** Whole numbers from `least` to below `below`, in tensors of at least two dimensions: tokens, classes, pixels. */
  readonly integers: Range
  /** The same in scalars and vectors: sizes, lengths, steps. */
  readonly sizes: Range
}

export interface Range {
  readonly least: number
  readonly below: number
}

const defaultRanges: Ranges = {
  floats: 'normal',
  integers: { least: 0, below: 2 },
  sizes: { least: 0, below: 2 },
}

export interface RandomFeedsOptions {
  readonly seed?: number
  /** Sizes of symbolic dimensions, by symbol; those not named are 1. */
  readonly sizes?: Readonly<Record<string, number>>
  /** Whole shapes, by input; they come before `sizes`. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
  readonly ranges?: Ranges
}

/** What feeds are drawn for: a graph, or a session. */
interface Fed {
  readonly inputs: readonly Value[]
  readonly initializers?: ReadonlyMap<string, unknown>
}

/**
 * A tensor for each input that must be fed: normal numbers where it is of floating point, whole numbers of 0 and 1 else,
 * which are also valid as indices and masks, and short texts. An input's values depend on its name and the seed alone.
 * @throws SinterError `not-supported` for an input whose rank is not known, or that is no tensor of numbers or texts.
 */
export function randomFeeds(fed: Fed, options: RandomFeedsOptions = {}): Feeds {
  const { seed = 0, sizes = {}, shapes = {}, ranges = defaultRanges } = options
  const drawn: Record<string, Tensor> = {}
  for (const { name, type } of fed.inputs) {
    if (fed.initializers?.has(name)) continue
    const stated = isTensorType(type) ? type.shape : undefined
    const shape = shapes[name] ?? stated?.map(dim => (typeof dim === 'number' ? dim : sizeOf(dim, sizes)))
    if (!isTensorType(type) || !shape || !isDrawn(type.dtype))
      throw new SinterError(
        'not-supported',
        `There are no random values for '${name}', which is ${formatType(type)}.`,
        {
          input: name,
        },
      )
    drawn[name] = randomTensor(name, type.dtype, shape, ranges, random(seed).fork(name))
  }
  return drawn
}

/** The size of a symbol; a sum of symbols, as exporters write `past + current`, follows from theirs. */
function sizeOf(symbol: string, sizes: Readonly<Record<string, number>>): number {
  const known = sizes[symbol]
  if (known !== undefined) return known
  const terms = symbol.split('+').map(term => term.trim())
  if (terms.length < 2 || terms.includes('')) return 1
  return terms.reduce((sum, term) => sum + (/^\d+$/.test(term) ? Number(term) : sizeOf(term, sizes)), 0)
}

function isDrawn(dtype: DType): boolean {
  return dtype === 'string' || dtype === 'bool' || /^(u?int(8|16|32|64)|b?float(16|32|64))$/.test(dtype)
}

function randomTensor(name: string, dtype: DType, shape: readonly number[], ranges: Ranges, draw: Random): Tensor {
  const count = elementCount(shape)
  if (dtype === 'string')
    return tensor(
      'string',
      shape,
      Array.from({ length: count }, () => words[draw.integer(words.length)]!),
    )
  const next = drawerOf(name, dtype, shape.length, ranges, draw)
  const values = new Float64Array(count)
  for (let i = 0; i < count; i++) values[i] = next()
  return fromNumbers(dtype, shape, values)
}

const words = ['a', 'b', 'c', 'the', 'of']

/** Integers of inputs that say by their names that they mark something. */
const marks = /mask|type|segment|flag/i

function drawerOf(name: string, dtype: DType, rank: number, ranges: Ranges, draw: Random): () => number {
  if (isFloat(dtype)) return ranges.floats === 'normal' ? draw.normal : draw.uniform
  const range = rank < 2 ? ranges.sizes : ranges.integers
  const most =
    dtype === 'bool' || marks.test(name)
      ? 2
      : dtype === 'int8'
        ? 128
        : dtype === 'uint8'
          ? 256
          : Number.POSITIVE_INFINITY
  const below = Math.max(range.least + 1, Math.min(range.below, most))
  return () => range.least + draw.integer(below - range.least)
}
