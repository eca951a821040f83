import { axisOf, contentsOf } from './axes.ts'
import { eachPosition, elementsOf, stridesOf, tensorOf } from './elements.ts'
import { free, type GradientRule, type Link, type No, no, operator } from './operator.ts'

/** Combines each element with those before it along an axis, or behind it with `reverse`; `empty` is of no elements. */
function cumulative<K extends 'CumSum' | 'CumProd'>(
  type: K,
  combine: (a: number, b: number) => number,
  empty: number,
  gradient: GradientRule<'CumSum' | 'CumProd'> | No,
) {
  return operator<'CumSum' | 'CumProd'>(type, {
    infer: ({ inputs: [x] }) => [{ dtype: x!.dtype, shape: x!.shape }],
    gradient,
    coupling: call => {
      const [axis] = contentsOf(call, 1) ?? []
      const { shape } = call.inputs[0]!
      if (typeof axis !== 'number' || !shape) return []
      const at = axisOf(axis, shape.length)
      return shape.flatMap((_, k): Link[] => (k === at ? [] : [{ from: ['in', 0, k], to: ['out', 0, k], map: 'same' }]))
    },
    cost: free,
    evaluate({ attributes: { exclusive, reverse } }, [x, axis]) {
      const at = axisOf(Number(axis!.data[0]), x!.shape.length)
      const elements = elementsOf(x!) as number[]
      const step = stridesOf(x!.shape)[at]!
      const size = x!.shape[at]!
      const results = [...elements]
      eachPosition(x!.shape.with(at, Math.min(1, size)), position => {
        const first = position.reduce((sum, i, k) => sum + i * stridesOf(x!.shape)[k]!, 0)
        let value = (typeof elements[first] === 'bigint' ? BigInt(empty) : empty) as number
        for (let i = 0; i < size; i++) {
          const flat = first + (reverse ? size - 1 - i : i) * step
          const next = combine(value, elements[flat]!)
          results[flat] = exclusive ? value : next
          value = next
        }
      })
      return [tensorOf(x!.dtype, x!.shape, results)]
    },
  })
}

export const cumSum = cumulative(
  'CumSum',
  (a, b) => a + b,
  0,
  ({ op, attributes: { exclusive, reverse }, x: [, axis], dy: [dy] }) => [
    op.CumSum([dy, axis], { exclusive, reverse: reverse ? 0 : 1 }),
    null,
  ],
)

export const cumProd = cumulative(
  'CumProd',
  (a, b) => a * b,
  1,
  no('training graphs are of opset 21, which does not have it'),
)
