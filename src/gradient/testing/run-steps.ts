import { scalar, type Tensor } from '../../base/tensor.ts'
import { onnxruntimeNode } from '../../runtime/onnxruntime-node.ts'
import type { Optimizer } from '../optimizers.ts'
import { type TrainStep, trainedTensors } from '../train-step.ts'

/** Runs steps at the optimizer's full rate; gives the losses and the model's tensors after each. */
export async function runSteps(
  step: TrainStep,
  optimizer: Optimizer,
  batches: readonly Readonly<Record<string, Tensor>>[],
) {
  await using session = await onnxruntimeNode.open(step.graph, { threads: 1 })
  let state = new Map(step.state.map(({ input, initial }) => [input, initial]))
  const losses: number[] = []
  const tensors: ReadonlyMap<string, Tensor>[] = []
  for (const [i, batch] of batches.entries()) {
    const scalars: Readonly<Record<string, number>> = { rate: optimizer.rate, ...optimizer.scalars(i + 1) }
    const feeds: Record<string, Tensor> = { ...Object.fromEntries(state), ...batch }
    for (const { name, input } of step.scalars) feeds[input] = scalar('float32', scalars[name]!)
    const results = await session.run(feeds)
    state = new Map(step.state.map(({ input, output }) => [input, results[output]!]))
    losses.push(Number(results[step.loss]!.data[0]))
    tensors.push(trainedTensors(step, state))
  }
  return { losses, tensors }
}

/** Euclidean distance over Euclidean length. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [distance, length] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    distance += (actual[i]! - expected[i]!) ** 2
    length += expected[i]! ** 2
  }
  return Math.sqrt(distance / length)
}
