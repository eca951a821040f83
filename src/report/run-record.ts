import * as z from 'zod'
import { checkConsistency } from './consistency.ts'

/*
 * run.json: everything that one run measured. The descriptions below are its documentation; they are
 * published as `schemas/run.schema.json` (written by `npm run generate:schema`).
 *
 * JSON has no NaN and no infinity. A measure that can be undefined is nullable and written as null;
 * everywhere else a number that is not finite is refused, with its path.
 */

const count = z.int().nonnegative()
const measure = z.number().nonnegative()
const share = z.number().min(0).max(1)
const name = z.string().min(1)
const time = z.iso.datetime()

const relativeFile = z
  .string()
  .regex(/^(?![/\\])(?![A-Za-z]:)(?!(?:.*[/\\])?\.\.(?:[/\\]|$)).+$/, 'expected a path inside the run folder')

const latency = z
  .object({
    p50: measure.describe('Median'),
    p95: measure.describe('95th percentile'),
    unit: z.literal('ms').describe('Milliseconds'),
  })
  .meta({ id: 'Latency', description: 'Time of one call with a batch of one, on one thread' })

const metrics = z
  .object({
    accuracy: share.describe('Share of examples whose most probable class is the labelled one'),
    macroF1: share.describe('F1 score averaged over the classes, each class weighing the same'),
    rocAuc: share
      .nullable()
      .describe('Area under the ROC curve, one class against the rest, averaged over the classes; null if undefined'),
    logLoss: measure
      .nullable()
      .describe('Mean negative natural logarithm of the probability given to the labelled class; null if not finite'),
    ece: share
      .nullable()
      .describe('Expected calibration error: mean distance of confidence and accuracy; null if undefined'),
  })
  .meta({ id: 'Metrics', description: 'Quality on one part of the data' })

const epoch = z
  .object({
    epoch: z.int().positive().describe('Number of the epoch, from 1'),
    loss: z.number().describe('Mean training loss of the epoch'),
    trainSeconds: measure.describe('Wall-clock seconds of training, validation not included'),
    throughput: measure.describe('Training examples per second'),
    learningRate: measure.describe('Learning rate of the last step'),
    validation: z
      .object({
        accuracy: share.describe('Accuracy on the validation part'),
        logLoss: measure.nullable().describe('Log loss on the validation part; null if not finite'),
      })
      .nullable()
      .describe('Quality after the epoch; null if it was not measured'),
    best: z.boolean().describe('True for the epoch whose weights were kept'),
  })
  .meta({ id: 'Epoch', description: 'One pass over the training part' })

const model = z
  .object({
    name: name.describe('Unique name'),
    kind: z
      .enum(['member', 'compact', 'ensemble'])
      .describe('member: trained from scratch; compact: a member made smaller; ensemble: several members fused'),
    file: relativeFile
      .nullable()
      .describe('The ONNX file, relative to the run folder, with forward slashes; null if it was not written'),
    members: z.array(name).describe('The models an ensemble is made of; empty for the other kinds'),
    parameters: count.describe('Trainable parameters'),
    macs: count.nullable().describe('Multiply-accumulate operations for one example; null if unknown'),
    bytes: count.describe('Size of the ONNX file, external data included'),
    trainSeconds: measure.describe(
      'Wall-clock seconds of training that this model needs: of an ensemble all its members, of a compact model also the model it was made from',
    ),
    latency: latency.nullable().describe('Latency; null if it was not measured'),
    throughput: measure.nullable().describe('Examples per second at batch 64; null if it was not measured'),
    validation: metrics.nullable().describe('Quality on the validation part; null if it was not measured'),
    test: metrics.nullable().describe('Quality on the test part, which is used once, at the end; null before that'),
    history: z.array(epoch).describe('Training, epoch by epoch; empty for a model that was not trained itself'),
  })
  .meta({ id: 'Model', description: 'One model: its cost and its quality' })

