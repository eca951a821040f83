import type { Dataset } from '../data/dataset.ts'
import { metrics } from '../evaluate/metrics.ts'
import { type PredictOptions, predict } from '../evaluate/predict.ts'
import type { Backend } from '../runtime/backend.ts'
import type { Validation } from './train.ts'

export interface ValidateOnOptions extends Pick<PredictOptions, 'output' | 'scores' | 'batch' | 'signal'> {
  readonly backend: Backend
  readonly threads?: number
  /** The score that the best epoch is chosen by, and that patience watches; accuracy if left out. */
  readonly monitor?: 'accuracy' | 'logLoss'
}

/** Validation of a classifier on held-out data: its `accuracy` and its `logLoss` after each epoch. */
export function validateOn(data: Dataset, options: ValidateOnOptions): Validation {
  const { backend, threads, monitor = 'accuracy', ...how } = options
  return {
    monitor,
    direction: metrics[monitor].direction,
    async score(graph) {
      await using session = await backend.open(graph, threads === undefined ? {} : { threads })
      // Awaited here: the session closes when this function ends.
      const predictions = await predict(session, data, how)
      return { accuracy: metrics.accuracy.value(predictions), logLoss: metrics.logLoss.value(predictions) }
    },
  }
}
