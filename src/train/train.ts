import { isFloat } from '../base/dtype.ts'
import { SinterError } from '../base/errors.ts'
import { throwIfInterrupted } from '../base/interrupt.ts'
import { random } from '../base/random.ts'
import { scalar, type Tensor } from '../base/tensor.ts'
import { batchCount, batches, type Transform } from '../data/batches.ts'
import type { Batch, Dataset } from '../data/dataset.ts'
import type { Loss } from '../gradient/losses.ts'
import type { Optimizer } from '../gradient/optimizers.ts'
import {
  type Layout,
  type TrainStep,
  type TrainStepOptions,
  trainedTensors,
  trainStep,
  withTensors,
} from '../gradient/train-step.ts'
import type { Graph } from '../graph/graph.ts'
import type { Backend } from '../runtime/backend.ts'
import { checkData, checkFinite, checkResumed, tensorType } from './check.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import type { EpochRecord } from './history.ts'
import { fastestLayout } from './layout.ts'
import { constant, type Schedule } from './schedule.ts'
import { preferred, tune } from './tune.ts'

/** Where training stands; sent after every few steps and after every epoch. */
export interface TrainProgress {
  readonly epoch: number
  readonly epochs: number
  readonly step: number
  readonly steps: number
  /** Running mean of the loss. */
  readonly loss: number
  /** Rows per second in this epoch. */
  readonly throughput: number
  readonly remainingSeconds: number
  /** Set when an epoch has ended. */
  readonly record?: EpochRecord
}

/** Judges a model while it is trained; larger or smaller is better. */
export interface Validation {
  /** Scores by name; `monitor` is among them. */
  score(graph: Graph): Promise<Readonly<Record<string, number>>>
  readonly monitor: string
  readonly direction: 'minimize' | 'maximize'
}

export interface TrainOptions extends Omit<TrainStepOptions, 'forms' | 'layout'> {
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly schedule?: Schedule
  readonly epochs: number
  readonly seed: number
  readonly backend: Backend
  /** Threads of the engine. With 1, equal seeds give equal weights on one kind of CPU, bit by bit. */
  readonly threads?: number
  /** Of the tensors inside of a step; the fastest on this machine if left out. */
  readonly layout?: Layout
  /** The field of the data set that holds the expected values; `label` if left out. */
  readonly target?: string
  /** Changes each batch before it is trained on (augmentation). */
  readonly transform?: Transform
  readonly validation?: Validation
  /** Stops when the monitored score has not improved for this many epochs. */
  readonly patience?: number
  /** Whether the weights of the best epoch are returned rather than the last; true if left out and there is a validation. */
  readonly restoreBest?: boolean
  /** Times alternative gradient formulations first; by default where more than one thread makes runs differ anyway. */
  readonly tune?: boolean
  /** A file that is written after every epoch, and that training goes on from where it exists. */
  readonly checkpoint?: { readonly path: string; readonly fingerprint: string }
  readonly onProgress?: (progress: TrainProgress) => void
  readonly signal?: AbortSignal
}

export interface Trained {
  readonly graph: Graph
  readonly history: readonly EpochRecord[]
  /** The epoch whose weights the graph has, counted from 1. */
  readonly epoch: number
  /** Time spent training, validation not counted, over all sessions of a resumed run. */
  readonly seconds: number
  readonly stoppedEarly: boolean
}

const defaultTarget = 'label'

/** Progress is told at most this often, in milliseconds. */
const progressInterval = 100

/**
 * Trains a graph's parameters on a data set and returns the graph with the new ones.
 * Fields of the data set go into the model's inputs of the same names.
 * @throws SinterError `invalid-data` if the data does not fit, `diverged` if the loss is no longer finite, `interrupted`
 *   if the signal aborts (the checkpoint, if there is one, holds the epochs that were finished).
 */
