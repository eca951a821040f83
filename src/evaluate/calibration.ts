import { tensor } from '../base/tensor.ts'
import { type Predictions, predictions } from './predictions.ts'
import { logLoss } from './probability-scores.ts'
import { softmaxRows } from './softmax.ts'

export interface TemperatureFit {
  /** Above 1 where the model is too sure of itself, below 1 where it is not sure enough; from 0.01 to 100. */
  readonly temperature: number
  /** Log loss on the predictions that it was fitted to. */
  readonly before: number
  readonly after: number
}

/**
 * Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017): the one number by which to divide a model's logits so that
 * the log loss on held-out predictions is least. Logits are taken to be the logarithms of the probabilities, which a
 * softmax cannot tell from the originals. The loss is convex in 1 / temperature; its minimum is found by Newton's method
 * within a bracket.
 */
export function fitTemperature(held: Predictions): TemperatureFit {
  const logits = logitsOf(held)
  let [low, high] = [0.01, 100] // of 1 / temperature
  let inverse = 1
  for (let step = 0; step < 100; step++) {
    const { slope, curvature } = derivatives(logits, held, inverse)
    if (slope > 0) high = inverse
    else low = inverse
    const newton = inverse - slope / curvature
    const next = newton > low && newton < high ? newton : (low + high) / 2
    const moved = Math.abs(next - inverse)
    inverse = next
    if (moved <= 1e-14 * inverse) break
  }
  const temperature = 1 / inverse
  return { temperature, before: logLoss(held), after: logLoss(applyTemperature(held, temperature)) }
}

/** The same predictions with probabilities softmax(log p / temperature). */
export function applyTemperature(source: Predictions, temperature: number): Predictions {
  const { size, classes, labels, predicted } = source
  const scaled = logitsOf(source).map(logit => logit / temperature)
  return predictions(tensor('float64', [size, classes], softmaxRows(scaled, classes)), labels, { predicted })
}

/** Probabilities of 0 are taken as 2^-52, as the log loss does. */
function logitsOf({ probabilities }: Predictions): Float64Array {
  return Float64Array.from(probabilities, p => Math.log(Math.max(p, Number.EPSILON)))
}

/** First and second derivative of the mean log loss by 1 / temperature: means of E[z] - z(label) and of Var[z]. */
function derivatives(logits: Float64Array, { size, classes, labels }: Predictions, inverse: number) {
  let [slope, curvature] = [0, 0]
  const p = new Float64Array(classes)
  for (let row = 0, at = 0; row < size; row++, at += classes) {
    for (let c = 0; c < classes; c++) p[c] = logits[at + c]! * inverse
    softmaxRows(p, classes)
    let [mean, square] = [0, 0]
    for (let c = 0; c < classes; c++) {
      mean += p[c]! * logits[at + c]!
      square += p[c]! * logits[at + c]! ** 2
    }
    slope += mean - logits[at + labels[row]!]!
    curvature += square - mean ** 2
  }
  return { slope: slope / size, curvature: curvature / size }
}
