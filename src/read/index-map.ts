import type { IndexMap } from '../ops/operator.ts'

/**
 * Visits every pair of indices that a map relates, `from` and `to` being the sizes of the two axes. Both directions of a
 * link come of this one enumeration.
 * @throws Error if the sizes do not fit the map: a record's mistake.
 */
export function eachPair(map: IndexMap, from: number, to: number, visit: (from: number, to: number) => void): void {
  if (map === 'same') {
    expect(from === to, map, from, to)
    for (let i = 0; i < from; i++) visit(i, i)
  } else if ('offset' in map) {
    const { offset } = map
    for (let i = Math.max(0, -offset); i < from && i + offset < to; i++) visit(i, i + offset)
  } else if ('repeat' in map) {
    const { repeat } = map
    expect(from * repeat === to, map, from, to)
    for (let j = 0; j < to; j++) visit(Math.floor(j / repeat), j)
  } else if ('tile' in map) {
    expect(from * map.tile === to, map, from, to)
    for (let j = 0; j < to; j++) visit(j % from, j)
  } else if ('groups' in map) {
    const each = from / map.groups
    expect(Number.isInteger(each) && each <= to, map, from, to)
    for (let i = 0; i < from; i++) visit(i, i % each)
  } else {
    expect(map.index.length === to, map, from, to)
    map.index.forEach((i, j) => {
      visit(i, j)
    })
  }
}

/** Whether every index of either axis has exactly one partner, in order. */
export function isSame(map: IndexMap, from: number, to: number): boolean {
  return map === 'same' || ('offset' in map && map.offset === 0 && from === to)
}

function expect(fits: boolean, map: IndexMap, from: number, to: number): void {
  if (!fits) throw new Error(`the coupling ${JSON.stringify(map)} does not relate axes of ${from} and ${to}`)
}
