/**
 * Names that nothing has yet: the hint itself, or with `_1`, `_2`, ... behind it. Each name given is added to `taken`.
 * Keeps in mind how far it counted, so that many names of one hint cost no search each.
 */
export function freshNames(taken: Pick<Set<string>, 'has' | 'add'>): (hint: string) => string {
  const next = new Map<string, number>()
  return hint => {
    let name = hint
    for (let i = next.get(hint) ?? 1; taken.has(name); i++) {
      name = `${hint}_${i}`
      next.set(hint, i + 1)
    }
    taken.add(name)
    return name
  }
}
