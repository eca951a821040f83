import { InvalidArgumentError, Option } from 'commander'
import { batches } from '../data/batches.ts'
import type { Dataset } from '../data/dataset.ts'
import type { LatencyComparison } from '../evaluate/latency.ts'
import type { Graph } from '../graph/graph.ts'
import { diff, type GraphDiff } from '../read/diff.ts'
import { load } from '../read/model-file.ts'
import type { Summary } from '../read/summary.ts'
import type { Feeds } from '../runtime/backend.ts'
import { readFeeds } from '../verify/read-feeds.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { summarizeBoth } from './common-sizes.ts'
import { type ClassifierComparison, compareClassifiers } from './compare-classifiers.ts'
import { type RunDifference, runBoth } from './compare-runs.ts'
import { comparisonText } from './compare-text.ts'
import { batchFor, type DataOptions, dataNotes, openData } from './data.ts'
import { boundSizes } from './dimensions.ts'
import { type Signature, signatureOf } from './edit-model.ts'
import { bytesOfModel } from './model.ts'
import { count, sizes, wholeNumber } from './options.ts'

export interface CompareOptions extends DataOptions {
  /** Labelled rows to feed; random values if left out. */
  readonly data?: string
  /** A file of inputs to feed, or how many random ones; 3 if left out. */
  readonly feeds?: string | number
  readonly seed?: number
  readonly bind?: Readonly<Record<string, number>>
  readonly threads?: number
  /** Whether latencies are measured; if left out, where runs are quick. */
  readonly latency?: boolean
}

/** What is put into relation of two models. What follows from open sizes is at least so much; see `sinter inspect`. */
const measures = ['nodes', 'parameters', 'macs', 'bytes', 'bytesRead', 'bytesWritten', 'peakActivationBytes'] as const
export type Measure = (typeof measures)[number]

export interface ComparedSide extends Readonly<Record<Measure, number>> {
  readonly file: string
  /** Nodes whose multiply-accumulates are not known. */
  readonly uncounted: number
  /** Sizes that costs are for, of dimensions that the model leaves open. */
  readonly sizes: Readonly<Record<string, number>>
  readonly opset: Readonly<Record<string, number>>
  readonly inputs: readonly Signature[]
  readonly outputs: readonly Signature[]
}

/** How two models differ in structure, outputs and speed. */
export interface Compared {
  readonly a: ComparedSide
  readonly b: ComparedSide
  /** Of b to a; null where a has none. */
  readonly ratios: Readonly<Record<Measure, number | null>>
  /** Operators of which the two have not equally many nodes. */
  readonly operators: Readonly<Record<string, { readonly a: number; readonly b: number }>>
  readonly diff: GraphDiff
  readonly feeds: { readonly kind: 'random' | 'data' | 'file'; readonly count: number; readonly seed: number | null }
  /** Of the outputs that both have; null if they could not be compared. */
  readonly difference: RunDifference | null
  readonly latency: LatencyComparison | null
  /** Why there is no difference or latency. */
  readonly notCompared: string | null
  /** On labelled data, where both are classifiers. */
  readonly classifiers: ClassifierComparison | null
}

/** Compares two model files. Both are upgraded to the opset that Sinter works in, so that only what they mean differs. */
export async function compare(fileA: string, fileB: string, options: CompareOptions = {}): Promise<Compared> {
  const { seed = 0, feeds, threads, latency } = options
  const [graphA, graphB] = [await load(fileA), await load(fileB)]
  const found = diff(graphA, graphB)
  const given = boundSizes(options.bind ?? {}, [graphA, graphB])
  const { first, second, sizes: bind } = summarizeBoth(graphA, graphB, found, given)
  const [a, b] = [await sideOf(fileA, graphA, first), await sideOf(fileB, graphB, second)]
  const dataset = options.data === undefined ? undefined : await openData(options.data, graphA, options)
  const wanted = typeof feeds === 'number' ? feeds : 3
  const file = typeof feeds === 'string' ? feeds : undefined
  const ran = await runBoth(graphA, graphB, found, {
    bind,
    seed,
    count: wanted,
    ...(dataset ? { given: () => dataFeeds(dataset, graphA, wanted) } : {}),
    ...(file === undefined ? {} : { given: inputs => readFeeds(file, inputs) }),
    ...(threads === undefined ? {} : { threads }),
    ...(latency === undefined ? {} : { latency }),
  })
  const kind = dataset ? 'data' : file === undefined ? 'random' : 'file'
  return {
    a,
    b,
    ratios: Object.fromEntries(measures.map(key => [key, a[key] > 0 ? b[key] / a[key] : null])) as Compared['ratios'],
    operators: operatorDifferences(first, second),
    diff: found,
    feeds: { kind, count: ran.feeds, seed: kind === 'random' ? seed : null },
    difference: ran.difference,
    latency: ran.latency,
    notCompared: ran.notCompared,
    classifiers: dataset
      ? await compareClassifiers(graphA, graphB, dataset, threads === undefined ? {} : { threads })
      : null,
  }
}

