import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { rowsByClass } from '../data/split.ts'

/**
 * Divides rows at random into k disjoint test parts for stratified k-fold cross-validation. Together they hold every row;
 * their sizes differ by at most one, and so do their numbers of rows of any class. Within a part rows are ascending. The
 * draw depends on the seed of `random` and on nothing that was drawn from it before.
 * @param labels the class of each row, any whole numbers.
 * @throws SinterError `invalid-argument` where k is below 2 or a class has fewer than k rows, so that some part would
 * lack it.
 */
export function stratifiedFolds(labels: ArrayLike<number>, k: number, random: Random): readonly Uint32Array[] {
  if (!(Number.isInteger(k) && k >= 2)) {
    throw new SinterError('invalid-argument', `Cross-validation needs 2 or more folds, not ${k}.`, { folds: k })
  }
  const classes = rowsByClass(labels)
  const small = classes.find(({ rows }) => rows.length < k)
  if (small || classes.length === 0) {
    const reason = small ? `class ${small.label} has only ${small.rows.length} rows` : 'there are no rows'
    throw new SinterError(
      'invalid-argument',
      `${k} folds need ${k} rows of every class, but ${reason}; use fewer folds or more data.`,
      { folds: k, class: small?.label, rows: small?.rows.length },
    )
  }
  // Dealing the rows class by class, as cards, spreads each class, and all of them, evenly.
  const draws = random.fork('stratified folds')
  const shuffled = classes.flatMap(({ label, rows }) =>
    Array.from(draws.fork(label).permutation(rows.length), i => rows[i]!),
  )
  return Array.from({ length: k }, (_, fold) => Uint32Array.from(shuffled.filter((_, i) => i % k === fold)).sort())
}

/** The rows outside of a test part, ascending: what is trained on when that part is held out. */
export function restOf(size: number, fold: ArrayLike<number>): Uint32Array {
  const held = new Set(Array.from(fold))
  return Uint32Array.from({ length: size }, (_, row) => row).filter(row => !held.has(row))
}
