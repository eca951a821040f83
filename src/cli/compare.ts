import { Option } from 'commander'
import { SinterError } from '../base/errors.ts'
import { formatType } from '../base/shape.ts'
import { batches } from '../data/batches.ts'
import { type Comparison, compareOutputs, type Difference } from '../evaluate/compare-outputs.ts'
import { compareLatency, type LatencyComparison } from '../evaluate/latency.ts'
import { randomFeeds } from '../evaluate/random-feeds.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { load } from '../read/model-file.ts'
import { type Summary, summarize } from '../read/summary.ts'
import { compact, fileSize, listed, measured, whole } from '../report/format.ts'
import { clean, wrap } from '../report/text.ts'
import type { Feeds, Session } from '../runtime/backend.ts'
import { onnxruntimeNode } from '../runtime/onnxruntime-node.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { batchFor, type DataOptions, dataNotes, openData } from './data.ts'
import { bytesOfModel, checkSymbols } from './model.ts'
import { count, sizes, wholeNumber } from './options.ts'
import { facts, table } from './table.ts'

export interface CompareOptions extends DataOptions {
  /** Rows to feed; random values if left out. */
  readonly data?: string
  readonly seed?: number
  /** How many runs outputs are compared on. */
  readonly feeds?: number
  readonly bind?: Readonly<Record<string, number>>
  readonly threads?: number
  /** Whether latencies are measured. */
  readonly latency?: boolean
}

interface Side {
  readonly file: string
  readonly nodes: number
  readonly parameters: number
  readonly macs: number
  readonly bytes: number
  readonly opset: Readonly<Record<string, number>>
  readonly inputs: readonly Signature[]
  readonly outputs: readonly Signature[]
}

interface Signature {
  readonly name: string
  readonly type: string
}

/** How two models differ in structure, outputs and speed. */
export interface Compared {
  readonly a: Side
  readonly b: Side
  /** Operators of which the two have not equally many nodes. */
  readonly operators: Readonly<Record<string, { readonly a: number; readonly b: number }>>
  readonly feeds: { readonly kind: 'random' | 'data'; readonly count: number; readonly seed: number | null }
  /** Of the outputs that both have; null if they could not be compared. */
  readonly difference: Comparison | null
  readonly latency: LatencyComparison | null
  /** Why there is no difference or latency. */
  readonly notCompared: string | null
}

/** Compares two model files. */
export async function compare(fileA: string, fileB: string, options: CompareOptions = {}): Promise<Compared> {
  const { data, bind, seed = 0, feeds: wanted = 3 } = options
  const [graphA, graphB] = [await load(fileA), await load(fileB)]
  checkSymbols(bind ?? {}, [graphA, graphB])
  const [a, b] = [summarize(graphA, bind ? { bind } : {}), summarize(graphB, bind ? { bind } : {})]
  const feeds = data === undefined ? undefined : await dataFeeds(data, graphA, wanted, options)
  const measured = await measure(graphA, graphB, feeds, options)
  return {
    a: await sideOf(fileA, graphA, a),
    b: await sideOf(fileB, graphB, b),
    operators: operatorDifferences(a, b),
    feeds: {
      kind: data === undefined ? 'random' : 'data',
      count: feeds?.length ?? wanted,
      seed: data === undefined ? seed : null,
    },
    ...measured,
  }
}

async function sideOf(file: string, graph: Graph, summary: Summary): Promise<Side> {
  const { nodes, parameters, macs, opset, inputs, outputs } = summary
  const signatures = (values: readonly Value[]) => values.map(({ name, type }) => ({ name, type: formatType(type) }))
  return {
    file,
    nodes,
    parameters,
    macs,
    bytes: await bytesOfModel(file, graph),
    opset,
    inputs: signatures(inputs),
    outputs: signatures(outputs),
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
async function dataFeeds(text: string, graph: Graph, wanted: number, options: DataOptions): Promise<readonly Feeds[]> {
  const data = await openData(text, graph, options)
  const feeds: Feeds[] = []
  for await (const { label: _, ...batch } of batches(data, { size: batchFor(graph, data, 64) })) {
    feeds.push(batch)
    if (feeds.length === wanted) break
  }
  return feeds
}

/** Models of different inputs or outputs cannot be run side by side; that is an answer too. */
async function measure(
  graphA: Graph,
  graphB: Graph,
  given: readonly Feeds[] | undefined,
  options: CompareOptions,
): Promise<Pick<Compared, 'difference' | 'latency' | 'notCompared'>> {
  const { seed = 0, feeds: wanted = 3, bind = {}, threads, latency: timed = true } = options
  const open = threads === undefined ? {} : { threads }
  await using a = await onnxruntimeNode.open(graphA, open)
  await using b = await onnxruntimeNode.open(graphB, open)
  const reasons: string[] = []
  const attempt = async <T>(act: () => Promise<T>): Promise<T | null> => {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof SinterError)) throw error
      reasons.push(error.message)
      return null
    }
  }
  const feeds =
    given ??
    (await attempt(async () =>
      Array.from({ length: wanted }, (_, i) => randomFeeds(a, { seed: seed + i, sizes: bind })),
    ))
  const difference = feeds && (await attempt(() => largestDifference(a, b, feeds)))
  const latency =
    feeds && timed
      ? await attempt(() => compareLatency({ session: a, feeds: feeds[0]! }, { session: b, feeds: feeds[0]! }))
      : null
  return { difference, latency, notCompared: reasons[0] ?? null }
}

