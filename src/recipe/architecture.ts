import { SinterError } from '../base/errors.ts'
import type { Graph } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'
import { mlp } from '../nn/architectures/mlp.ts'
import { resnetCifar } from '../nn/architectures/resnet-cifar.ts'
import { simpleNet } from '../nn/architectures/simple-net.ts'
import { withNormalization } from '../nn/with-normalization.ts'
import type { RunData } from './data.ts'
import type { ArchitectureRecipe, Recipe } from './recipe.ts'

/** An untrained member for the recipe's data: raw values in, `logits` out. */
export function buildMember(
  architecture: ArchitectureRecipe,
  { data: { input, normalize } }: Recipe,
  data: RunData,
  seed: number,
): Graph {
  const graph = networkOf(architecture, data, seed)
  const named = input === 'image' ? graph : renameValues(graph, name => (name === 'image' ? input : name))
  return normalize ? withNormalization(named, { input, ...normalize }) : named
}

function networkOf(architecture: ArchitectureRecipe, { shape, classes: names }: RunData, seed: number): Graph {
  const classes = names.length
  switch (architecture.type) {
    case 'mlp':
      return mlp({ input: shape, hidden: architecture.hidden, classes, activation: architecture.activation, seed })
    case 'simple-net':
      return simpleNet({
        ...imageSize(shape, architecture.type),
        kernel: architecture.kernel,
        classes,
        activation: architecture.activation,
        seed,
      })
    case 'resnet-cifar': {
      const { depth, width, activation } = architecture
      return resnetCifar({ ...imageSize(shape, architecture.type), depth, width, activation, classes, seed })
    }
  }
}

function imageSize(shape: readonly number[], architecture: string): { channels: number; size: number } {
  const [channels, height, width] = shape
  if (shape.length === 3 && height === width) return { channels: channels!, size: height! }
  throw new SinterError(
    'invalid-config',
    `${architecture} takes square images [channels, size, size]; the data has rows of shape [${shape.join(',')}].`,
    { architecture, shape },
  )
}