const snapshot = z
  .object({
    parameters: count.describe('Trainable parameters'),
    macs: count.nullable().describe('Multiply-accumulate operations for one example; null if unknown'),
    bytes: count.describe('Size as an ONNX file'),
    latency: latency.nullable().describe('Latency; null if it was not measured'),
    validationAccuracy: share.describe('Accuracy on the validation part'),
  })
  .meta({ id: 'Snapshot', description: 'Cost and quality at one moment of compaction' })

const compactStep = z
  .object({
    name: name.describe('The step, for example "fold-batch-norm"'),
    what: z.string().describe('What was done, in a few words'),
    before: snapshot.describe('Before the step'),
    after: snapshot.describe('After the step, its fine-tuning included'),
    note: z.string().nullable().describe('Why nothing was done, or what else is worth knowing; null if nothing is'),
  })
  .meta({ id: 'CompactStep', description: 'One step of compaction' })

const candidate = z
  .object({
    method: name.describe('How predictions are combined, for example "weighted-average"; "single" for one model'),
    members: z.array(name).min(1).describe('The models combined'),
    scores: z.array(z.number()).min(1).describe('The score on each fold, in the order of the folds'),
    mean: z.number().describe('Mean of the scores'),
    std: measure.describe('Standard deviation of the scores'),
  })
  .meta({ id: 'Candidate', description: 'One combination that was tried' })

const evaluation = z
  .object({
    model: name.describe('Name of the model'),
    confusion: z
      .array(z.array(count))
      .describe('Test examples by labelled class (row) and predicted class (column), in the order of data.classes'),
    classes: z
      .array(
        z
          .object({
            name: z.string().describe('The class'),
            precision: share.describe('Share of the predictions of this class that are right'),
            recall: share.describe('Share of the examples of this class that are found'),
            f1: share.describe('Harmonic mean of precision and recall'),
            support: count.describe('Test examples of this class'),
          })
          .meta({ id: 'ClassScore', description: 'Quality on one class' }),
      )
      .describe('One entry per class, in the order of data.classes'),
    roc: z
      .array(
        z
          .object({
            name: z.string().describe('The class'),
            auc: share.nullable().describe('Area under the curve; null if the class or its complement is empty'),
            points: z
              .array(z.tuple([share, share]))
              .max(100)
              .describe('[false-positive rate, true-positive rate], both rising, at most 100 points of the full curve'),
          })
          .meta({ id: 'RocCurve', description: 'The ROC curve of one class against the rest' }),
      )
      .describe('One curve per class, in the order of data.classes'),
  })
  .meta({ id: 'Evaluation', description: 'One model on the test part, class by class' })

const choice = z
  .object({
    name: name.describe('The model chosen, one of models'),
    method: name.describe('How its predictions are combined; "single" for one model'),
    members: z.array(name).min(1).describe('The models it is made of'),
    weights: z
      .array(measure)
      .nullable()
      .describe('Weight of each member, in their order; null if they all count alike'),
    folds: z.array(z.number()).describe('Its score on each fold of the cross-validation that chose it'),
    reason: z.string().describe('Why it was chosen, and by how much, in a sentence'),
    mcnemar: z
      .object({
        against: name.describe('The best single member on the validation part'),
        onlyChoice: count.describe('Test examples that only the choice gets right'),
        onlyAgainst: count.describe('Test examples that only the other model gets right'),
        p: share.describe('Exact two-sided p-value: how probable so uneven a split is if both are equally good'),
      })
      .nullable()
      .describe('McNemar test on the test part; null if the choice is that member, or before the test'),
  })
  .meta({ id: 'Choice', description: 'What was chosen, and why' })