async function largestDifference(a: Session, b: Session, feeds: readonly Feeds[]): Promise<Comparison> {
  const all: Comparison[] = []
  for (const one of feeds) all.push(await compareOutputs(a, b, one))
  const largest = (differences: readonly Difference[]): Difference => ({
    absolute: Math.max(...differences.map(({ absolute }) => absolute)),
    relative: Math.max(...differences.map(({ relative }) => relative)),
  })
  const names = Object.keys(all[0]!.outputs)
  return {
    ...largest(all),
    outputs: Object.fromEntries(names.map(name => [name, largest(all.map(({ outputs }) => outputs[name]!))])),
  }
}

interface Options extends CompareOptions {
  readonly random?: boolean
}

/** `sinter compare`: how two models differ. */
export const compareVerb: Verb = (program, io) => {
  program
    .command('compare')
    .description('compare two models: structure, outputs on the same inputs, latency measured by turns')
    .argument('<a>', 'an .onnx file')
    .argument('<b>', 'another one')
    .option('--random', 'feed random values (the default)')
    .option('--data <data>', 'feed rows of a data set instead; see below')
    .option('--target <name>', 'the column or array of the label (.npz: default label)')
    .addOption(new Option('--feeds <count>', 'runs to compare outputs on').argParser(wholeNumber).default(3))
    .addOption(new Option('--seed <number>', 'of the random values').argParser(count).default(0))
    .addOption(
      new Option('--bind <sizes>', 'sizes of symbolic dimensions, such as N=8 (default: 1 each)').argParser(sizes),
    )
    .addOption(new Option('--threads <count>', 'cores to use (default: all)').argParser(wholeNumber))
    .option('--no-latency', 'do not measure time')
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'compare before.onnx after.onnx',
          'compare before.onnx after.onnx --data test.npz --threads 1',
          'compare a.onnx b.onnx --bind N=64 --json | jq .latency.ratio',
        ],
        `Outputs of the same name are compared: the largest absolute difference, and that
as a part of the largest value.

${dataNotes}`,
      ),
    )
    .action(
      answering(io, async (a: string, b: string, options: Options) => {
        if (options.random && options.data !== undefined) throw wrongUsage('give either --random or --data.')
        const compared = await compare(a, b, options)
        return { json: compared, text: textOf(compared, io.columns) }
      }),
    )
}

function textOf(compared: Compared, width: number): string {
  const { a, b, operators, difference, latency, feeds, notCompared } = compared
  const number = { align: 'right' } as const
  const ratio = (x: number, y: number) => (x > 0 ? (y / x).toFixed(3) : '')
  const row = (name: string, x: number, y: number, format: (value: number) => string) => [
    name,
    format(x),
    format(y),
    ratio(x, y),
  ]
  const sections = [
    facts([
      ['a', a.file],
      ['b', b.file],
    ]),
    table(
      [{ title: '' }, { title: 'a', ...number }, { title: 'b', ...number }, { title: 'b / a', ...number }],
      [
        row('nodes', a.nodes, b.nodes, whole),
        row('parameters', a.parameters, b.parameters, compact),
        row('MACs', a.macs, b.macs, compact),
        row('size', a.bytes, b.bytes, fileSize),
        ...Object.entries(operators).map(([name, counts]) => row(`  ${name}`, counts.a, counts.b, whole)),
        ...(latency ? [['p50 ms', measured(latency.a.p50), measured(latency.b.p50), latency.ratio.toFixed(3)]] : []),
      ],
      width,
    ),
    ...signatureLines('inputs', a.inputs, b.inputs),
    ...signatureLines('outputs', a.outputs, b.outputs),
  ]
  if (difference) {
    const runs = `${feeds.count} ${feeds.kind === 'random' ? 'random feeds' : 'batches of data'}`
    const rows = Object.entries(difference.outputs).map(([name, { absolute, relative }]) => [
      name,
      absolute.toExponential(2),
      relative.toExponential(2),
    ])
    sections.push(
      table(
        [{ title: `output, on ${runs}` }, { title: 'largest difference', ...number }, { title: 'relative', ...number }],
        rows,
        width,
      ),
    )
  }
  if (notCompared !== null) sections.push(wrap(`Not compared: ${clean(notCompared)}`, width))
  return sections.join('\n\n')
}

/** Nothing where both have the same. */
function signatureLines(what: string, a: readonly Signature[], b: readonly Signature[]): string[] {
  const show = (values: readonly Signature[]) => listed(values.map(({ name, type }) => `${name} ${type}`))
  return show(a) === show(b) ? [] : [`${what} of a: ${show(a)}\n${what} of b: ${show(b)}`]
}
