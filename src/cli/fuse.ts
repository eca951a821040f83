import { Option } from 'commander'
import { random } from '../base/random.ts'
import type { Dataset } from '../data/dataset.ts'
import { metricNamed, metrics } from '../evaluate/metrics.ts'
import type { Predictions } from '../evaluate/predictions.ts'
import { type McNemar, mcnemar } from '../evaluate/significance.ts'
import type { CombineMethod } from '../fuse/combine.ts'
import { ensemble } from '../fuse/ensemble.ts'
import { methods } from '../fuse/methods/index.ts'
import { normalizeWeights } from '../fuse/weights.ts'
import { namesOf } from '../graph/edit.ts'
import { type Graph, requiredInputs } from '../graph/graph.ts'
import { renameValues } from '../graph/rename.ts'
import { cost } from '../read/cost.ts'
import { load, save } from '../read/model-file.ts'
import { compact, counted, fileSize, percent, pValue } from '../report/format.ts'
import { clean, wrap } from '../report/text.ts'
import { type Choice, choose } from '../select/choose.ts'
import { asClassifier } from './as-classifier.ts'
import { classify } from './classify.ts'
import { answering, examples, jsonOption, type Verb, wrongUsage } from './command.ts'
import { type DataOptions, dataNotes, openData, pathsOf, withRowSizes } from './data.ts'
import { bytesOfModel, checkOutput, modelNames } from './model.ts'
import { count, numberList, wholeNumber } from './options.ts'
import { table } from './table.ts'

export interface FuseOptions extends DataOptions {
  readonly out: string
  /** Chosen by cross-validation on the data if left out; without data, `average`. */
  readonly method?: string
  /** One for each member; without them, from the accuracies on the data. */
  readonly weights?: readonly number[]
  readonly data?: string
  /** The members' output with the scores. */
  readonly output?: string
  /** What a choice is made by. */
  readonly by?: string
  readonly folds?: number
  readonly seed?: number
  readonly threads?: number
  readonly signal?: AbortSignal
}

interface FusedMember {
  readonly name: string
  readonly file: string
  /** Whether the ensemble has it. */
  readonly chosen: boolean
  readonly weight: number | null
  readonly accuracy: number | null
  readonly parameters: number
  readonly macs: number
  readonly bytes: number
}

/** What was fused, how, and what it is worth on the data. */
export interface Fused {
  readonly out: string
  readonly method: string
  readonly members: readonly FusedMember[]
  readonly ensemble: {
    readonly accuracy: number | null
    readonly parameters: number
    readonly macs: number
    readonly bytes: number
  }
  /** Of the ensemble against the best member. */
  readonly mcnemar: (McNemar & { readonly against: string }) | null
  readonly choice: {
    readonly by: string
    readonly folds: number
    readonly scores: readonly number[]
    readonly mean: number
    readonly std: number
    readonly single: { readonly member: string; readonly mean: number }
    readonly reason: string
  } | null
}

interface Member {
  readonly name: string
  readonly file: string
  readonly graph: Graph
  readonly macs: number
  readonly predictions: Predictions | undefined
}

/** Fuses classifier files into one. */
export async function fuse(files: readonly string[], options: FuseOptions): Promise<Fused> {
  const { out, weights, data, method: name } = options
  if (files.length < 2) throw wrongUsage('fusing takes two models or more.')
  if (weights && weights.length !== files.length)
    throw wrongUsage(`${counted(weights.length, 'weight')} for ${files.length} models.`)
  if (weights && name === undefined) throw wrongUsage('--weights need a --method to go into.')
  const method = name === undefined ? undefined : methodNamed(name)
  if (method?.weigh && !weights && data === undefined)
    throw wrongUsage(`${method.name} needs --weights, or --data to measure accuracies on.`)
  await checkOutput(out, [...files, ...pathsOf(data, options)])

  const loaded: Graph[] = []
  for (const file of files) loaded.push(await asClassifier(await load(file), options.output))
  const graphs = sharingInput(loaded)
  const dataset = data === undefined ? undefined : await openData(data, graphs[0]!, options)
  const sized = (graph: Graph) => (dataset ? withRowSizes(graph, dataset) : graph)
  const names = modelNames(files)
  const members: Member[] = []
  for (const [i, graph] of graphs.entries()) {
    const predictions = dataset && (await predictionsOf(graph, dataset, options))
    members.push({ name: names[i]!, file: files[i]!, graph, macs: cost(sized(graph)).macs, predictions })
  }
  const plan = planOf(members, method, options)
  const taken = plan.members.map(one => members.find(member => member.name === one)!)
  const graph = ensemble(
    taken.map(member => member.graph),
    plan.method(plan.weights),
    { names: plan.members },
  )
  await save(out, graph)
  const judged = dataset && (await predictionsOf(graph, dataset, options))
  return { out, method: plan.method.name, ...(await report(sized(graph), members, plan, judged, options)) }
}

