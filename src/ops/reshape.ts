import {
  type Dim,
  divideDims,
  elementCount,
  exactQuotient,
  isFixed,
  productOf,
  type Shape,
  sameDim,
} from '../base/shape.ts'
import { int64s, numbers, reshape as reshaped, type Tensor } from '../base/tensor.ts'
import { axesOf, axisOf, contentsOf, given, lengthOf, numbersFrom, unknownShape } from './axes.ts'
import { withContents } from './contents.ts'
import { type Backward, type Call, free, operator, type Pruned, type Pruning } from './operator.ts'
import { reshapeLinks } from './reshape-links.ts'

// Operators that give the same elements, in the same order, another shape.

type ReshapeName = 'Reshape' | 'Flatten' | 'Squeeze' | 'Unsqueeze'

const sameElements = {
  moves: [0] as const,
  gradient: ({ op, x: [x], dy: [dy] }: Backward<ReshapeName>) => {
    const shape = op.shape(x!)
    return [op.Reshape([dy, op.ints(shape)], shape.includes(0) ? { allowzero: 1 } : {})]
  },
  coupling: reshapeLinks,
  cost: free,
}

/** Gives the elements the inferred shape. */
function renew(shape: Shape | undefined, x: Tensor): readonly Tensor[] {
  if (!isFixed(shape)) throw new Error('the shape is not known')
  return [reshaped(x, shape)]
}

export const reshape = operator('Reshape', {
  ...sameElements,
  infer: call => {
    const [x] = call.inputs
    const shape = targetShape(call, x!.shape)
    return [withContents({ dtype: x!.dtype, shape }, x!.value)]
  },
  evaluate: (call, [x]) => renew(targetShape(call, x!.shape), x!),
  prune: prunedTarget,
  // Only a size of 0 is read in two ways.
  moot: call => {
    const target = call.constant(1)
    return target && !Array.prototype.includes.call(numbers(target), 0) ? ['allowzero'] : []
  },
  upgrades: [
    {
      to: 5,
      apply: ({ attributes }, op, [x]) => [
        op.Reshape([x, op.ints((attributes as unknown as { shape: readonly number[] }).shape)]),
      ],
    },
  ],
})

function targetShape(call: Call<'Reshape'>, from: Shape | undefined): Shape | undefined {
  const target = call.opset < 5 ? numbersFrom(call, 1, 'shape') : contentsOf(call, 1)
  if (!target) {
    const rank = lengthOf(call.inputs[1])
    return rank === undefined ? undefined : unknownShape(rank)
  }
  const copies = !call.attributes.allowzero
  const shape = target.map((dim, i): Dim => (dim === 0 && copies ? (from ? (from[i] ?? 1) : '') : dim))
  const open = shape.indexOf(-1)
  if (open < 0) {
    if (isFixed(from) && isFixed(shape) && elementCount(from) !== elementCount(shape)) {
      throw new Error(`[${from}] cannot take the shape [${target}]`)
    }
    return onlyUnknown(shape, from)
  }
  const rest = shape.filter((_, i) => i !== open)
  shape[open] = from ? remainder(from, rest) : ''
  return shape
}

/** One size of which nothing is known follows from the others. */
function onlyUnknown(shape: Shape, from: Shape | undefined): Shape {
  const unknown = shape.flatMap((dim, i) => (dim === '' ? [i] : []))
  if (unknown.length !== 1 || !from) return shape
  const found = remainder(
    from,
    shape.filter(dim => dim !== ''),
  )
  return shape.map(dim => (dim === '' ? found : dim))
}

/** What a dimension must be so that `rest` with it holds as many elements as `from`; '' where that is not known. */
function remainder(from: Shape, rest: Shape): Dim {
  // Equal dimensions cancel first, unknown ones that stand on both sides too.
  const left = [...from]
  const divisors = rest.filter(dim => {
    const at = left.findIndex(other => sameDim(other, dim))
    if (at >= 0 && dim !== 0) left.splice(at, 1)
    return at < 0 || dim === 0
  })
  const [total, others] = [productOf(left), productOf(divisors)]
  const found = exactQuotient(total, others)
  if (found !== undefined) return found
  if (typeof total === 'number' && typeof others === 'number' && others !== 0) {
    throw new Error(`[${from}] does not divide into [${rest}] and one more dimension`)
  }
  // There is no remainder, whatever the symbols are.
  return typeof others === 'number' && others > 0 ? divideDims(total, others) : ''
}

