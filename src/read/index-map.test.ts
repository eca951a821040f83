import { describe, expect, it } from 'vitest'
import type { IndexMap } from '../ops/operator.ts'
import { eachPair } from './index-map.ts'

function pairs(map: IndexMap, from: number, to: number): string[] {
  const found: string[] = []
  eachPair(map, from, to, (i, j) => found.push(`${i}-${j}`))
  return found
}

describe('an index map', () => {
  it('relates equal axes index by index', () => {
    expect(pairs('same', 3, 3)).toEqual(['0-0', '1-1', '2-2'])
  })

  it('places an axis within a longer one, and cuts one out of it', () => {
    expect(pairs({ offset: 2 }, 2, 5)).toEqual(['0-2', '1-3'])
    expect(pairs({ offset: -2 }, 5, 2)).toEqual(['2-0', '3-1'])
    expect(pairs({ offset: -1 }, 5, 2)).toEqual(['1-0', '2-1'])
  })

  it('repeats each index, as a flattened map does its channels', () => {
    expect(pairs({ repeat: 2 }, 2, 4)).toEqual(['0-0', '0-1', '1-2', '1-3'])
  })

  it('tiles an axis whose channels come fastest', () => {
    expect(pairs({ tile: 2 }, 2, 4)).toEqual(['0-0', '1-1', '0-2', '1-3'])
  })

  it("folds the groups of a convolution's input onto its weights", () => {
    expect(pairs({ groups: 2 }, 4, 2)).toEqual(['0-0', '1-1', '2-0', '3-1'])
    expect(pairs({ groups: 2 }, 4, 4)).toEqual(['0-0', '1-1', '2-0', '3-1'])
  })

  it('follows a list of indices, each as often as it stands', () => {
    expect(pairs({ index: [2, 0, 2] }, 3, 3)).toEqual(['2-0', '0-1', '2-2'])
  })

  it('refuses sizes that do not fit', () => {
    expect(() => pairs('same', 3, 4)).toThrow(/3 and 4/)
    expect(() => pairs({ repeat: 2 }, 2, 5)).toThrow(/2 and 5/)
    expect(() => pairs({ tile: 3 }, 2, 5)).toThrow(/2 and 5/)
    expect(() => pairs({ groups: 3 }, 4, 2)).toThrow(/4 and 2/)
    expect(() => pairs({ index: [0] }, 2, 2)).toThrow(/2 and 2/)
  })
})
