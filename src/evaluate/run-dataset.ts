import { SinterError } from '../base/errors.ts'
import { throwIfInterrupted } from '../base/interrupt.ts'
import { formatShape, sameShape } from '../base/shape.ts'
import type { Tensor } from '../base/tensor.ts'
import { batches } from '../data/batches.ts'
import type { Batch, Dataset } from '../data/dataset.ts'
import { stackRows } from '../data/rows.ts'
import type { Results, Session } from '../runtime/backend.ts'

export interface RunDatasetOptions {
  /** Rows per run, the last run may have fewer; 256 if left out. */
  readonly batch?: number
  /** Which field goes into an input, where its name is not the input's. */
  readonly fields?: Readonly<Record<string, string>>
  /** Told after each run how many rows are done. */
  readonly onProgress?: (done: number, size: number) => void
  readonly signal?: AbortSignal
}

/**
 * Runs a whole data set through a graph, in order, and joins what comes out along the rows. The next batch is read while
 * one runs.
 * @param fetch the outputs wanted, each with the batch as first dimension.
 * @param onBatch is given each batch as it was read.
 * @throws SinterError `invalid-data` if an input has no field, or an output is not one row per row; `interrupted`.
 */
export async function runDataset(
  session: Session,
  dataset: Dataset,
  fetch: readonly string[],
  { batch: size = 256, fields = {}, onProgress, signal }: RunDatasetOptions = {},
  onBatch?: (batch: Batch) => void,
): Promise<Results> {
  const sources = session.inputs.map(({ name }) => [name, fields[name] ?? name] as const)
  for (const [input, field] of sources) {
    if (!dataset.fields[field])
      throw new SinterError(
        'invalid-data',
        `The data set has no field '${field}' for the input '${input}'; it has ${Object.keys(dataset.fields).join(', ')}.`,
        { input, field, fields: Object.keys(dataset.fields) },
      )
  }
  const parts = new Map<string, Tensor[]>(fetch.map(name => [name, []]))
  let done = 0
  for await (const batch of batches(dataset, { size })) {
    throwIfInterrupted(signal, `Stopped after ${done} of ${dataset.size} rows.`, { done, size: dataset.size })
    onBatch?.(batch)
    const feeds = Object.fromEntries(sources.map(([input, field]) => [input, batch[field]!]))
    const results = await session.run(feeds, fetch)
    const rows = Math.min(size, dataset.size - done)
    for (const [name, made] of parts) {
      const result = results[name]!
      if (result.shape[0] !== rows)
        throw new SinterError(
          'invalid-data',
          `The output '${name}' is ${formatShape(result.shape)} for ${rows} rows: its first dimension must be the batch.`,
          { output: name, shape: result.shape, rows },
        )
      made.push(result)
    }
    done += rows
    onProgress?.(done, dataset.size)
  }
  return Object.fromEntries([...parts].map(([name, made]) => [name, joinRows(name, made)]))
}

function joinRows(name: string, parts: readonly Tensor[]): Tensor {
  const [first] = parts
  if (!first) throw new SinterError('invalid-data', 'The data set is empty: there is nothing to run.')
  const odd = parts.find(({ shape }) => !sameShape(shape.slice(1), first.shape.slice(1)))
  if (odd)
    throw new SinterError(
      'invalid-data',
      `The output '${name}' is ${formatShape(first.shape)} for one batch and ${formatShape(odd.shape)} for another.`,
      { output: name },
    )
  return stackRows(parts)
}
