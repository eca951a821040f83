import { multiplyDims, type Shape } from '../base/shape.ts'
import { int64s, numbers } from '../base/tensor.ts'
import { contentsOf, lengthOf, numbersIn, unknownShape } from './axes.ts'
import { broadcast } from './broadcast.ts'
import { broadcastStrides, strided, stridesOf } from './elements.ts'
import { type Call, free, type InferredType, type Link, operator } from './operator.ts'
import { refuse } from './spec.ts'

export const expand = operator('Expand', {
  infer: call => {
    const [x] = call.inputs
    return [{ dtype: x!.dtype, shape: expandedShape(call, x!) }]
  },
  gradient: ({ dy: [dy] }) => [dy!, null],
  coupling: ({ inputs: [x], outputs: [y] }) => {
    const lead = y!.shape!.length - x!.shape!.length
    return x!.shape!.flatMap((dim, axis): Link[] =>
      dim === 1 ? [] : [{ from: ['in', 0, axis], to: ['out', 0, axis + lead], map: 'same' }],
    )
  },
  prune: ({ constant, after }) => {
    const target = constant(1)
    if (!target) return {}
    const shape = after.outputs[0]!
    const lead = shape.length - target.data.length
    return { inputs: { 1: int64s(Array.from(numbers(target), (n, i) => (n === 1 ? 1 : Number(shape[i + lead])))) } }
  },
  cost: free,
  moves: [0],
  evaluate: (call, [x]) => {
    const shape = expandedShape(call, x!) as readonly number[]
    return [strided(x!, shape, broadcastStrides(shape, x!.shape))]
  },
})

function expandedShape(call: Call<'Expand'>, x: InferredType): Shape | undefined {
  const target = contentsOf(call, 1)
  if (target) return broadcast([x.shape, target])
  const rank = lengthOf(call.inputs[1])
  return rank === undefined || !x.shape ? undefined : unknownShape(Math.max(rank, x.shape.length))
}

export const tile = operator('Tile', {
  infer: call => {
    const [x] = call.inputs
    if (!x!.shape) return [{ dtype: x!.dtype, shape: undefined }]
    const repeats = call.opset < 6 ? repeatsOfOne(call, x!.shape.length) : contentsOf(call, 1)
    const shape = x!.shape.map((dim, axis) => multiplyDims(dim, repeats?.[axis] ?? ''))
    return [{ dtype: x!.dtype, shape }]
  },
  gradient: ({ op, x: [x], y: [y], dy: [dy] }) => {
    // Each axis as [times, size]: the copies of an element stand along the axes of times.
    const shape = op.shape(x!)
    const times = op.shape(y!).map((size, axis) => (shape[axis] ? size / shape[axis] : 1))
    const pairs = shape.flatMap((size, axis) => [times[axis]!, size])
    const copies = shape.map((_, axis) => 2 * axis)
    return [op.ReduceSum([op.Reshape([dy, op.ints(pairs)]), op.ints(copies)], { keepdims: 0 }), null]
  },
  coupling: call => {
    const repeats = numbersIn(call, 1)
    return (call.inputs[0]!.shape ?? []).flatMap((_, axis): Link[] => {
      const times = repeats?.[axis]
      if (!times) return []
      return [{ from: ['in', 0, axis], to: ['out', 0, axis], map: times === 1 ? 'same' : { tile: times } }]
    })
  },
  cost: free,
  moves: [0],
  evaluate: ({ opset }, [x, repeats]) => {
    if (opset < 6) throw new Error('its repeats are of one axis')
    // Each axis as [times, size], of which the first goes over the same elements again.
    const strides = stridesOf(x!.shape)
    const times = numbers(repeats!)
    const pairs = x!.shape.flatMap((size, axis) => [times[axis]!, size])
    const copies = strided(
      x!,
      pairs,
      strides.flatMap(stride => [0, stride]),
    )
    return [
      {
        ...copies,
        shape: x!.shape.map((size, axis) => size * times[axis]!),
      },
    ]
  },
  upgrades: [
    {
      // One axis was repeated at a time.
      to: 6,
      apply(call, op, [data]) {
        const repeats = repeatsOfOne(call, call.inputs[0]!.shape?.length)
        if (!repeats) return refuse(call.node, 'the rank of its data must be known, and its other inputs constant.')
        return [op.Tile([data, op.ints(repeats)])]
      },
    },
  ],
})

/** Until opset 5 two inputs said how often, and which axis. */
function repeatsOfOne({ constant }: Call<'Tile'>, rank: number | undefined): readonly number[] | undefined {
  const [times, axis] = [1, 2].map(input => constant(input) && Number(constant(input)!.data[0]))
  if (times === undefined || axis === undefined || rank === undefined) return undefined
  return new Array<number>(rank).fill(1).with(axis, times)
}
