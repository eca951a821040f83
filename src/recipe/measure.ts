import type { Dataset } from '../data/dataset.ts'
import { latency, throughput } from '../evaluate/latency.ts'
import { classificationReport } from '../evaluate/metrics.ts'
import { predict } from '../evaluate/predict.ts'
import type { Predictions } from '../evaluate/predictions.ts'
import type { Graph } from '../graph/graph.ts'
import { encode } from '../onnx/encode.ts'
import { cost } from '../read/cost.ts'
import { finiteOrNull, type RunLatency, type RunMetrics } from '../report/run-record.ts'
import type { Backend } from '../runtime/backend.ts'

export interface Size {
  readonly parameters: number
  /** Multiply-accumulates for one example. */
  readonly macs: number
  readonly bytes: number
}

export function sizeOf(graph: Graph): Size {
  const { parameters, macs } = cost(graph)
  return { parameters, macs, bytes: encode(graph).length }
}

export interface Speed {
  readonly latency: RunLatency
  /** Examples per second at batch 64. */
  readonly throughput: number
}

/** Rows in a call that throughput is measured with. */
const throughputBatch = 64

/** Times a model on one thread, alone: one example a call, and 64. */
export async function speedOf(graph: Graph, data: Dataset, input: string, backend: Backend): Promise<Speed> {
  await using session = await backend.open(graph, { threads: 1 })
  const feeds = async (rows: number) => ({
    [input]: (await data.read(Array.from({ length: rows }, (_, i) => i % data.size)))[input]!,
  })
  const { p50, p95 } = await latency(session, await feeds(1), { runs: 200, warmup: 30, seconds: 2 })
  const rate = await throughput(session, await feeds(throughputBatch), { runs: 20, warmup: 3, seconds: 2 })
  return { latency: { p50, p95, unit: 'ms' }, throughput: rate }
}

/** What a model says of a part of the data. */
export async function predictionsOf(
  graph: Graph,
  data: Dataset,
  backend: Backend,
  threads: number,
): Promise<Predictions> {
  await using session = await backend.open(graph, { threads })
  // Awaited here: the session closes when this function ends.
  return await predict(session, data)
}

/** The five numbers of the report for some predictions. */
export function qualityOf(predictions: Predictions): RunMetrics {
  const { accuracy, macroF1, rocAuc, logLoss, ece } = classificationReport(predictions)
  return { accuracy, macroF1, rocAuc: finiteOrNull(rocAuc), logLoss: finiteOrNull(logLoss), ece: finiteOrNull(ece) }
}
