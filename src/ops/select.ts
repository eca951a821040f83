import { elementCount, type Shape } from '../base/shape.ts'
import { fromNumbers, numbers, type Tensor } from '../base/tensor.ts'
import { axisOf, contentsOf, numbersIn } from './axes.ts'
import { eachPosition, elementsOf, sources, stridesOf, take } from './elements.ts'
import { piecewiseConstant } from './elementwise.ts'
import { filled } from './fill.ts'
import { free, type InferredType, type Link, no, operator } from './operator.ts'

// Operators that look for elements: the extremes, the largest few, those that are not zero, running sums.

type Better = (a: number | bigint, b: number | bigint) => boolean

function argument<K extends 'ArgMax' | 'ArgMin'>(type: K, better: Better) {
  return operator<'ArgMax' | 'ArgMin'>(type, {
    infer: ({ attributes: { axis, keepdims }, inputs: [x] }) => {
      if (!x!.shape) return [{ dtype: 'int64', shape: undefined }]
      return [{ dtype: 'int64', shape: reducedShape(x!.shape, axisOf(axis, x!.shape.length), keepdims) }]
    },
    gradient: piecewiseConstant,
    coupling: ({ attributes: { axis, keepdims }, inputs: [x] }) => linksBeside(x!, axis, keepdims !== 0),
    cost: free,
    evaluate: ({ attributes: { axis, keepdims, select_last_index: last } }, [x]) => {
      const at = axisOf(axis, x!.shape.length)
      const places = linesOf(x!, at).map(line => {
        let best = 0
        line.forEach((value, i) => {
          if (better(value, line[best]!) || (last && value === line[best])) best = i
        })
        return best
      })
      return [fromNumbers('int64', reducedShape(x!.shape, at, keepdims) as readonly number[], places)]
    },
  })
}

export const argMax = argument('ArgMax', (a, b) => a > b)
export const argMin = argument('ArgMin', (a, b) => a < b)

function reducedShape(shape: Shape, axis: number, keepdims: number): Shape {
  return keepdims ? shape.with(axis, 1) : shape.toSpliced(axis, 1)
}

/** All axes but one, which is gone from the output or, if `kept`, still there. */
function linksBeside(x: InferredType, axis: number, kept: boolean, output = 0): readonly Link[] {
  const at = axisOf(axis, x.shape!.length)
  return x.shape!.flatMap((_, k): Link[] => {
    if (k === at) return []
    return [{ from: ['in', 0, k], to: ['out', output, kept || k < at ? k : k - 1], map: 'same' }]
  })
}

/** The elements along an axis, for each position of the other axes. */
function linesOf(x: Tensor, axis: number): (number | bigint)[][] {
  const elements = elementsOf(x)
  const strides = stridesOf(x.shape)
  const lines: (number | bigint)[][] = []
  eachPosition(x.shape.with(axis, 1), position => {
    const start = position.reduce((sum, i, k) => sum + i * strides[k]!, 0)
    lines.push(Array.from({ length: x.shape[axis]! }, (_, i) => elements[start + i * strides[axis]!]!))
  })
  return lines
}

export const topK = operator('TopK', {
  infer: call => {
    const [x] = call.inputs
    const old = (call.attributes as { k?: number }).k
    const [k = ''] = old === undefined ? (contentsOf(call, 1) ?? []) : [old]
    const shape = x!.shape?.with(axisOf(call.attributes.axis, x!.shape.length), k)
    return [
      { dtype: x!.dtype, shape },
      { dtype: 'int64', shape },
    ]
  },
  gradient: ({ op, attributes: { axis }, x: [x], y: [, indices], dy: [dy] }) => [
    dy ? op.ScatterElements([filled(op, x!, op.shape(x!), 0), indices, dy], { axis }) : null,
    null,
  ],
  coupling: ({ attributes: { axis }, inputs: [x], outputs }) =>
    outputs.flatMap((type, i) => (type ? linksBeside(x!, axis, true, i) : [])),
  cost: free,
  evaluate({ attributes: { axis, largest } }, [x, k]) {
    const at = axisOf(axis, x!.shape.length)
    const count = numbers(k!)[0]!
    const order = linesOf(x!, at).map(line => {
      const places = line.map((_, i) => i)
      // Equal elements stay in the order of their places.
      places.sort((i, j) => (line[i] === line[j] ? i - j : line[i]! < line[j]! === (largest !== 0) ? 1 : -1))
      return places
    })
    const shape = x!.shape.with(at, count)
    const lines = stridesOf(x!.shape.with(at, 1))
    const rankOf = (position: readonly number[]) => {
      const line = position.reduce((sum, i, axis) => (axis === at ? sum : sum + i * lines[axis]!), 0)
      return order[line]![position[at]!]!
    }
    const index = sources(shape, x!.shape, position => position.map((i, axis) => (axis === at ? rankOf(position) : i)))
    const places: number[] = []
    eachPosition(shape, position => places.push(rankOf(position)))
    return [take(x!, shape, index), fromNumbers('int64', shape, places)]
  },
  upgrades: [
    {
      to: 10,
      apply({ attributes }, op, [x]) {
        const { axis, k } = attributes as { axis: number; k?: number }
        return op.many('TopK', 2, [x, op.ints([k ?? 0])], { axis })
      },
    },
  ],
})

const byData = no('which elements it takes depends on the data')

export const compress = operator('Compress', {
  infer: call => {
    const { axis } = call.attributes
    const { dtype, shape } = call.inputs[0]!
    const flags = numbersIn(call, 1)
    // Elements beyond the condition's are not taken.
    const count = flags ? flags.filter(flag => flag !== 0).length : ''
    if (axis === undefined) return [{ dtype, shape: [count] }]
    return [{ dtype, shape: shape?.with(axisOf(axis, shape.length), count) }]
  },
  gradient: no('how many elements it takes depends on the data'),
  coupling: byData,
  cost: free,
  moves: [0],
  evaluate({ attributes: { axis } }, [x, condition]) {
    const flags = numbers(condition!)
    const at = axis === undefined ? undefined : axisOf(axis, x!.shape.length)
    const size = at === undefined ? elementCount(x!.shape) : x!.shape[at]!
    const chosen = Array.from({ length: size }, (_, i) => i).filter(i => flags[i])
    if (at === undefined) return [take(x!, [chosen.length], chosen)]
    const shape = x!.shape.with(at, chosen.length)
    return [
      take(
        x!,
        shape,
        sources(shape, x!.shape, p => p.map((i, k) => (k === at ? chosen[i]! : i))),
      ),
    ]
  },
})

export const unique = operator('Unique', {
  infer: ({ attributes: { axis }, inputs: [x] }) => {
    const shape = axis === undefined ? [''] : x!.shape?.with(axisOf(axis, x!.shape.length), '')
    const places: InferredType = { dtype: 'int64', shape: [''] }
    return [{ dtype: x!.dtype, shape }, places, places, places]
  },
  gradient: no('how many elements are different depends on the data'),
  coupling: byData,
  cost: free,
  evaluate: no('left to the runtime'),
})

export const nonMaxSuppression = operator('NonMaxSuppression', {
  infer: () => [{ dtype: 'int64', shape: ['', 3] }],
  gradient: piecewiseConstant,
  coupling: byData,
  cost: free,
  evaluate: no('left to the runtime'),
})
