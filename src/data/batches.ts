import { SinterError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Batch, Dataset } from './dataset.ts'
import { allRows } from './rows.ts'

/**
 * Changes a batch that was just read, for example augments it. It returns new tensors and leaves the given ones alone.
 * `randomOf(i)` is the random stream of the batch's row i: it depends on the seed, the epoch and the row's place in the
 * epoch's order, so the outcome depends neither on timing nor on the batch size.
 */
export type Transform = (batch: Batch, randomOf: (row: number) => Random) => Batch

export interface BatchesOptions {
  /** Rows per batch; the last one may have fewer. */
  readonly size: number
  /** Shuffles, and feeds the transform. Without it rows come in order. */
  readonly random?: Random | undefined
  /** Each epoch has an order of its own. */
  readonly epoch?: number | undefined
  /** Leaves out the last batch where it is not full. */
  readonly dropLast?: boolean | undefined
  readonly transform?: Transform | undefined
}

/** Number of batches that `batches` yields. */
export function batchCount(rows: number, { size, dropLast = false }: BatchesOptions): number {
  return dropLast ? Math.floor(rows / size) : Math.ceil(rows / size)
}

/**
 * One pass over a data set. While the caller works on a batch the next one is already being read: what a data set does
 * off the main thread (files, decoding) overlaps with training. The same seed and epoch give the same batches.
 * @throws SinterError `invalid-argument` for a batch size that is not a positive whole number, or a transform without
 * `random`.
 */
export async function* batches(dataset: Dataset, options: BatchesOptions): AsyncGenerator<Batch, void, void> {
  const { size, random, epoch = 0, transform } = options
  if (!(Number.isInteger(size) && size > 0)) {
    throw new SinterError('invalid-argument', `A batch size is a positive whole number, not ${size}.`, { size })
  }
  if (transform && !random) {
    throw new SinterError('invalid-argument', 'A transform needs a random stream; give `random` as well.')
  }
  const stream = random?.fork('batches').fork(epoch)
  const order = stream?.fork('order').permutation(dataset.size) ?? allRows(dataset.size)
  const rowStreams = stream?.fork('rows')

  const read = async (index: number): Promise<Batch> => {
    const start = index * size
    const batch = await dataset.read(order.subarray(start, start + size))
    return transform && rowStreams ? transform(batch, row => rowStreams.fork(start + row)) : batch
  }
  const count = batchCount(dataset.size, options)
  let next = count > 0 ? read(0) : undefined
  for (let index = 0; next; index++) {
    const batch: Batch = await next
    next = index + 1 < count ? read(index + 1) : undefined
    // If the caller stops here, nobody will await the batch under way: its failure must not end the process.
    next?.catch(() => {})
    yield batch
  }
}