/** Where every member has one input, it is the same one, whatever each calls it: the first member's name is taken. */
function sharingInput(graphs: readonly Graph[]): readonly Graph[] {
  const inputs = graphs.map(requiredInputs)
  if (inputs.some(({ length }) => length !== 1)) return graphs
  const shared = inputs[0]![0]!.name
  return graphs.map((graph, i) => {
    const [own] = inputs[i]!
    if (own!.name === shared || namesOf(graph).has(shared)) return graph
    return renameValues(graph, name => (name === own!.name ? shared : name))
  })
}

interface Plan {
  readonly method: CombineMethod
  readonly members: readonly string[]
  readonly weights: readonly number[] | undefined
  readonly choice: Choice | undefined
}

function planOf(members: readonly Member[], method: CombineMethod | undefined, options: FuseOptions): Plan {
  const names = members.map(({ name }) => name)
  const judged = members.flatMap(({ name, macs, predictions }) => (predictions ? [{ name, macs, predictions }] : []))
  if (method) {
    const accuracies = judged.map(({ predictions }) => metrics.accuracy.value(predictions))
    const measured = judged.length > 0 ? method.weigh?.(accuracies) : undefined
    const weights = options.weights ? normalizeWeights(options.weights) : measured
    return { method, members: names, weights, choice: undefined }
  }
  if (judged.length === 0)
    return { method: methodNamed('average'), members: names, weights: undefined, choice: undefined }
  const { by = 'accuracy', folds = 5, seed = 0 } = options
  const choice = choose(judged, { methods, metric: metricNamed(by), folds, random: random(seed).fork('folds') })
  const { best } = choice
  return { method: methodNamed(best.method), members: best.members, weights: choice.weightsOf(best), choice }
}

async function report(
  graph: Graph,
  members: readonly Member[],
  { members: names, weights, choice }: Plan,
  judged: Predictions | undefined,
  { out, by = 'accuracy', folds = 5 }: FuseOptions,
): Promise<Omit<Fused, 'out' | 'method'>> {
  const accuracyOf = (predictions: Predictions | undefined) =>
    predictions ? metrics.accuracy.value(predictions) : undefined
  const best = members.reduce((a, b) => ((accuracyOf(b.predictions) ?? 0) > (accuracyOf(a.predictions) ?? 0) ? b : a))
  const costs = cost(graph)
  return {
    members: await Promise.all(
      members.map(async ({ name, file, graph: own, macs, predictions }) => ({
        name,
        file,
        chosen: names.includes(name),
        weight: names.includes(name) ? (weights?.[names.indexOf(name)] ?? null) : null,
        accuracy: accuracyOf(predictions) ?? null,
        parameters: cost(own).parameters,
        macs,
        bytes: await bytesOfModel(file, own),
      })),
    ),
    ensemble: {
      accuracy: accuracyOf(judged) ?? null,
      parameters: costs.parameters,
      macs: costs.macs,
      bytes: await bytesOfModel(out, graph),
    },
    mcnemar: judged && best.predictions ? { against: best.name, ...mcnemar(judged, best.predictions) } : null,
    choice: choice
      ? {
          by,
          folds,
          scores: choice.best.scores,
          mean: choice.best.mean,
          std: choice.best.std,
          single: { member: choice.single.members[0]!, mean: choice.single.mean },
          reason: choice.reason,
        }
      : null,
  }
}