async function sideOf(file: string, graph: Graph, summary: Summary): Promise<ComparedSide> {
  const { nodes, parameters, macs, bytesRead, bytesWritten, peakActivationBytes, uncounted, sizes, opset } = summary
  return {
    file,
    nodes,
    parameters,
    macs,
    bytes: await bytesOfModel(file, graph),
    bytesRead,
    bytesWritten,
    peakActivationBytes,
    uncounted,
    sizes,
    opset,
    inputs: summary.inputs.map(signatureOf),
    outputs: summary.outputs.map(signatureOf),
  }
}

function operatorDifferences(a: Summary, b: Summary): Compared['operators'] {
  const names = [...new Set([...a.operators.keys(), ...b.operators.keys()])]
  return Object.fromEntries(
    names
      .map(name => [name, { a: a.operators.get(name) ?? 0, b: b.operators.get(name) ?? 0 }] as const)
      .filter(([, counts]) => counts.a !== counts.b),
  )
}

/** Batches of the data's first rows. */
async function dataFeeds(data: Dataset, graph: Graph, wanted: number): Promise<readonly Feeds[]> {
  const feeds: Feeds[] = []
  for await (const { label: _, ...batch } of batches(data, { size: batchFor(graph, data, 64) })) {
    feeds.push(batch)
    if (feeds.length === wanted) break
  }
  return feeds
}

/** Whether both models have the same outputs, and all that can be compared are equal. */
export function sameOutputs({ diff: { outputs }, difference }: Compared): boolean {
  if (!difference?.same || outputs.removed.length + outputs.added.length > 0) return false
  return Object.values(difference.outputs).some(one => !one.skipped)
}

interface Options extends CompareOptions {
  readonly random?: boolean
  readonly failOnDifference?: boolean
}

/** A file of inputs, or a number of random ones. */
function feedsOption(text: string): string | number {
  if (/\.(npz|json)$/i.test(text)) return text
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be an .npz or .json file, or a number.')
  return wholeNumber(text)
}

/** `sinter compare`: how two models differ. */
export const compareVerb: Verb = (program, io) => {
  program
    .command('compare')
    .description('compare two models: structure, outputs on the same inputs, costs, latency measured by turns')
    .argument('<a>', 'an .onnx file')
    .argument('<b>', 'another one')
    .option('--random', 'feed random values (the default)')
    .addOption(
      new Option('--feeds <what>', 'inputs to run on, .npz or .json; or how many random ones (default: 3)').argParser(
        feedsOption,
      ),
    )
    .option('--data <data>', 'feed rows of a labelled data set instead; see below')
    .option('--target <name>', 'the column or array of the label (.npz: default label)')
    .addOption(new Option('--seed <number>', 'of the random values').argParser(count).default(0))
    .addOption(new Option('--bind <sizes>', 'sizes of open dimensions, such as N=8 or x:1=512').argParser(sizes))
    .addOption(new Option('--threads <count>', 'cores to use (default: all)').argParser(wholeNumber))
    .option('--latency', 'measure time, even if runs are slow (default: if they are quick)')
    .option('--no-latency', 'do not measure time')
    .option('--fail-on-difference', 'exit with 1 unless all outputs were compared, and are the same')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'compare before.onnx after.onnx',
          'compare before.onnx after.onnx --fail-on-difference',
          'compare before.onnx after.onnx --feeds inputs.npz --threads 1',
          'compare before.onnx after.onnx --data test.npz --no-latency',
          'compare a.onnx b.onnx --bind N=64 --json | jq .latency.ratio',
        ],
        `Nodes and tensors are matched by their roles: what only has another name is
said to be renamed. Of outputs, the largest absolute difference is shown, and
that as a part of the largest value. Classifiers on labelled data are also
compared by their answers: accuracy, agreement, McNemar's test.

Where one model has fixed what the other leaves open, that size is taken. Else,
without --bind, runs take several sizes, and costs are for 1, or what fits.

${dataNotes}`,
      ),
    )
    .action(
      answering(io, async (a: string, b: string, options: Options) => {
        if (options.random && options.data !== undefined) throw wrongUsage('give either --random or --data.')
        if (options.data !== undefined && typeof options.feeds === 'string')
          throw wrongUsage('give either a file of --feeds or --data.')
        const compared = await compare(a, b, options)
        const failed = options.failOnDifference === true && !sameOutputs(compared)
        return { json: compared, text: comparisonText(compared, io.columns), failed }
      }),
    )
}