export async function train(graph: Graph, data: Dataset, options: TrainOptions): Promise<Trained> {
  const { epochs, backend, validation, patience = Number.POSITIVE_INFINITY, checkpoint, signal } = options
  const restoreBest = options.restoreBest ?? validation !== undefined
  aboveZero('epochs', epochs)
  if (options.patience !== undefined) aboveZero('patience', options.patience)
  const open = options.threads === undefined ? {} : { threads: options.threads }
  throwIfInterrupted(signal, 'Training stopped before it began.')
  const step = await compile(graph, data, options)

  const resumed = checkpoint && (await readCheckpoint(checkpoint.path, checkpoint.fingerprint))
  if (resumed) checkResumed(resumed, step, graph, checkpoint.path)
  const history: EpochRecord[] = [...(resumed?.history ?? [])]
  let state: ReadonlyMap<string, Tensor> =
    resumed?.state ?? new Map(step.state.map(({ input, initial }) => [input, initial]))
  let best: Checkpoint['best'] = resumed?.best
  let seconds = resumed?.seconds ?? 0

  await using session = await backend.open(step.graph, open)
  while (history.length < epochs && !isStale(history, best, patience)) {
    const epoch = history.length
    const before = seconds
    const { state: next, ...measured } = await trainEpoch(step, session, data, state, epoch, options)
    state = next
    seconds = before + measured.seconds
    const tensors = trainedTensors(step, state)
    checkFinite(tensors, epoch + 1)
    const scores = validation ? await scoresOf(validation, withTensors(graph, tensors)) : {}
    const record: EpochRecord = { epoch: epoch + 1, ...measured, validation: scores }
    history.push(record)
    if (improves(record, history, best, validation)) best = { epoch: epoch + 1, tensors }
    if (checkpoint)
      await writeCheckpoint(checkpoint.path, { fingerprint: checkpoint.fingerprint, history, seconds, state, best })
    const steps = batchCount(data.size, { size: step.batch, dropLast: true })
    const remainingSeconds = (seconds / history.length) * (epochs - history.length)
    options.onProgress?.({
      epoch: epoch + 1,
      epochs,
      step: steps,
      steps,
      loss: record.loss,
      throughput: record.throughput,
      remainingSeconds,
      record,
    })
  }
  const kept = restoreBest && best ? best : { epoch: history.length, tensors: trainedTensors(step, state) }
  return {
    graph: withTensors(graph, kept.tensors),
    history,
    epoch: kept.epoch,
    seconds,
    stoppedEarly: history.length < epochs,
  }
}

/** The step, in its fastest forms if they are to be timed. */
async function compile(graph: Graph, data: Dataset, options: TrainOptions): Promise<TrainStep> {
  const { backend, threads, signal } = options
  const layout = options.layout ?? (await fastestLayout(backend))
  const step = trainStep(graph, { ...options, layout })
  checkData(step, data, { target: options.target ?? defaultTarget, transformed: options.transform !== undefined })
  if (!(options.tune ?? threads !== 1) || step.choices.length === 0) return step
  const timings = await tune(step.choices, {
    backend,
    ...(threads === undefined ? {} : { threads }),
    ...(signal ? { signal } : {}),
  })
  return trainStep(graph, { ...options, layout, forms: preferred(timings) })
}