/** The schema of run.json. Keys it does not know are dropped when a file is read, so newer files stay readable. */
export const runRecord = z
  .object({
    schema: z.literal(1).describe('Version of this layout; raised only when older readers would misread a file'),
    name: name.describe('Name of the run'),
    status: z.enum(['complete', 'interrupted']).describe('interrupted: stopped early; what was finished is here'),
    started: time.describe('When the run began (UTC)'),
    finished: time.nullable().describe('When it ended (UTC); null while it has not'),
    seed: z.int().describe('The seed that every random choice derives from'),
    versions: z
      .object({
        sinter: z.string().describe('Version of Sinter'),
        node: z.string().describe('Version of Node'),
        onnxruntime: z.string().describe('Version of onnxruntime'),
      })
      .catchall(z.string())
      .describe('Software that took part'),
    recipe: z
      .object({
        name: name.describe('Name of the recipe'),
        hash: z.string().min(1).describe('Hash of the recipe, to tell whether two runs followed the same one'),
        quick: z.boolean().describe('True for the short form of the recipe'),
      })
      .describe('The recipe that was followed'),
    machine: z
      .object({
        cpu: z.string().describe('Model of the processor'),
        cores: z.int().positive().describe('Logical cores of the machine'),
        threads: z.int().positive().describe('Threads used for training'),
        platform: z.string().describe('Operating system and architecture, for example "linux-x64"'),
        layout: z
          .string()
          .optional()
          .describe(
            'How training steps lay out images in memory: "portable", or "blocks of 16"; weights differ in rounding',
          ),
      })
      .describe('Where it ran; times compare only between runs on one machine'),
    data: z
      .object({
        name: name.describe('Name of the data set'),
        unit: z.string().min(1).describe('What one example is, in the plural, for captions: "images"'),
        train: count.describe('Examples trained on'),
        validation: count.describe('Examples that choices were made on'),
        test: count.describe('Examples kept for the end'),
        classes: z.array(z.string()).min(2).describe('Names of the classes, in the order of the outputs'),
      })
      .describe('The labelled data'),
    models: z.array(model).describe('Every model of the run'),
    compact: z
      .object({
        from: name.describe('The member it started from'),
        model: name.describe('The compact model, one of models'),
        steps: z.array(compactStep).describe('The steps, in order'),
      })
      .nullable()
      .describe('How the compact model was made; null if none was'),
    selection: z
      .object({
        metric: name.describe('The score that candidates are compared by'),
        direction: z.enum(['maximize', 'minimize']).describe('Whether more or less of it is better'),
        folds: z.int().positive().describe('Number of stratified folds of the validation part'),
        candidates: z.array(candidate).describe('Every combination that was tried'),
      })
      .nullable()
      .describe('The cross-validation behind the choice; null before it'),
    choice: choice.nullable().describe('The choice; null before it'),
    evaluation: z.array(evaluation).describe('Details on the test part, of the choice and of the best single member'),
  })
  .superRefine(checkConsistency)
  .meta({ title: 'Sinter run', description: 'What one run of Sinter did and measured (run.json)' })

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** What one run did and measured: the content of run.json. */
export type RunRecord = DeepReadonly<z.infer<typeof runRecord>>
export type RunModel = RunRecord['models'][number]
export type RunMetrics = DeepReadonly<z.infer<typeof metrics>>
export type RunLatency = DeepReadonly<z.infer<typeof latency>>
export type RunEpoch = RunModel['history'][number]
export type RunSnapshot = DeepReadonly<z.infer<typeof snapshot>>
export type RunCompactStep = NonNullable<RunRecord['compact']>['steps'][number]
export type RunSelection = NonNullable<RunRecord['selection']>
export type RunCandidate = RunSelection['candidates'][number]
export type RunChoice = NonNullable<RunRecord['choice']>
export type RunEvaluation = RunRecord['evaluation'][number]

/** The JSON Schema (draft 2020-12) of run.json, derived from `runRecord`. */
export function runRecordJsonSchema(): object {
  return z.toJSONSchema(runRecord, {
    io: 'input',
    override({ jsonSchema }) {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
}

/** A measure as run.json can hold it: null where it is NaN or infinite. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
