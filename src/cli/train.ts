import { Option } from 'commander'
import type { Dataset } from '../data/dataset.ts'
import { checkLabels } from '../data/labelled.ts'
import { withTensors } from '../gradient/train-step.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import { load, save } from '../read/model-file.ts'
import type { TrainingRecipe } from '../recipe/recipe.ts'
import { trainingOptions } from '../recipe/training.ts'
import { counted, decimals, duration, percent } from '../report/format.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { liftConstants } from '../simplify/constants/lift-constants.ts'
import type { EpochRecord } from '../train/history.ts'
import { type TrainProgress, train as trainGraph } from '../train/train.ts'
import { validateOn } from '../train/validate-on.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { batchFor, type DataOptions, dataNotes, fixedBatch, openData, pathsOf, withRowSizes } from './data.ts'
import { fingerprintOf } from './fingerprint.ts'
import { logitsOf, onlyLogits } from './logits.ts'
import { checkOutput, classCount, modelNames } from './model.ts'
import { count, numberList, positiveNumber, share, wholeNumber } from './options.ts'
import { showProgress } from './progress.ts'
import { table } from './table.ts'

export interface TrainOptions extends DataOptions {
  readonly data: string
  readonly out: string
  readonly validation?: string
  /** The output to train: logits, or probabilities that a softmax makes of them. */
  readonly output?: string
  readonly epochs: number
  /** Rows in a batch; what the model is made for, or 64. */
  readonly batch?: number
  readonly optimizer: 'sgd' | 'adamW'
  readonly rate?: number
  readonly momentum: number
  readonly weightDecay?: number
  readonly schedule: 'constant' | 'cosine' | 'step'
  readonly stepAt?: readonly number[]
  readonly warmup: number
  readonly labelSmoothing: number
  readonly clipNorm?: number
  readonly shift: number
  readonly patience?: number
  readonly seed: number
  readonly threads?: number
  /** Written after every epoch; training goes on from it where it exists. */
  readonly checkpoint?: string
  readonly onProgress?: (progress: TrainProgress) => void
  readonly signal?: AbortSignal
}

type Scores = Readonly<Record<'accuracy' | 'logLoss', number>>

/** What training did to a model. */
export interface TrainedFile {
  readonly out: string
  readonly rows: number
  /** The value that the loss is put on. */
  readonly logits: string
  readonly epochs: number
  /** The epoch whose weights were written. */
  readonly bestEpoch: number
  readonly stoppedEarly: boolean
  readonly seconds: number
  readonly seed: number
  readonly history: readonly EpochRecord[]
  /** On the validation data, if there is some. */
  readonly before: Scores | null
  readonly after: Scores | null
}

/** Trains a classifier file further on labelled data, and writes it with its new weights; all else in it stays. */
export async function train(path: string, options: TrainOptions): Promise<TrainedFile> {
  const { out, checkpoint, seed, threads, onProgress, signal } = options
  if (options.patience !== undefined && options.validation === undefined)
    throw wrongUsage('--patience needs --validation, data to judge each epoch by.')
  const inputs = [path, ...pathsOf(options.data, options), ...pathsOf(options.validation, options)]
  await checkOutput(out, inputs)
  if (checkpoint !== undefined) await checkOutput(checkpoint, [...inputs, out])
  const graph = liftConstants(await load(path))
  const logits = logitsOf(graph, options.output)
  const wanted = onlyLogits(graph, logits)
  const data = await labelled(options.data, 'training data', wanted, logits, options)
  const open = withRowSizes(wanted, data)
  const held =
    options.validation === undefined
      ? undefined
      : await labelled(options.validation, 'validation data', open, logits, options)
  const judge = {
    backend: onnxruntimeNode,
    output: logits,
    scores: 'logits',
    ...(threads === undefined ? {} : { threads }),
    ...(signal ? { signal } : {}),
  } as const
  const validation = held && validateOn(held, { ...judge, batch: batchFor(open, held) })
  const before = validation ? await validation.score(open) : null

  const section = sectionOf(options, open)
  const trained = await trainGraph(open, data, {
    ...trainingOptions(section, requiredInputs(open)[0]!.name),
    seed,
    backend: onnxruntimeNode,
    ...(threads === undefined ? {} : { threads }),
    ...(validation ? { validation } : {}),
    ...(checkpoint === undefined
      ? {}
      : { checkpoint: { path: checkpoint, fingerprint: await fingerprintOf(open, data, { section, seed }) } }),
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  })
  await save(out, withTensors(graph, trained.graph.initializers))
  return {
    out,
    rows: data.size,
    logits,
    epochs: trained.history.length,
    bestEpoch: trained.epoch,
    stoppedEarly: trained.stoppedEarly,
    seconds: trained.seconds,
    seed,
    history: trained.history,
    before,
    after: validation ? await validation.score(trained.graph) : null,
  }
}

async function labelled(
  text: string,
  part: string,
  graph: Graph,
  logits: string,
  options: DataOptions,
): Promise<Dataset> {
  const data = await openData(text, graph, options)
  const classes = classCount(graph, logits)
  if (classes !== undefined) await checkLabels(part, data, classes)
  return data
}