async function trainEpoch(
  step: TrainStep,
  session: Awaited<ReturnType<Backend['open']>>,
  data: Dataset,
  from: ReadonlyMap<string, Tensor>,
  epoch: number,
  { loss: goal, optimizer, schedule = constant(), epochs, seed, target = defaultTarget, ...options }: TrainOptions,
): Promise<Pick<EpochRecord, 'loss' | 'rate' | 'seconds' | 'throughput'> & { state: ReadonlyMap<string, Tensor> }> {
  const steps = batchCount(data.size, { size: step.batch, dropLast: true })
  const { transform, onProgress, signal } = options
  const fetch = [step.loss, ...step.state.map(({ output }) => output)]
  const prediction = tensorType(step.graph.outputs.find(({ name }) => name === step.prediction))
  const { dtype } = prediction
  const start = performance.now()
  const elapsed = () => (performance.now() - start) / 1000
  let state = from
  let sum = 0
  let done = 0
  let rate = 0
  let told = start
  for await (const batch of batches(data, {
    size: step.batch,
    random: random(seed),
    epoch,
    dropLast: true,
    transform,
  })) {
    throwIfInterrupted(signal, `Training stopped in epoch ${epoch + 1} of ${epochs}.`, { epoch, epochs })
    const index = epoch * steps + done
    rate = optimizer.rate * schedule.factor({ step: index, steps: epochs * steps, epoch })
    const scalars: Record<string, number> = { rate, ...optimizer.scalars(index + 1) }
    const feeds: Record<string, Tensor> = Object.fromEntries(state)
    for (const name of step.data) feeds[name] = batch[name]!
    for (const { name, input } of step.scalars) feeds[input] = scalar(dtype, scalars[name]!)
    goal.check?.(batch[target]!, prediction)
    feeds[step.target.name] = batch[target]!
    const results = await session.run(feeds, fetch)
    const loss = Number(results[step.loss]!.data[0])
    if (!Number.isFinite(loss)) {
      checkNumbers(step, batch, epoch, done)
      throw new SinterError(
        'diverged',
        `The loss is ${loss} at step ${done + 1} of epoch ${epoch + 1}: lower the learning rate (${rate.toPrecision(3)}), warm it up, or clip the gradient.`,
        { epoch: epoch + 1, step: done + 1, rate },
      )
    }
    state = new Map(step.state.map(({ input, output }) => [input, results[output]!]))
    sum += loss
    done++
    if (onProgress && performance.now() - told > progressInterval) {
      told = performance.now()
      const perStep = elapsed() / done
      const remainingSeconds = perStep * (steps * (epochs - epoch) - done)
      onProgress({
        epoch: epoch + 1,
        epochs,
        step: done,
        steps,
        loss: sum / done,
        throughput: step.batch / perStep,
        remainingSeconds,
      })
    }
  }
  const seconds = elapsed()
  return { loss: sum / done, rate, seconds, throughput: (done * step.batch) / seconds, state }
}

/** Tells of data that is no number, where that and not the learning rate is what spoiled the loss. */
function checkNumbers(step: TrainStep, batch: Batch, epoch: number, done: number): void {
  for (const name of step.data) {
    const { dtype, data } = batch[name]!
    if (!isFloat(dtype) || !(data instanceof Float32Array || data instanceof Float64Array)) continue
    const value = data.find(one => !Number.isFinite(one))
    if (value === undefined) continue
    const place = `step ${done + 1} of epoch ${epoch + 1}`
    throw new SinterError(
      'invalid-data',
      `The field '${name}' holds ${value} in the batch of ${place}: clean the data.`,
      {
        field: name,
        epoch: epoch + 1,
        step: done + 1,
      },
    )
  }
}

function improves(
  record: EpochRecord,
  history: readonly EpochRecord[],
  best: Checkpoint['best'],
  validation: Validation | undefined,
): boolean {
  if (!validation || !best) return true
  const score = record.validation[validation.monitor]!
  const previous = history[best.epoch - 1]!.validation[validation.monitor]!
  // A score that is not a number is worse than any that is.
  if (Number.isNaN(previous)) return !Number.isNaN(score)
  return validation.direction === 'maximize' ? score > previous : score < previous
}

async function scoresOf({ score, monitor }: Validation, graph: Graph): Promise<Readonly<Record<string, number>>> {
  const scores = await score(graph)
  if (typeof scores[monitor] === 'number') return scores
  const names = Object.keys(scores).join(', ')
  throw new SinterError(
    'invalid-argument',
    `The validation gives no score '${monitor}' to monitor; it gives ${names || 'none'}.`,
    { monitor, scores },
  )
}

function isStale(history: readonly EpochRecord[], best: Checkpoint['best'], patience: number): boolean {
  return best !== undefined && history.length - best.epoch >= patience
}

function aboveZero(name: string, value: number): void {
  if (!(Number.isInteger(value) && value > 0))
    throw new SinterError('invalid-argument', `${name} must be a whole number above 0, not ${value}.`, {
      [name]: value,
    })
}
