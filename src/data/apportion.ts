/**
 * Spreads rows of several classes over parts of given sizes, as evenly as whole rows allow.
 *
 * Class c's share of part p is counts[c] * sizes[p] / total. The result rounds every share down or up so that each
 * class's numbers add up to its count and each part's to its size, which is always possible: "controlled rounding"
 * (L. H. Cox, A constructive procedure for unbiased controlled rounding, JASA 82, 1987). Here without its randomisation:
 * while shares remain that are not whole, some of them form a cycle that alternates between a row and a column of the
 * table; moving one unit's part around the cycle keeps all sums and makes at least one of them whole.
 *
 * @param counts rows per class; their sum is the total.
 * @param sizes rows per part, with the same sum.
 * @returns for each class its number of rows in each part.
 */
export function apportion(counts: readonly number[], sizes: readonly number[]): number[][] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const unit = Math.max(total, 1)
  const products = counts.map(count => sizes.map(size => BigInt(count) * BigInt(size)))
  const floors = products.map(row => row.map(product => Number(product / BigInt(unit))))
  // What each share exceeds its floor by, in units of 1/total: whole numbers, so that all arithmetic is exact.
  const excess = products.map(row => row.map(product => Number(product % BigInt(unit))))
  const fractional = (c: number, p: number) => excess[c]![p]! > 0 && excess[c]![p]! < unit

  for (let c = 0; c < counts.length; c++) {
    for (let cycle = findCycle(excess, c, fractional); cycle; cycle = findCycle(excess, c, fractional)) {
      // Even steps of the cycle gain what odd steps lose.
      const room = cycle.map(([row, column], i) => (i % 2 ? excess[row]![column]! : unit - excess[row]![column]!))
      const moved = Math.min(...room)
      for (const [i, [row, column]] of cycle.entries()) excess[row]![column]! += i % 2 ? -moved : moved
    }
  }
  return floors.map((row, c) => row.map((floor, p) => floor + (excess[c]![p] === unit ? 1 : 0)))
}

type Cell = readonly [row: number, column: number]

/**
 * Walks over fractional cells, alternately along a row and along a column, from row `start` until it comes back to a row
 * or column. One whose sum is whole has two fractional cells or none, so the walk never gets stuck.
 */
function findCycle(
  table: readonly (readonly number[])[],
  start: number,
  fractional: (row: number, column: number) => boolean,
): readonly Cell[] | undefined {
  const path: Cell[] = []
  const leftRow = new Map([[start, 0]]) // the position in the path of the step that leaves it
  const leftColumn = new Map<number, number>()
  let row = start
  let column = table[row]!.findIndex((_, c) => fractional(start, c))
  if (column < 0) return undefined
  while (true) {
    path.push([row, column])
    if (leftColumn.has(column)) return path.slice(leftColumn.get(column))
    leftColumn.set(column, path.length)
    row = nextIndex(table.length, row, r => fractional(r, column))

    path.push([row, column])
    if (leftRow.has(row)) return path.slice(leftRow.get(row))
    leftRow.set(row, path.length)
    column = nextIndex(table[row]!.length, column, c => fractional(row, c))
  }
}

/** The first index other than `current` that qualifies. */
function nextIndex(length: number, current: number, qualifies: (index: number) => boolean): number {
  let index = 0
  while (index === current || !qualifies(index)) {
    if (++index === length) throw new RangeError('A row or column has a single cell that is not whole.')
  }
  return index
}