/** The options as a recipe's training section. */
function sectionOf(options: TrainOptions, graph: Graph): TrainingRecipe {
  const { epochs, warmup, labelSmoothing, shift, momentum } = options
  const { weightDecay, rate, clipNorm, patience } = options
  const schedules: Record<TrainOptions['schedule'], TrainingRecipe['schedule']> = {
    constant: { type: 'constant', warmup },
    cosine: { type: 'cosine', warmup, final: 0 },
    step: { type: 'step', warmup, at: [...(options.stepAt ?? [Math.ceil(epochs / 2)])], gamma: 0.1 },
  }
  return {
    epochs,
    batch: options.batch ?? fixedBatch(graph) ?? 64,
    optimizer:
      options.optimizer === 'sgd'
        ? { type: 'sgd', rate: rate ?? 0.01, momentum, nesterov: momentum > 0, weightDecay: weightDecay ?? 0 }
        : { type: 'adamW', rate: rate ?? 1e-3, beta1: 0.9, beta2: 0.999, weightDecay: weightDecay ?? 0.01 },
    schedule: schedules[options.schedule],
    labelSmoothing,
    shift,
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(patience === undefined ? {} : { patience }),
  }
}

/** `sinter train`: fine-tune a model. */
export const trainVerb: Verb = (program, io) => {
  program
    .command('train')
    .description('train a classifier further on labelled data (cross entropy), and write it with its new weights')
    .argument('<model>', 'an .onnx file')
    .requiredOption('--data <data>', 'labelled training data; see below')
    .requiredOption('-o, --out <file>', 'the .onnx file to write')
    .option('--validation <data>', 'labelled data to judge each epoch by; the best one is kept')
    .option('--target <name>', 'the column or array of the label (.npz: default label)')
    .option(
      '--output <name>',
      'the output to train (default: logits, what the softmax of probabilities takes, or the only one)',
    )
    .addOption(new Option('--epochs <count>', 'passes over the data').argParser(wholeNumber).default(10))
    .addOption(new Option('--batch <rows>', 'rows in a step (default: 64)').argParser(wholeNumber))
    .addOption(new Option('--optimizer <name>', 'update rule').choices(['sgd', 'adamW']).default('adamW'))
    .addOption(
      new Option('--rate <number>', 'peak learning rate (default: 0.001 for adamW, 0.01 for sgd)').argParser(
        positiveNumber,
      ),
    )
    .addOption(new Option('--momentum <share>', 'of sgd, in Nesterov form').argParser(share).default(0.9))
    .addOption(
      new Option(
        '--weight-decay <number>',
        'on weights of rank 2 and more (default: 0.01 for adamW, 0 for sgd)',
      ).argParser(share),
    )
    .addOption(
      new Option('--schedule <name>', 'how the rate goes').choices(['constant', 'cosine', 'step']).default('cosine'),
    )
    .addOption(
      new Option('--step-at <epochs>', 'epochs before which step divides the rate by 10 (default: half way)').argParser(
        numberList,
      ),
    )
    .addOption(
      new Option('--warmup <share>', 'part of all steps over which the rate rises').argParser(share).default(0),
    )
    .addOption(new Option('--label-smoothing <share>', 'of the cross entropy').argParser(share).default(0))
    .addOption(new Option('--clip-norm <number>', 'largest norm of the gradient').argParser(positiveNumber))
    .addOption(
      new Option('--shift <pixels>', 'augmentation: shift images by up to so much').argParser(count).default(0),
    )
    .addOption(
      new Option('--patience <epochs>', 'stop when validation has not improved for so long').argParser(wholeNumber),
    )
    .addOption(new Option('--seed <number>', 'of shuffling and augmentation').argParser(count).default(0))
    .addOption(
      new Option('--threads <count>', 'cores to use (default: all); with 1, equal seeds give equal weights').argParser(
        wholeNumber,
      ),
    )
    .option('--checkpoint <file>', 'written after every epoch; the same command goes on from it')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'train digits.onnx --data train.npz --validation held.npz -o tuned.onnx --epochs 5',
          'train net.onnx --data train.csv --target species -o tuned.onnx --optimizer sgd --rate 0.05',
          'train net.onnx --data train.npz -o tuned.onnx --checkpoint net.checkpoint --seed 1 --threads 1',
        ],
        dataNotes,
      ),
    )
    .action(
      answering(io, async (path: string, options: TrainOptions) => {
        const progress = showProgress(io)
        const [name] = modelNames([path])
        const onProgress = (at: TrainProgress) => progress.onEvent({ type: 'train', name: name!, progress: at })
        try {
          const trained = await train(path, { ...options, onProgress, signal: io.signal })
          return { json: trained, text: textOf(trained, io.columns) }
        } finally {
          progress.stop()
        }
      }),
    )
}

function textOf(trained: TrainedFile, width: number): string {
  const { before, after, bestEpoch, epochs, history } = trained
  const number = { align: 'right' } as const
  const scored = after !== null
  const shown = table(
    [
      { title: 'epoch', ...number },
      { title: 'loss', ...number },
      { title: 'rate', ...number },
      ...(scored
        ? [
            { title: 'accuracy %', ...number },
            { title: 'log loss', ...number },
          ]
        : []),
    ],
    history.map(({ epoch, loss, rate, validation }) => [
      String(epoch),
      decimals(4)(loss),
      rate.toPrecision(3),
      ...(scored ? [percent(validation.accuracy), decimals(4)(validation.logLoss)] : []),
    ]),
    width,
  )
  const gain =
    before && after ? ` Validation accuracy ${percent(before.accuracy)} % -> ${percent(after.accuracy)} %.` : ''
  return `${shown}\n\n${counted(epochs, 'epoch')} in ${duration(trained.seconds)}; the weights are those of epoch ${bestEpoch}.${gain}\nWritten to ${trained.out}.`
}
