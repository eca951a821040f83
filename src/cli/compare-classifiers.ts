import { SinterError } from '../base/errors.ts'
import type { Dataset } from '../data/dataset.ts'
import { metrics } from '../evaluate/metrics.ts'
import { type McNemar, mcnemar } from '../evaluate/significance.ts'
import type { Graph } from '../graph/graph.ts'
import { classify } from './classify.ts'

/** How two classifiers answer on labelled rows. */
export interface ClassifierComparison {
  readonly rows: number
  readonly accuracy: { readonly a: number; readonly b: number }
  /** Share of the rows that both put into the same class. */
  readonly agreement: number
  /** McNemar's exact test, the first being a. */
  readonly mcnemar: McNemar
}

/** Null where one of the two is no classifier of the rows. */
export async function compareClassifiers(
  a: Graph,
  b: Graph,
  dataset: Dataset,
  options: { readonly threads?: number },
): Promise<ClassifierComparison | null> {
  try {
    const [first, second] = [await classify(a, dataset, options), await classify(b, dataset, options)]
    const [x, y] = [first.predictions, second.predictions]
    return {
      rows: x.size,
      accuracy: { a: metrics.accuracy.value(x), b: metrics.accuracy.value(y) },
      agreement: x.predicted.filter((predicted, row) => predicted === y.predicted[row]).length / x.size,
      mcnemar: mcnemar(x, y),
    }
  } catch (error) {
    if (error instanceof SinterError) return null
    throw error
  }
}