export const flatten = operator('Flatten', {
  ...sameElements,
  infer: ({ attributes: { axis }, inputs: [x] }) => [{ dtype: x!.dtype, shape: flattened(x!.shape, axis) }],
  evaluate: ({ attributes: { axis } }, [x]) => renew(flattened(x!.shape, axis), x!),
})

function flattened(shape: Shape | undefined, axis: number): Shape {
  if (!shape) return ['', '']
  const at = axis === shape.length ? axis : axisOf(axis, shape.length)
  return [productOf(shape.slice(0, at)), productOf(shape.slice(at))]
}

export const squeeze = operator('Squeeze', {
  ...sameElements,
  infer: call => {
    const [x] = call.inputs
    return [withContents({ dtype: x!.dtype, shape: squeezed(call, x!.shape) }, x!.value)]
  },
  evaluate: (call, [x]) => renew(squeezed(call, x!.shape), x!),
  prune(call) {
    // Where every axis of size 1 goes, one that is narrowed to 1 must not: the axes need saying.
    if (given(call, 1, 'axes')) return {}
    return { inputs: { 1: int64s(call.inputs[0]!.shape!.flatMap((size, axis) => (size === 1 ? [axis] : []))) } }
  },
  upgrades: [
    {
      to: 13,
      apply({ attributes }, op, [x]) {
        const { axes } = attributes as { axes?: readonly number[] }
        return [op.Squeeze([x, axes && op.ints(axes)])]
      },
    },
  ],
})

function squeezed(call: Call<'Squeeze'>, shape: Shape | undefined): Shape | undefined {
  if (!shape) return undefined
  if (!given(call, 1, 'axes')) {
    // Every axis of size 1 goes: with a symbol among them the rank is not known.
    return isFixed(shape) ? shape.filter(size => size !== 1) : undefined
  }
  const listed = numbersFrom(call, 1, 'axes')
  if (!listed) return undefined
  const axes = axesOf(listed, shape.length)
  for (const axis of axes) {
    const size = shape[axis]!
    if (typeof size === 'number' && size !== 1) throw new Error(`axis ${axis} has size ${size}, not 1`)
  }
  return shape.filter((_, axis) => !axes.includes(axis))
}

export const unsqueeze = operator('Unsqueeze', {
  ...sameElements,
  infer: call => {
    const [x] = call.inputs
    return [withContents({ dtype: x!.dtype, shape: unsqueezed(call, x!.shape) }, x!.value)]
  },
  evaluate: (call, [x]) => renew(unsqueezed(call, x!.shape), x!),
  upgrades: [
    {
      to: 13,
      apply: ({ attributes }, op, [x]) => [
        op.Unsqueeze([x, op.ints((attributes as unknown as { axes: readonly number[] }).axes)]),
      ],
    },
  ],
})

function unsqueezed(call: Call<'Unsqueeze'>, shape: Shape | undefined): Shape | undefined {
  if (!shape) return undefined
  const listed = numbersFrom(call, 1, 'axes')
  if (!listed) {
    const added = lengthOf(call.inputs[1])
    return added === undefined ? undefined : unknownShape(shape.length + added)
  }
  const rank = shape.length + listed.length
  const axes = axesOf(listed, rank)
  const old = shape[Symbol.iterator]()
  return Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : old.next().value!))
}

/**
 * The target counts channels that leave. A constant's zeros and its -1 go on saying what they said; a target that the
 * graph computes, perhaps with a number that counts channels, is written down where its open sizes can be.
 */
function prunedTarget({ attributes, constant, after }: Pruning<'Reshape'>): Pruned<'Reshape'> {
  const target = constant(1)
  const from = after.inputs[0]
  const shape = after.outputs[0]
  if (!shape) return {}
  if (target) {
    const sizes = Array.from(numbers(target), (size, i) => (size > 0 && typeof shape[i] === 'number' ? shape[i] : size))
    return { inputs: { 1: int64s(sizes) } }
  }
  if (attributes.allowzero) return {}
  const sizes = shape.map((dim, i) => (typeof dim === 'number' ? dim : sameDim(from?.[i] ?? '', dim) ? 0 : -1))
  return sizes.filter(size => size === -1).length > 1 ? {} : { inputs: { 1: int64s(sizes) } }
}
