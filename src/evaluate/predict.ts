import { SinterError } from '../base/errors.ts'
import { formatShape } from '../base/shape.ts'
import { float32s, numbers, type Tensor } from '../base/tensor.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Session } from '../runtime/backend.ts'
import { type Predictions, predictions } from './predictions.ts'
import { type RunDatasetOptions, runDataset } from './run-dataset.ts'
import { softmaxRows } from './softmax.ts'

export interface PredictOptions extends RunDatasetOptions {
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
  const probabilities = logits ? probabilitiesOf(scores) : scores
  return predictions(probabilities, labels, own ? { predicted: results.label!.data as BigInt64Array } : {})
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

/** Logits [rows, classes] as probabilities, computed in float64. */
function probabilitiesOf(logits: Tensor): Tensor<'float32'> {
  const { shape } = logits
  if (shape.length !== 2)
    throw new SinterError('invalid-data', `Scores must be [rows, classes], not ${formatShape(shape)}.`, { shape })
  return float32s(shape, softmaxRows(Float64Array.from(numbers(logits)), shape[1]!))
}
