import { SinterError } from '../base/errors.ts'
import { formatShape } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'

/** What a classifier said about labelled examples, and what is true. Made by `predictions`, which checks it. */
export interface Predictions {
  /** Number of examples, at least 1. */
  readonly size: number
  /** Number of classes C, at least 2. */
  readonly classes: number
  /** [size, C] row-major: the score of each class, a probability from 0 to 1. */
  readonly probabilities: Float32Array | Float64Array
  /** The class that was predicted. */
  readonly predicted: Int32Array
  /** The class that is true. */
  readonly labels: Int32Array
}

export interface PredictionsOptions {
  /**
   * The classes that were predicted, where they are not simply the most probable ones, as after a vote. Default: the
   * class of the highest probability, the first of several.
   */
  readonly predicted?: ArrayLike<number | bigint> | undefined
}

/**
 * Checks predictions and puts them in the form that the metrics take.
 * @param probabilities float32 or float64 [N, C], for example a model's output. Rows need not add up to exactly 1;
 * what rounding has put just outside of [0, 1] is brought back to it.
 * @param labels the true class of each row, 0 to C-1.
 * @throws SinterError `invalid-data` where shapes do not fit, a label is no class, or a probability is not in [0, 1].
 */
export function predictions(
  probabilities: Tensor,
  labels: ArrayLike<number | bigint>,
  { predicted }: PredictionsOptions = {},
): Predictions {
  const [size = 0, classes = 0] = probabilities.shape
  if (probabilities.shape.length !== 2 || size < 1 || classes < 2) {
    throw new SinterError(
      'invalid-data',
      `Probabilities must be [rows, classes] with at least 1 row and 2 classes, not ${formatShape(probabilities.shape)}.`,
      { shape: probabilities.shape },
    )
  }
  const values = withinRange(floats(probabilities), classes)
  return {
    size,
    classes,
    probabilities: values,
    predicted: predicted ? classesOf(predicted, size, classes, 'predicted class') : mostProbable(values, size, classes),
    labels: classesOf(labels, size, classes, 'label'),
  }
}

/** The predictions of some rows, in the order asked for; a row may be asked for more than once. */
export function takePredictions(
  { classes, probabilities, predicted, labels }: Predictions,
  rows: ArrayLike<number>,
): Predictions {
  const size = rows.length
  const taken = new (probabilities.constructor as Float64ArrayConstructor)(size * classes)
  for (let i = 0; i < size; i++) {
    for (let c = 0, from = rows[i]! * classes; c < classes; c++) taken[i * classes + c] = probabilities[from + c]!
  }
  return {
    size,
    classes,
    probabilities: taken,
    predicted: Int32Array.from(rows, row => predicted[row]!),
    labels: Int32Array.from(rows, row => labels[row]!),
  }
}

function floats(tensor: Tensor): Float32Array | Float64Array {
  const values = numbers(tensor)
  return values instanceof Float32Array || values instanceof Float64Array ? values : Float64Array.from(values)
}

/** How far outside of [0, 1] float32 rounding may put a probability, as in an average of several that are 1. */
const slack = 1e-5

function withinRange(values: Float32Array | Float64Array, classes: number): Float32Array | Float64Array {
  const wrong = values.findIndex(value => !(value >= -slack && value <= 1 + slack))
  if (wrong >= 0) {
    const [row, column] = [Math.floor(wrong / classes), wrong % classes]
    throw new SinterError(
      'invalid-data',
      `Row ${row} gives class ${column} the probability ${values[wrong]}, which is not from 0 to 1; ${
        Number.isNaN(values[wrong]) ? 'is the data itself finite?' : 'are these logits?'
      }`,
      { row, class: column, value: values[wrong] },
    )
  }
  const exact = values.every(value => value >= 0 && value <= 1)
  return exact ? values : values.map(value => Math.min(Math.max(value, 0), 1))
}

/** The column of each row's largest value, the first of several, as in NumPy's argmax and ONNX's ArgMax. */
function mostProbable(values: Float32Array | Float64Array, size: number, classes: number): Int32Array {
  const result = new Int32Array(size)
  for (let row = 0, at = 0; row < size; row++, at += classes) {
    let best = 0
    for (let c = 1; c < classes; c++) if (values[at + c]! > values[at + best]!) best = c
    result[row] = best
  }
  return result
}

function classesOf(values: ArrayLike<number | bigint>, size: number, classes: number, what: string): Int32Array {
  if (values.length !== size) {
    throw new SinterError('invalid-data', `There are ${size} rows of probabilities, but ${values.length} of ${what}.`, {
      rows: size,
      found: values.length,
    })
  }
  const result = new Int32Array(size)
  for (let row = 0; row < size; row++) {
    const value = Number(values[row])
    if (!(value >= 0 && value < classes && Number.isInteger(value))) {
      throw new SinterError(
        'invalid-data',
        `Row ${row} has ${what} ${value}, but the ${classes} classes are numbered 0 to ${classes - 1}.`,
        { row, value, classes },
      )
    }
    result[row] = value
  }
  return result
}
