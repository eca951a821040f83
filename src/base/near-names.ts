/**
 * The names most like one that does not exist, the nearest first, for messages: those that contain it or that it
 * contains, and those a few letters apart (Levenshtein's distance, at most a third of the length, or two).
 */
export function nearNames(name: string, known: Iterable<string>, most = 3): readonly string[] {
  if (name === '') return []
  const wanted = name.toLowerCase()
  const scored: { readonly name: string; readonly score: number }[] = []
  for (const candidate of known) {
    const other = candidate.toLowerCase()
    const length = Math.max(wanted.length, other.length)
    // Two letters that changed places are two.
    const bound = Math.max(length > 3 ? 2 : 1, Math.floor(length / 3))
    const within = other !== '' && (other.includes(wanted) || wanted.includes(other))
    const score = within
      ? Math.abs(other.length - wanted.length) / (other.length + wanted.length)
      : Math.abs(other.length - wanted.length) > bound
        ? Number.POSITIVE_INFINITY
        : distance(wanted, other, bound)
    if (Number.isFinite(score)) scored.push({ name: candidate, score })
  }
  return scored
    .sort((a, b) => a.score - b.score)
    .slice(0, most)
    .map(one => one.name)
}

/** `did you mean 'a' or 'b'?`, or what there is where nothing is near; ends a message. */
export function suggestion(name: string, known: readonly string[]): string {
  const quoted = (names: readonly string[]) => names.map(one => `'${one}'`).join(', ')
  const near = nearNames(name, known)
  if (near.length > 0) return `Did you mean ${quoted(near).replace(/, ([^,]*)$/, ' or $1')}?`
  const more = known.length > 8 ? `, and ${known.length - 8} more` : ''
  return known.length === 0 ? 'There are none.' : `There are ${quoted(known.slice(0, 8))}${more}.`
}

/** Letters to insert, delete or replace; infinite above the bound. */
function distance(a: string, b: string, bound: number): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const replaced = before[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, before[j]! + 1, row[j - 1]! + 1)
      least = Math.min(least, row[j]!)
    }
    if (least > bound) return Number.POSITIVE_INFINITY
    before = row
  }
  return before[b.length]! <= bound ? before[b.length]! : Number.POSITIVE_INFINITY
}
