import { randomShift } from '../data/augment.ts'
import { crossEntropy } from '../gradient/losses.ts'
import { adamW, type Optimizer, sgd } from '../gradient/optimizers.ts'
import { constant, cosine, type Schedule, step } from '../train/schedule.ts'
import type { TrainOptions } from '../train/train.ts'
import type { TrainingRecipe } from './recipe.ts'

type FromRecipe = Pick<
  TrainOptions,
  'loss' | 'optimizer' | 'schedule' | 'epochs' | 'batch' | 'clipNorm' | 'patience' | 'transform'
>

/** A recipe's training section as options of `train`. */
export function trainingOptions(
  recipe: TrainingRecipe,
  input: string,
  { epochFactor = 1 }: { readonly epochFactor?: number } = {},
): FromRecipe {
  const { batch, labelSmoothing, clipNorm, shift, patience } = recipe
  return {
    loss: crossEntropy({ labelSmoothing }),
    optimizer: optimizerOf(recipe.optimizer),
    schedule: scheduleOf(recipe.schedule),
    epochs: Math.max(1, Math.round(recipe.epochs * epochFactor)),
    batch,
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(patience === undefined ? {} : { patience }),
    ...(shift === 0 ? {} : { transform: randomShift(input, { pixels: shift }) }),
  }
}

function optimizerOf(recipe: TrainingRecipe['optimizer']): Optimizer {
  return recipe.type === 'sgd' ? sgd(recipe) : adamW(recipe)
}

function scheduleOf(recipe: TrainingRecipe['schedule']): Schedule {
  switch (recipe.type) {
    case 'constant':
      return constant(recipe)
    case 'cosine':
      return cosine(recipe)
    case 'step':
      return step(recipe)
  }
}
