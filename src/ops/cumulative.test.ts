import { expect, test } from 'vitest'
import { fromNumbers, scalar } from '../base/tensor.ts'
import * as cumulative from './cumulative.ts'

test('products run along an axis, from either end, with or without the element itself', () => {
  const evaluate = cumulative.cumProd.evaluate as Exclude<typeof cumulative.cumProd.evaluate, { no: string }>
  const x = fromNumbers('int32', [2, 3], [1, 2, 3, 4, 5, 6])
  const products = (exclusive: number, reverse: number, axis: number) => {
    const call = { attributes: { exclusive, reverse } } as Parameters<typeof evaluate>[0]
    return [...(evaluate(call, [x, scalar('int64', axis)])[0]!.data as Int32Array)]
  }
  expect(products(0, 0, 1)).toEqual([1, 2, 6, 4, 20, 120])
  expect(products(1, 0, -1)).toEqual([1, 1, 2, 1, 4, 20])
  expect(products(0, 1, 1)).toEqual([6, 6, 3, 120, 30, 6])
  expect(products(1, 1, 1)).toEqual([6, 3, 1, 30, 6, 1])
  expect(products(0, 0, 0)).toEqual([1, 2, 3, 4, 10, 18])
})
