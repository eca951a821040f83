import { InvalidArgumentError } from 'commander'

/** `left=right` as a user wrote it. Names may hold `=` themselves, so where it parts is decided by what there is. */
export interface Pair {
  readonly text: string
  readonly splits: readonly (readonly [left: string, right: string])[]
}

/** Parses `left=right`; given again, it adds to those before. */
export function pairs(text: string, before: readonly Pair[] = []): readonly Pair[] {
  const splits: (readonly [string, string])[] = []
  for (let at = text.indexOf('='); at >= 0; at = text.indexOf('=', at + 1)) {
    if (at > 0 && at < text.length - 1) splits.push([text.slice(0, at), text.slice(at + 1)])
  }
  if (splits.length === 0) throw new InvalidArgumentError('It must be two names with = between them.')
  return [...before, { text, splits }]
}

/** Where a pair parts: so that its left side is known, else at the first `=`. */
export function splitPair(
  { splits }: Pair,
  isKnown: (left: string) => boolean,
): readonly [left: string, right: string] {
  return splits.find(([left]) => isKnown(left)) ?? splits[0]!
}
