import type { Dim } from '../base/shape.ts'

/** Dimensions of several graphs, each graph with symbols of its own, and which of them are the same size. */
export interface SizeClasses {
  /** Says that two dimensions are equal; false if they are known to be different sizes. */
  join(a: readonly [graph: number, dim: Dim], b: readonly [graph: number, dim: Dim]): boolean
  /**
   * What a graph's dimension is called among all graphs: its size where that is known, else a symbol that only equal
   * dimensions share. Expressions over symbols are not followed: '' (not known).
   */
  name(graph: number, dim: Dim): Dim
}

export function sizeClasses(): SizeClasses {
  const parents = new Map<string, string>()
  const sizes = new Map<string, number>()
  const symbols = new Map<string, string>()
  const taken = new Set<string>()

  function rootOf(graph: number, dim: Dim): string {
    let key = typeof dim === 'number' ? `${dim}` : `${graph}/${dim}`
    if (typeof dim === 'number') sizes.set(key, dim)
    for (let next = parents.get(key); next !== undefined; next = parents.get(key)) key = next
    return key
  }

  return {
    join([i, a], [j, b]) {
      if (a === '' || b === '') return true
      const [one, other] = [rootOf(i, a), rootOf(j, b)]
      if (one === other) return true
      const [size, otherSize] = [sizes.get(one), sizes.get(other)]
      if (size !== undefined && otherSize !== undefined) return false
      // A size stays a root, so that every member of its class finds it.
      if (size === undefined) parents.set(one, other)
      else parents.set(other, one)
      return true
    },
    name(graph, dim) {
      if (typeof dim === 'number' || dim === '' || /[*+()]/.test(dim)) return typeof dim === 'number' ? dim : ''
      const root = rootOf(graph, dim)
      const size = sizes.get(root)
      if (size !== undefined) return size
      let symbol = symbols.get(root)
      if (symbol === undefined) {
        symbol = dim
        for (let i = 1; taken.has(symbol); i++) symbol = `${dim}_${i}`
        taken.add(symbol)
        symbols.set(root, symbol)
      }
      return symbol
    },
  }
}
