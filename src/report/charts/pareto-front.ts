/** The items that no other beats: none is as cheap and more valuable, or cheaper and as valuable. By rising cost. */
export function paretoFront<T>(
  items: readonly T[],
  { cost, value }: { readonly cost: (item: T) => number; readonly value: (item: T) => number },
): T[] {
  const front: T[] = []
  for (const item of [...items].sort((a, b) => cost(a) - cost(b) || value(b) - value(a))) {
    const last = front.at(-1)
    if (last === undefined || value(item) > value(last)) front.push(item)
  }
  return front
}
