import { numbers, type Tensor } from '../base/tensor.ts'
import { type Dataset, subset } from '../data/dataset.ts'
import { predict } from '../evaluate/predict.ts'
import type { Predictions } from '../evaluate/predictions.ts'
import { runDataset } from '../evaluate/run-dataset.ts'
import type { Graph } from '../graph/graph.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { batchFor } from './data.ts'
import { scoresOutput } from './model.ts'

export const scoreKinds = ['probabilities', 'logits'] as const
export type ScoreKind = (typeof scoreKinds)[number]

export interface ClassifyOptions {
  /** The output with the scores; see `scoresOutput`. */
  readonly output?: string
  /** What the scores are; told by their values if left out. */
  readonly scores?: ScoreKind
  readonly batch?: number
  readonly threads?: number
  readonly signal?: AbortSignal
}

export interface Classified {
  readonly predictions: Predictions
  readonly output: string
  readonly scores: ScoreKind
}

/**
 * Classifies labelled data with any classifier. Where it is not said what the scores are, rows that all lie in [0, 1] and
 * sum to 1 are probabilities.
 */
export async function classify(graph: Graph, dataset: Dataset, options: ClassifyOptions = {}): Promise<Classified> {
  const { threads, signal } = options
  const output = scoresOutput(graph, options.output)
  const batch = batchFor(graph, dataset, options.batch)
  await using session = await onnxruntimeNode.open(graph, threads === undefined ? {} : { threads })
  const first = subset(
    dataset,
    Array.from({ length: Math.min(batch, dataset.size) }, (_, i) => i),
  )
  const scores = options.scores ?? scoreKindOf((await runDataset(session, first, [output], { batch }))[output]!)
  const predictions = await predict(session, dataset, { output, scores, batch, ...(signal ? { signal } : {}) })
  return { predictions, output, scores }
}

/** How far from 1 the sum of a row's probabilities may be: those of float16 models are off by more than rounding. */
const sumTolerance = 1e-2

/** What some scores [rows, classes] look like. */
export function scoreKindOf(scores: Tensor): ScoreKind {
  const values = numbers(scores)
  const classes = scores.shape.at(-1) ?? 1
  for (let start = 0; start < values.length; start += classes) {
    let sum = 0
    for (let i = start; i < start + classes; i++) {
      if (!(values[i]! >= -1e-6 && values[i]! <= 1 + 1e-6)) return 'logits'
      sum += values[i]!
    }
    if (Math.abs(sum - 1) > sumTolerance) return 'logits'
  }
  return 'probabilities'
}
