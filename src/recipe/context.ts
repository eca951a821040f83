import { random } from '../base/random.ts'
import type { Layout } from '../gradient/train-step.ts'
import type { Graph } from '../graph/graph.ts'
import type { Backend } from '../runtime/backend.ts'
import { type Trained, type TrainProgress, train } from '../train/train.ts'
import { validateOn } from '../train/validate-on.ts'
import type { RunData } from './data.ts'
import type { Provenance } from './model.ts'
import { hashRecipe, type Recipe, type TrainingRecipe } from './recipe.ts'
import { trainingOptions } from './training.ts'

/** What happens during a run, for whoever shows it. */
export type RunEvent =
  | { readonly type: 'stage'; readonly title: string }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'train'; readonly name: string; readonly progress: TrainProgress }
  | { readonly type: 'trained'; readonly name: string; readonly seconds: number; readonly accuracy: number }

/** What every stage of a run works with. */
export interface RunContext {
  readonly recipe: Recipe
  readonly data: RunData
  readonly provenance: Provenance
  readonly quick: boolean
  readonly backend: Backend
  /** Chosen once for the whole run: weights depend on it in their last bits. */
  readonly layout: Layout
  /** Cores to use: members train side by side on one thread each, what runs alone takes all. */
  readonly threads: number
  /** Where checkpoints go while the run lasts. */
  readonly checkpoint: (name: string) => string
  readonly emit: (event: RunEvent) => void
  readonly signal: AbortSignal | undefined
}

/** Trains a graph by a recipe's section, with validation, progress and a checkpoint under the name. */
export async function trainIn(
  context: RunContext,
  name: string,
  graph: Graph,
  section: TrainingRecipe,
  threads: number,
): Promise<Trained> {
  const { recipe, data, quick, backend, layout, provenance, emit, signal } = context
  const epochFactor = (quick && recipe.quick?.epochFactor) || 1
  const fingerprint = hashRecipe({
    name,
    section,
    layout,
    data: recipe.data,
    quick: quick ? recipe.quick : null,
    seed: recipe.seed,
    version: provenance.version,
  })
  const trained = await train(graph, data.train, {
    ...trainingOptions(section, recipe.data.input, { epochFactor }),
    seed: seedOf(recipe, name),
    backend,
    layout,
    threads,
    // Timing formulations would make equal runs differ; a run is meant to be repeatable.
    tune: false,
    validation: validateOn(data.validation, { backend, threads }),
    checkpoint: { path: context.checkpoint(name), fingerprint },
    onProgress: progress => emit({ type: 'train', name, progress }),
    ...(signal ? { signal } : {}),
  })
  emit({
    type: 'trained',
    name,
    seconds: trained.seconds,
    accuracy: trained.history[trained.epoch - 1]!.validation.accuracy!,
  })
  return trained
}

/** A seed of its own for each thing that draws random numbers, whatever else the recipe has. */
export function seedOf({ seed }: Recipe, name: string): number {
  return random(seed)
    .fork(name)
    .integer(2 ** 31)
}
