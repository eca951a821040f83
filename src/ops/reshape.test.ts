import { describe, expect, test } from 'vitest'
import { int64s } from '../base/tensor.ts'
import { eachPair } from '../read/index-map.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { flatten, reshape, squeeze, unsqueeze } from './reshape.ts'
import { matchAxes } from './reshape-links.ts'
import { conform } from './testing/conform.ts'

const bench = { backend: onnxruntimeNode, eachPair }

conform(
  reshape,
  [
    { name: 'flattens', inputs: [{ shape: [2, 3, 2, 2] }, int64s([2, 12])] },
    { name: 'flattens to -1', inputs: [{ shape: [2, 3, 2, 2] }, int64s([0, -1])] },
    { name: 'splits heads', inputs: [{ shape: [2, 5, 12] }, int64s([0, 0, 3, 4])] },
    { name: 'joins heads', inputs: [{ shape: [2, 5, 3, 4] }, int64s([2, 5, 12])] },
    { name: 'splits channels as a shuffle does', inputs: [{ shape: [1, 6, 2, 2] }, int64s([1, 2, 3, 2, 2])] },
    { name: 'joins channels last', inputs: [{ shape: [1, 2, 2, 3] }, int64s([1, 12])] },
    { name: 'mixes axes', inputs: [{ shape: [4, 6] }, int64s([3, 8])] },
    { name: 'to one element', inputs: [{ shape: [1, 1] }, int64s([])] },
    { name: 'no elements', attributes: { allowzero: 1 }, inputs: [{ shape: [0, 3] }, int64s([3, 0])] },
    { name: 'integers', inputs: [int64s([1, 2, 3, 4]), int64s([-1])] },
  ],
  bench,
)
conform(
  flatten,
  [
    { inputs: [{ shape: [2, 3, 2, 2] }] },
    ...[0, 2, 4, -1].map(axis => ({ attributes: { axis }, inputs: [{ shape: [2, 3, 2, 2] }] })),
  ],
  bench,
)
conform(
  squeeze,
  [
    { name: 'all', inputs: [{ shape: [1, 3, 1, 2] }] },
    { name: 'one', inputs: [{ shape: [1, 3, 1, 2] }, int64s([-2])] },
    { name: 'contents', inputs: [int64s([5]), int64s([0])] },
    { opset: 11, attributes: { axes: [0] }, inputs: [{ shape: [1, 3, 1, 2] }] },
    { opset: 11, name: 'all', inputs: [{ shape: [1, 3, 1, 2] }] },
  ],
  bench,
)
conform(
  unsqueeze,
  [
    { inputs: [{ shape: [3, 2] }, int64s([0, -1])] },
    { name: 'contents', inputs: [int64s([5]), int64s([0])] },
    { opset: 11, attributes: { axes: [1, 3] }, inputs: [{ shape: [3, 2] }] },
  ],
  bench,
)

describe('axes that hold the same elements', () => {
  test('are matched one to one, folded and unfolded', () => {
    expect(matchAxes(['N', 3, 4, 5], ['N', 60])).toEqual([
      { from: [0], to: [0] },
      { from: [1, 2, 3], to: [1] },
    ])
    expect(matchAxes([2, 12, 7], [2, 3, 4, 7])).toEqual([
      { from: [0], to: [0] },
      { from: [1], to: [1, 2] },
      { from: [2], to: [3] },
    ])
  })
  test('of size 1 match nothing', () => {
    expect(matchAxes(['N', 1, 5], ['N', 5, 1])).toEqual([
      { from: [0], to: [0] },
      { from: [2], to: [1] },
    ])
  })
  test('are matched from the end too, where a symbol is folded', () => {
    expect(matchAxes(['N', 'T', 8, 5], ['N*T', 40])).toEqual([
      { from: [0, 1], to: [0] },
      { from: [2, 3], to: [1] },
    ])
    expect(matchAxes(['N', 'T', 8, 5], ['N*T', 8, 5])).toEqual([
      { from: [0, 1], to: [0] },
      { from: [2], to: [1] },
      { from: [3], to: [2] },
    ])
  })
  test('are left together behind a symbol that only one side has', () => {
    expect(matchAxes([2, 'T', 5], [2, '5*T'])).toEqual([
      { from: [0], to: [0] },
      { from: [1, 2], to: [1] },
    ])
  })
})
