import { throwIfInterrupted } from '../base/interrupt.ts'
import { classificationReport } from '../evaluate/metrics.ts'
import type { Predictions } from '../evaluate/predictions.ts'
import { binaryRocAuc, classRocCurve } from '../evaluate/ranking.ts'
import { mcnemar } from '../evaluate/significance.ts'
import { finiteOrNull, type RunEvaluation, type RunModel, type RunRecord } from '../report/run-record.ts'
import { thinCurve } from '../report/thin-curve.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import type { RunContext } from './context.ts'
import { predictionsOf, qualityOf, speedOf } from './measure.ts'
import { byValidation, type Shelf } from './shelf.ts'

/** Touches the test part, once: every model's quality and speed, and the details of the choice beside the best member. */
export async function evaluateAll(
  context: RunContext,
  shelf: Shelf,
  record: RunRecord,
): Promise<Pick<RunRecord, 'models' | 'choice' | 'evaluation'>> {
  const { data, recipe, backend, threads, signal } = context
  const models: RunModel[] = []
  const tested = new Map<string, Predictions>()
  for (const { graph, model } of shelf.entries) {
    throwIfInterrupted(signal, `Stopped before the evaluation of ${model.name}.`)
    const predictions = await predictionsOf(graph, data.test, backend, threads)
    tested.set(model.name, predictions)
    models.push({
      ...model,
      ...(await speedOf(graph, data.test, recipe.data.input, onnxruntimeNode)),
      test: qualityOf(predictions),
    })
  }
  const single = shelf.entries.filter(({ model }) => model.kind === 'member').sort(byValidation)[0]!.model.name
  const { choice } = record
  const chosen = choice?.name ?? single
  const detailed = [...new Set([chosen, single])].map(name => detailsOf(name, tested.get(name)!, data.classes))
  if (!choice) return { models, choice, evaluation: detailed }
  const { onlyFirst, onlySecond, p } = mcnemar(tested.get(chosen)!, tested.get(single)!)
  const test = { against: single, onlyChoice: onlyFirst, onlyAgainst: onlySecond, p }
  return { models, choice: { ...choice, mcnemar: test }, evaluation: detailed }
}

function detailsOf(model: string, predictions: Predictions, names: readonly string[]): RunEvaluation {
  const { confusion, classes } = classificationReport(predictions)
  const roc = names.map((name, c) => {
    const scores = Float64Array.from(
      { length: predictions.size },
      (__, row) => predictions.probabilities[row * predictions.classes + c]!,
    )
    const labels = Uint8Array.from(predictions.labels, label => (label === c ? 1 : 0))
    const auc = finiteOrNull(binaryRocAuc(scores, labels))
    // Without a row of the class, or of another, there is no rate to draw.
    if (auc === null) return { name, auc, points: [] }
    const { falsePositiveRate, truePositiveRate } = classRocCurve(predictions, c)
    const points = Array.from(falsePositiveRate, (x, i): [number, number] => [x, truePositiveRate[i]!])
    return { name, auc, points: thinCurve(points) }
  })
  return {
    model,
    confusion,
    classes: classes.map((scores, c) => ({ name: names[c]!, ...scores })),
    roc,
  }
}
