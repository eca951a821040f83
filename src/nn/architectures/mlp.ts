import type { Graph } from '../../graph/graph.ts'
import { define, f32 } from '../define.ts'
import type { ActivationChoice } from '../layers.ts'

export interface MlpOptions {
  /** Shape of one row: `[784]`, or `[1, 28, 28]`, which is flattened. */
  readonly input: readonly number[]
  /** Features of each hidden layer. */
  readonly hidden: readonly number[]
  /** Numbers that come out. */
  readonly classes: number
  /** ReLU if left out. */
  readonly activation?: ActivationChoice
  /** Of each hidden layer's values while training; 0 if left out. */
  readonly dropout?: number
  readonly seed: number
  readonly name?: string
}

/** Linear layers with activations in between: `image` [N, ...input] -> `logits` [N, classes]. */
export function mlp(options: MlpOptions): Graph {
  const { input, hidden, classes, activation = 'relu', dropout = 0, seed, name = 'mlp' } = options
  return define(
    { image: f32(['N', ...input]) },
    ({ image }, nn) => {
      const rows = input.length === 1 ? image : nn.flatten(image)
      const layers = hidden.flatMap(features => [
        nn.linear(features),
        nn.activation(activation),
        ...(dropout > 0 ? [nn.dropout(dropout)] : []),
      ])
      return { logits: nn.sequential(...layers, nn.linear(classes))(rows) }
    },
    { seed, name },
  )
}