async function predictionsOf(graph: Graph, dataset: Dataset, { threads, signal }: FuseOptions): Promise<Predictions> {
  const { predictions } = await classify(graph, dataset, {
    output: 'probabilities',
    scores: 'probabilities',
    ...(threads === undefined ? {} : { threads }),
    ...(signal ? { signal } : {}),
  })
  return predictions
}

function methodNamed(name: string): CombineMethod {
  return methods.find(method => method.name === name)!
}

/** `sinter fuse`: several classifiers as one file. */
export const fuseVerb: Verb = (program, io) => {
  program
    .command('fuse')
    .description('fuse several classifiers into one model; with data, choose members and method by cross-validation')
    .argument('<models...>', 'two or more .onnx files with the same classes')
    .requiredOption('-o, --out <file>', 'the .onnx file to write')
    .addOption(
      new Option('--method <name>', 'how to combine (default: chosen on the data; average without)').choices(
        methods.map(({ name }) => name),
      ),
    )
    .addOption(new Option('--weights <list>', 'weights of the members, such as 2,1,1').argParser(numberList))
    .option('--data <data>', 'labelled validation data; see below')
    .option('--target <name>', 'the column or array of the label (.npz: default label)')
    .option('--output <name>', "the members' output with the scores (default: probabilities, logits, or the only one)")
    .addOption(new Option('--by <metric>', 'what to choose by').choices(Object.keys(metrics)).default('accuracy'))
    .addOption(new Option('--folds <count>', 'parts of the cross-validation').argParser(wholeNumber).default(5))
    .addOption(new Option('--seed <number>', 'of the division into folds').argParser(count).default(0))
    .addOption(new Option('--threads <count>', 'cores to use (default: all)').argParser(wholeNumber))
    .option(...jsonOption)
    .addHelpText(
      'after',
      examples(
        [
          'fuse a.onnx b.onnx c.onnx -o ensemble.onnx --data validation.npz',
          'fuse a.onnx b.onnx -o ensemble.onnx --method weighted-average --weights 2,1',
          'fuse a.onnx b.onnx -o ensemble.onnx --method majority-vote',
        ],
        `The file written has the members' inputs, and the outputs probabilities and
label. Members that give logits get a softmax. Weights not given are made from
accuracies on the data.

${dataNotes}`,
      ),
    )
    .action(
      answering(io, async (files: string[], options: FuseOptions) => {
        const fused = await fuse(files, { ...options, signal: io.signal })
        return { json: fused, text: textOf(fused, io.columns) }
      }),
    )
}

function textOf(fused: Fused, width: number): string {
  const number = { align: 'right' } as const
  const weighed = fused.members.some(({ weight }) => weight !== null)
  const judged = fused.ensemble.accuracy !== null
  const row = (name: string, weight: number | null, cells: Fused['ensemble']) => [
    name,
    ...(weighed ? [weight === null ? '' : weight.toFixed(3)] : []),
    ...(judged ? [percent(cells.accuracy)] : []),
    compact(cells.parameters),
    compact(cells.macs),
    fileSize(cells.bytes),
  ]
  const rows = [
    ...fused.members.map(one => row(`${one.chosen ? '+' : ' '} ${one.name}`, one.weight, one)),
    row(`= ${fused.method}`, null, fused.ensemble),
  ]
  const shown = table(
    [
      { title: '' },
      ...(weighed ? [{ title: 'weight', ...number }] : []),
      ...(judged ? [{ title: 'accuracy %', ...number }] : []),
      { title: 'params', ...number },
      { title: 'MACs', ...number },
      { title: 'size', ...number },
    ],
    rows,
    width,
  )
  const { mcnemar: test, choice } = fused
  const lines = [
    ...(choice ? [choice.reason] : []),
    ...(test
      ? [
          `Against ${test.against}: ${test.onlyFirst} rows only the ensemble has right, ${test.onlySecond} only ${test.against} (McNemar, ${pValue(test.p)}).`,
        ]
      : []),
    `Written to ${fused.out}.`,
  ]
  return [shown, lines.map(line => wrap(clean(line), width)).join('\n')].join('\n\n')
}
