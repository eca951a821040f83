import { SinterError } from '../base/errors.ts'
import { formatType, isFixed, isTensorType, sameShape, type TensorType } from '../base/shape.ts'
import { numbers, type Tensor } from '../base/tensor.ts'
import type { Dataset } from '../data/dataset.ts'
import { type TrainStep, trainedTensors } from '../gradient/train-step.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { type Checkpoint, checkTensors } from './checkpoint.ts'

/** A loss can be finite for a while after the weights are not: ReLU hides what is not a number. */
export function checkFinite(tensors: ReadonlyMap<string, Tensor>, epoch: number): void {
  for (const [name, value] of tensors) {
    if (Array.prototype.every.call(numbers(value), Number.isFinite)) continue
    throw new SinterError(
      'diverged',
      `'${name}' is no longer finite after epoch ${epoch}: lower the learning rate, warm it up, or clip the gradient.`,
      { epoch, tensor: name },
    )
  }
}

/** Refuses data that the step cannot read before anything is trained. */
export function checkData(
  step: TrainStep,
  data: Dataset,
  { target, transformed }: { readonly target: string; readonly transformed: boolean },
): void {
  const { batch } = step
  const inputs = new Map(step.data.map(name => [name, step.graph.inputs.find(value => value.name === name)]))
  for (const [field, input] of inputs.set(target, step.target)) {
    const found = data.fields[field]
    if (!found) {
      const fields = Object.keys(data.fields).join(', ')
      throw new SinterError('invalid-data', `The data has no field '${field}'; it has ${fields}.`, { field })
    }
    const { dtype, shape = [] } = tensorType(input)
    const row = shape.slice(1)
    const fits = found.dtype === dtype && (!isFixed(found.shape) || sameShape(found.shape, row))
    // A transform may make of the field what is wanted.
    if (fits || transformed) continue
    const role = field === target ? 'expected values' : 'model input'
    throw new SinterError(
      'invalid-data',
      `The field '${field}' has rows of ${formatType(found)}, but the ${role} must be ${formatType({ dtype, shape: row })}.`,
      { field, found, wanted: { dtype, shape: row } },
    )
  }
  if (data.size < batch) {
    throw new SinterError(
      'invalid-data',
      `The data has ${data.size} rows, fewer than one batch of ${batch}: use a smaller batch.`,
      { rows: data.size, batch },
    )
  }
}

/** Refuses a checkpoint whose tensors are not the ones that the step goes on with. */
export function checkResumed({ state, best }: Checkpoint, step: TrainStep, graph: Graph, path: string): void {
  checkTensors(state, new Map(step.state.map(({ input, initial }) => [input, initial])), path)
  const trained = [...trainedTensors(step, new Map()).keys()]
  if (best) checkTensors(best.tensors, new Map(trained.map(name => [name, graph.initializers.get(name)!])), path)
}

/** The type of a value of a step, which is always known. */
export function tensorType(value: Value | undefined): TensorType {
  if (isTensorType(value?.type)) return value.type
  throw new SinterError('not-supported', `The type of '${value?.name}' is not known, so nothing can be fed to it.`)
}
