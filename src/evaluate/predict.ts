import type { TypedArray } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { elementCount, formatShape, sameShape } from '../base/shape.ts'
import { allocate, numbers, type Tensor, tensor } from '../base/tensor.ts'
import { batches } from '../data/batches.ts'
import type { Batch, Dataset } from '../data/dataset.ts'
import type { Results, Session } from '../runtime/backend.ts'
import { type Predictions, predictions } from './predictions.ts'

export interface RunOptions {
  /** Rows per run, the last run may have fewer; 256 if left out. */
  readonly batch?: number
  /** Which field goes into an input, where its name is not the input's. */
  readonly fields?: Readonly<Record<string, string>>
  /** Told after each run how many rows are done. */
  readonly onProgress?: (done: number, size: number) => void
  readonly signal?: AbortSignal
}

export interface PredictOptions extends RunOptions {
  /** The field that holds the true class; `label` if left out. */
  readonly target?: string
  /** The output that holds the scores; `probabilities` if there is one, else the only output. */
  readonly output?: string
  /** What the scores are: probabilities if the output is called so, else logits, of which a softmax is taken. */
  readonly scores?: 'probabilities' | 'logits'
}

/**
 * Classifies a whole data set, in order. Where the graph has an output `label`, that is the predicted class; else it is
 * the most probable one.
 * @throws SinterError `invalid-data` if the data does not fit the graph, or the scores are not [rows, classes].
 */
export async function predict(session: Session, dataset: Dataset, options: PredictOptions = {}): Promise<Predictions> {
  const { target = 'label', output = scoresOf(session) } = options
  if (!dataset.fields[target])
    throw new SinterError(
      'invalid-data',
      `The data set has no field '${target}' to hold the true class; it has ${Object.keys(dataset.fields).join(', ')}.`,
      { target, fields: Object.keys(dataset.fields) },
    )
  const own = session.outputs.some(({ name }) => name === 'label') && output !== 'label'
  const labels: (number | bigint)[] = []
  const results = await runDataset(session, dataset, own ? [output, 'label'] : [output], options, batch => {
    for (const label of batch[target]!.data as Iterable<number | bigint>) labels.push(label)
  })
  const scores = results[output]!
  const logits = (options.scores ?? (output === 'probabilities' ? 'probabilities' : 'logits')) === 'logits'
  const probabilities = logits ? softmax(scores) : scores
  return predictions(probabilities, labels, own ? { predicted: results.label!.data as BigInt64Array } : {})
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
  { batch: size = 256, fields = {}, onProgress, signal }: RunOptions = {},
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
    if (signal?.aborted)
      throw new SinterError('interrupted', `Stopped after ${done} of ${dataset.size} rows.`, {
        done,
        size: dataset.size,
      })
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

function scoresOf({ outputs }: Session): string {
  const names = outputs.map(({ name }) => name)
  if (names.includes('probabilities')) return 'probabilities'
  if (names.length === 1) return names[0]!
  throw new SinterError(
    'invalid-argument',
    `Which of the outputs ${names.join(', ')} holds the scores? Name it in the option 'output'.`,
    { outputs: names },
  )
}

function joinRows(name: string, parts: readonly Tensor[]): Tensor {
  const [first] = parts
  if (!first) throw new SinterError('invalid-data', 'The data set is empty: there is nothing to run.')
  const row = first.shape.slice(1)
  const odd = parts.find(({ shape }) => !sameShape(shape.slice(1), row))
  if (odd)
    throw new SinterError(
      'invalid-data',
      `The output '${name}' is ${formatShape(first.shape)} for one batch and ${formatShape(odd.shape)} for another.`,
      { output: name },
    )
  const shape = [parts.reduce((sum, part) => sum + part.shape[0]!, 0), ...row]
  if (first.dtype === 'string')
    return tensor(
      'string',
      shape,
      parts.flatMap(part => [...(part.data as string[])]),
    )
  const data = allocate(first.dtype, elementCount(shape)) as TypedArray
  let at = 0
  for (const part of parts) {
    data.set(part.data as never, at)
    at += part.data.length
  }
  return { dtype: first.dtype, shape, data }
}

/** Of each row, its largest value subtracted first so that nothing overflows. */
function softmax(scores: Tensor): Tensor<'float32'> {
  const [rows = 0, classes = 0] = scores.shape
  if (scores.shape.length !== 2)
    throw new SinterError('invalid-data', `Scores must be [rows, classes], not ${formatShape(scores.shape)}.`, {
      shape: scores.shape,
    })
  const values = numbers(scores)
  const made = new Float32Array(rows * classes)
  for (let start = 0; start < made.length; start += classes) {
    let largest = Number.NEGATIVE_INFINITY
    for (let i = start; i < start + classes; i++) largest = Math.max(largest, values[i]!)
    let sum = 0
    for (let i = start; i < start + classes; i++) sum += Math.exp(values[i]! - largest)
    for (let i = start; i < start + classes; i++) made[i] = Math.exp(values[i]! - largest) / sum
  }
  return tensor('float32', scores.shape, made)
}
