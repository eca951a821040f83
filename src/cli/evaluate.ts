import { Option } from 'commander'
import type { Dataset } from '../data/dataset.ts'
import { type Latency, latency } from '../evaluate/latency.ts'
import { type ClassificationReport, classificationReport } from '../evaluate/metrics.ts'
import { type Interval, wilsonInterval } from '../evaluate/significance.ts'
import type { Graph } from '../graph/graph.ts'
import { cost } from '../read/cost.ts'
import { load } from '../read/model-file.ts'
import { compact, counted, decimals, fileSize, measured, percent, whole } from '../report/format.ts'
import { finiteOrNull } from '../report/run-record.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { type ClassifyOptions, classify, type ScoreKind, scoreKinds } from './classify.ts'
import { answering, examples, jsonOption, type Verb } from './command.ts'
import { batchFor, type DataOptions, dataNotes, openData, withRowSizes } from './data.ts'
import { bytesOfModel } from './model.ts'
import { wholeNumber } from './options.ts'
import { facts, table } from './table.ts'

export interface EvaluateOptions extends ClassifyOptions, DataOptions {
  /** Whether one row's time is measured too. */
  readonly latency?: boolean
}

/** How good a classifier is on labelled data, and what it costs. */
export interface Evaluation {
  readonly file: string
  readonly data: string
  readonly rows: number
  readonly output: string
  readonly scores: ScoreKind
  readonly accuracy: number
  /** Wilson's interval of the accuracy. */
  readonly interval: Interval & { readonly confidence: number }
  readonly macroF1: number
  readonly rocAuc: number | null
  readonly logLoss: number | null
  readonly ece: number | null
  readonly classes: readonly (ClassificationReport['classes'][number] & { readonly name: string })[]
  readonly confusion: ClassificationReport['confusion']
  readonly parameters: number
  readonly macs: number
  readonly bytes: number
  /** Of one row on one thread. */
  readonly latency: Latency | null
}

/** Evaluates a classifier file on a labelled data file. */
export async function evaluate(path: string, data: string, options: EvaluateOptions = {}): Promise<Evaluation> {
  const graph = await load(path)
  const dataset = await openData(data, graph, options)
  const { predictions, output, scores } = await classify(graph, dataset, options)
  const { accuracy, macroF1, rocAuc, logLoss, ece, classes, confusion } = classificationReport(predictions)
  const { parameters, macs } = cost(withRowSizes(graph, dataset))
  return {
    file: path,
    data,
    rows: predictions.size,
    output,
    scores,
    accuracy,
    interval: { ...wilsonInterval(Math.round(accuracy * predictions.size), predictions.size), confidence: 0.95 },
    macroF1,
    rocAuc: finiteOrNull(rocAuc),
    logLoss: finiteOrNull(logLoss),
    ece: finiteOrNull(ece),
    classes: classes.map((one, c) => ({ name: dataset.classes?.[c] ?? String(c), ...one })),
    confusion,
    parameters,
    macs,
    bytes: await bytesOfModel(path, graph),
    latency: options.latency ? await latencyOf(graph, dataset) : null,
  }
}

async function latencyOf(graph: Graph, dataset: Dataset): Promise<Latency> {
  const { label: _, ...row } = await dataset.read(Array.from({ length: batchFor(graph, dataset, 1) }, (__, i) => i))
  await using session = await onnxruntimeNode.open(graph, { threads: 1 })
  return await latency(session, row, { seconds: 5 })
}

interface Options extends EvaluateOptions {
  readonly data: string
  readonly classes?: boolean
}

/** `sinter evaluate`: how good a model is. */
export const evaluateVerb: Verb = (program, io) => {
  program
    .command('evaluate')
    .description('judge a classifier by labelled data: accuracy, macro F1, ROC-AUC, log loss, calibration')
    .argument('<model>', 'an .onnx file')
    .requiredOption('--data <data>', 'labelled data; see below')
    .option('--target <name>', 'the column or array of the label (.npz: default label)')
    .option('--output <name>', 'the output with the scores (default: probabilities, logits, or the only one)')
    .addOption(new Option('--scores <kind>', 'what the scores are (default: told by their values)').choices(scoreKinds))
    .option('--classes', 'precision, recall and F1 of each class')
    .option('--latency', 'measure the time of one row on one thread')
    .addOption(new Option('--batch <rows>', 'rows to run at a time (default: 256)').argParser(wholeNumber))
    .addOption(new Option('--threads <count>', 'cores to use (default: all)').argParser(wholeNumber))
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'evaluate ensemble.onnx --data test.npz --classes',
          'evaluate wine.onnx --data wine.csv --target quality --latency',
          'evaluate digits.onnx --data t10k-images-idx3-ubyte,t10k-labels-idx1-ubyte --json',
        ],
        dataNotes,
      ),
    )
    .action(
      answering(io, async (path: string, options: Options) => {
        const found = await evaluate(path, options.data, { ...options, signal: io.signal })
        return { json: found, text: textOf(found, options.classes ?? false, io.columns) }
      }),
    )
}

function textOf(found: Evaluation, classes: boolean, width: number): string {
  const { interval, latency: time } = found
  const sections = [
    facts([
      ['model', `${found.file}, ${found.scores} in '${found.output}'`],
      ['data', `${found.data}, ${counted(found.rows, 'row')}`],
      ['accuracy', `${percent(found.accuracy)} %  (${percent(interval.low)} to ${percent(interval.high)} % at 95 %)`],
      ['macro F1', `${percent(found.macroF1)} %`],
      ['ROC-AUC', decimals(5)(found.rocAuc)],
      ['log loss', decimals(4)(found.logLoss)],
      ['ECE', decimals(4)(found.ece)],
      ['cost', `${compact(found.parameters)} parameters, ${compact(found.macs)} MACs, ${fileSize(found.bytes)}`],
      ...(time ? [['latency', `p50 ${measured(time.p50)} ms, p95 ${measured(time.p95)} ms, one thread`] as const] : []),
    ]),
  ]
  if (classes) {
    const number = { align: 'right' } as const
    sections.push(
      table(
        [
          { title: 'class' },
          { title: 'precision %', ...number },
          { title: 'recall %', ...number },
          { title: 'F1 %', ...number },
          { title: 'rows', ...number },
        ],
        found.classes.map(one => [
          one.name,
          percent(one.precision),
          percent(one.recall),
          percent(one.f1),
          whole(one.support),
        ]),
        width,
      ),
    )
  }
  return sections.join('\n\n')
}
