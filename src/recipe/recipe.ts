import { createHash } from 'node:crypto'
import * as z from 'zod'
import { SinterError } from '../base/errors.ts'
import { type MetricName, metrics } from '../evaluate/metrics.ts'
import { type MethodName, methods } from '../fuse/methods/index.ts'
import { activations } from '../nn/layers/activation.ts'

const count = z.int().positive()
const positive = z.number().positive()
const part = z.number().min(0).max(1)
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, ".", "_" and "-" (it becomes a file name)')

const file = z.string().min(1)
const images = z.strictObject({ images: file, labels: file })

const source = z.discriminatedUnion('format', [
  z
    .strictObject({ format: z.literal('idx'), train: images, test: images })
    .describe('Images and labels as IDX files (MNIST and its relatives)'),
  z
    .strictObject({ format: z.literal('npz'), train: file, test: file })
    .describe('NumPy archives with one array for each field'),
  z
    .strictObject({ format: z.literal('csv'), train: file, test: file, target: z.string().min(1) })
    .describe('Tables: numeric columns become the input, the target column the label'),
])

const data = z
  .strictObject({
    source: source.describe('Where the data is; paths are relative to the recipe'),
    input: z.string().min(1).default('image').describe('Name of the model input, and of the field that goes into it'),
    classes: z
      .array(z.string().min(1))
      .min(2)
      .optional()
      .describe('Names of the classes, in the order of the labels; of a table, the texts of its target column'),
    validation: count.describe(
      'Rows of the train part that are set aside for validation, in equal shares of each class',
    ),
    normalize: z
      .strictObject({
        scale: positive.default(1).describe('What a raw value is multiplied by first'),
        mean: z.array(z.number()).min(1),
        std: z.array(positive).min(1),
      })
      .optional()
      .describe('Normalisation of raw values by channel; it becomes part of the model'),
  })
  .describe('The labelled data')

const sgd = z.strictObject({
  type: z.literal('sgd'),
  rate: positive,
  momentum: z.number().min(0).lt(1).default(0.9),
  nesterov: z.boolean().default(false),
  weightDecay: z.number().min(0).default(0),
})
const adamW = z.strictObject({
  type: z.literal('adamW'),
  rate: positive,
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  weightDecay: z.number().min(0).default(0.01),
})
const warmup = z.number().min(0).lt(1).default(0).describe('Part of all steps over which the rate rises')
const schedule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant'), warmup }),
  z.strictObject({ type: z.literal('cosine'), warmup, final: part.default(0) }),
  z.strictObject({ type: z.literal('step'), warmup, at: z.array(count), gamma: positive.default(0.1) }),
])

const training = z
  .strictObject({
    epochs: count,
    batch: count.default(128),
    optimizer: z.discriminatedUnion('type', [sgd, adamW]).prefault({ type: 'adamW', rate: 1e-3 }),
    schedule: schedule.prefault({ type: 'cosine' }),
    labelSmoothing: z.number().min(0).lt(1).default(0),
    clipNorm: positive.optional(),
    shift: z.int().min(0).default(0).describe('Augmentation: images are shifted by up to this many pixels'),
    patience: count.optional().describe('Stop when the validation has not improved for this many epochs'),
  })
  .describe('How a model is trained')

const activation = z.enum(activations).default('relu')
const architecture = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('mlp'), hidden: z.array(count).min(1), activation }),
  z.strictObject({
    type: z.literal('simple-net'),
    kernel: z.union([z.literal(1), z.literal(3)]).default(3),
    activation,
  }),
  z.strictObject({ type: z.literal('resnet-cifar'), depth: count.default(8), width: positive.default(1), activation }),
])

/** What a recipe can put in an activation's place, by ONNX's name. */
export const activationNames = { relu: 'Relu', leakyRelu: 'LeakyRelu', gelu: 'Gelu', hardSwish: 'HardSwish' } as const
const replacement = z.enum(Object.keys(activationNames) as (keyof typeof activationNames)[]).default('relu')

const swap = z.strictObject({ to: replacement, training })
const member = z.strictObject({
  name,
  architecture,
  training,
  swapActivation: swap.optional().describe('After training, put another activation in and fine-tune'),
})

const fineTune = training.optional().describe('Training after the step')
const compactStep = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('fold-batch-norm') }),
  z.strictObject({ type: z.literal('swap-activation'), to: replacement, training: fineTune }),
  z
    .strictObject({
      type: z.literal('prune'),
      keep: z.number().gt(0).max(1).optional().describe('Share of the channels kept in each group'),
      macs: z.number().gt(0).max(1).optional().describe('Share of the multiply-accumulates kept at most'),
      importance: z.enum(['l1', 'l2', 'random']).default('l1'),
      roundTo: count.default(1),
      training: fineTune,
    })
    .refine(step => (step.keep === undefined) !== (step.macs === undefined), 'give either keep or macs'),
  z.strictObject({ type: z.literal('drop-blocks'), count: count.default(1), training: fineTune }),
])

const method = z.enum(methods.map(({ name }): MethodName => name))
const metric = z.enum(Object.keys(metrics) as MetricName[])

const recipe = z.strictObject({
  name,
  seed: z.int().default(0),
  data,
  members: z.array(member).min(1),
  compact: z.strictObject({ steps: z.array(compactStep).min(1) }).optional(),
  fuse: z
    .strictObject({ methods: z.array(method).min(1) })
    .prefault({ methods: ['average', 'weighted-average', 'majority-vote'] }),
  choose: z
    .strictObject({
      by: metric.default('accuracy'),
      folds: z.int().min(2).default(5),
    })
    .prefault({}),
  quick: z
    .strictObject({
      train: count,
      validation: count,
      test: count,
      epochFactor: z.number().positive().max(1).default(1),
    })
    .optional()
    .describe(
      'What `--quick` takes of each part, in equal shares of each class, and what it multiplies all numbers of epochs by',
    ),
})

export type Recipe = z.output<typeof recipe>
/** A recipe as one writes it: what has a default may be left out. */
export type RecipeInput = z.input<typeof recipe>
export type MemberRecipe = Recipe['members'][number]
export type TrainingRecipe = z.output<typeof training>
export type ArchitectureRecipe = z.output<typeof architecture>
export type CompactStepRecipe = z.output<typeof compactStep>
export type DataRecipe = Recipe['data']

/** Gives a recipe its type, so that an editor completes and checks it. Plain data; nothing happens here. */
export function defineConfig(config: RecipeInput): RecipeInput {
  return config
}

/**
 * Checks a recipe and fills in its defaults.
 * @throws SinterError `invalid-config` that lists every problem with its path.
 */
export function parseRecipe(input: unknown, source = 'the recipe'): Recipe {
  const result = recipe.safeParse(input)
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
    const lines = problems.map(({ path, message }) => `  ${path || '(top)'}: ${message}`)
    throw new SinterError('invalid-config', `${source} is not a valid recipe:\n${lines.join('\n')}`, {
      source,
      problems,
    })
  }
  const names = result.data.members.map(one => one.name)
  const twice = names.find((one, i) => names.indexOf(one) !== i)
  if (twice)
    throw new SinterError('invalid-config', `${source}: two members are called '${twice}'.`, { source, name: twice })
  return result.data
}

/** Identifies a recipe by its contents: the first 16 hex digits of the SHA-256 of its canonical JSON. */
export function hashRecipe(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
